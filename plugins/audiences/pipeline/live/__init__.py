"""Live campaigns: look for events, put them on record, form batches of what is due, export a batch.

Nothing is lost: a row becomes visible when its transaction commits, which may be long after the time that stands in it, so
every look reads again what the one before has read, and every so often further back (`watermarks.py`). Nothing is doubled: the
ledger takes an event once per campaign, and a batch until it is exported.
"""

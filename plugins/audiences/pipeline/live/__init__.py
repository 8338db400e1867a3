"""Live campaigns: poll for events, record them, form live batches of those that are due, export a batch.

Nothing is lost: a row becomes visible when its transaction commits, which may be long after the time that stands in it, so
every poll reads again what the one before has read, and every so often with a lookback (`watermarks.py`). Nothing is doubled: the
ledger takes an event once per campaign, and a batch until it is exported.
"""

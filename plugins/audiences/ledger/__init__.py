"""The ledger: runs, assignments, members and requests on record, in the Postgres schema `audiences`."""

"""What we know we did: runs, assignments, members, chunks, in the Postgres schema `audiences`."""

"""What a change of files does to whom, for the people who review it."""

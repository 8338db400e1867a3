"""The door to the warehouse: streaming reads in one read-only snapshot."""

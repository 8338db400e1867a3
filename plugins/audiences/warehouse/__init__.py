"""The warehouse: streaming reads in one read-only snapshot."""

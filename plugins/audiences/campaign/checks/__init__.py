"""What the shape of a file cannot say: whether names, types, schedules and groups fit the rest of the project."""

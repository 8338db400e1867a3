"""The warehouse catalog held against the database: checked, drafted, completed with what was seen."""

"""Rules as SQL: where users and events are read from, conditions on their properties, and lists of ids. Opens no connection."""

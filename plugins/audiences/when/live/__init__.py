"""Live campaigns: which events they wait for, when those are due, and the queries that find them in the warehouse."""

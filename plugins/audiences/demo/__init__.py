"""Sample shop data, and everything started on one machine."""

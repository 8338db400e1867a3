"""The Graph API itself: one module per resource, and the way a request takes through them."""

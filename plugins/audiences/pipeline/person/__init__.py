"""One person over all campaigns: what is looked up or removed for them."""

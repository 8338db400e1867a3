"""What is looked up or removed for one person over all campaigns."""

"""Preconditions of a run, each with the words that tell a person what to do."""

"""The campaign file and what it refers to: typed models, read with positions, checked before anything runs."""

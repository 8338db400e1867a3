"""Conversions and lift: who of a campaign's users did what the goal names, and what the control groups say about why."""

"""The Custom Audience of a campaign: found or created, whose it is, and whether it holds what is on record."""

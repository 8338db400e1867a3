"""Whom the last run found already: what is remembered of users by fingerprints, so that a run looks at the others only."""

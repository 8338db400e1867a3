"""Audiences: campaigns as code, from a Postgres warehouse to Facebook Custom Audiences."""

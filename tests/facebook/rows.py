"""Rows to upload, and where they go."""

from __future__ import annotations

import hashlib

SCHEMA = ["EMAIL", "PHONE"]
USERS = "/*/users"


def rows_of(count: int, start: int = 0) -> list[tuple[str, str]]:
    """Distinct rows of two hashes."""
    return [
        (hashlib.sha256(f"e{n}".encode()).hexdigest(), hashlib.sha256(f"p{n}".encode()).hexdigest())
        for n in range(start, start + count)
    ]

"""How rows are cut into upload requests."""

from __future__ import annotations

from math import ceil

from audiences.facebook.contract import MAX_ROWS


def requests_for(rows: int) -> int:
    """How many requests that many rows take: each but the last is full."""
    return ceil(rows / MAX_ROWS)

"""How rows are cut into upload requests."""

from __future__ import annotations

from math import ceil

from audiences.facebook.contract import CALLS_PER_HOUR, MAX_ROWS
from audiences.ledger.chunk_states import PlannedRequest


def requests_for(rows: int) -> int:
    """How many requests that many rows take: each but the last is full."""
    return ceil(rows / MAX_ROWS)


def requests_of(file: str, rows: int) -> tuple[PlannedRequest, ...]:
    """The requests of a whole set of so many rows, which the staged file has."""
    return tuple(
        PlannedRequest(action="replace", file=file, first_row=first, rows=min(MAX_ROWS, rows - first))
        for first in range(0, rows, MAX_ROWS)
    )


def percent_of_quota(requests: int) -> dict[str, float]:
    """How many percent of an ad account's hourly quota that many requests use up, by the app's access tier."""
    return {tier: round(100 * requests / calls, 4) for tier, calls in CALLS_PER_HOUR.items()}

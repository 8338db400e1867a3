"""Upload requests as they are on record, for read-only views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.ledger.chunk_states import IN_ORDER, RequestState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from audiences.ledger.chunk_states import RequestAction
    from audiences.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """A request of a run; see `chunk_states.Chunk`. Of its `rows` Facebook `received` so many and took so many for `invalid`.

    `rejected`: the rows of it that were refused for what they hold, by reason. `session`: the number of the replace session.
    """

    number: int
    action: RequestAction
    rows: int
    state: RequestState
    tries: int
    received: int | None
    invalid: int | None
    begun: int
    gone: int
    rejected: Mapping[str, int]
    error: str | None
    sent_at: datetime | None
    acknowledged_at: datetime | None
    session: int | None
    part_of: int | None
    in_doubt: bool
    deferred: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", RequestState(self.state))


def of_run(ledger: Ledger, run: int, *, offset: int = 0, limit: int = 100) -> list[RequestRecord]:
    """The requests of the run, those with an error first, then in the order in which they are sent."""
    return ledger.rows(
        RequestRecord,
        "select c.number, c.action, c.rows, c.state, c.tries, c.received, c.invalid, c.begun, c.gone, c.rejected, c.error,"  # noqa: S608  # a constant is put in
        " c.sent_at, c.acknowledged_at, c.session, p.number as part_of, c.doubtful as in_doubt, c.late as deferred"
        " from audiences.chunk c left join audiences.chunk p on p.id = c.part_of where c.run_id = %(run)s"
        f" order by (c.error is null), {IN_ORDER} offset %(offset)s limit %(limit)s",
        {"run": run, "offset": offset, "limit": limit},
    )


@dataclass(frozen=True, slots=True)
class RequestCount:
    """How many requests of one action are in a state, and how many rows they have."""

    action: RequestAction
    state: RequestState
    requests: int
    rows: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", RequestState(self.state))


def counts(ledger: Ledger, run: int) -> list[RequestCount]:
    """The requests of the run by action and state."""
    return ledger.rows(
        RequestCount,
        "select action, state, count(*)::int as requests, sum(rows)::bigint as rows from audiences.chunk"
        " where run_id = %(run)s group by action, state order by action, state",
        {"run": run},
    )

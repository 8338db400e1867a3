"""Live batches: events that are exported by one run. A batch is open until then; a campaign has one open batch at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from audiences.ledger import live_events
from audiences.ledger.live_events import EventState, as_arrays
from audiences.ledger.transitions import Transitions
from audiences.sql import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.ledger.database import Ledger
    from audiences.ledger.live_events import Due

NOT_BEGUN = timedelta(minutes=1)
"""A run that was triggered and has not begun by then may have been lost on the way; the next one waits twice as long."""
_MOST_DOUBLINGS = 6
SILENT = timedelta(minutes=30)
"""A run that began is taken for dead after this long without a word; a run of the same batch waits for it if it is not."""


class BatchState(StrEnum):
    """What became of a batch; `dropped`: its campaign is not watched any more, or was not to send when the batch's time came."""

    OPEN = "open"
    EXPORTED = "exported"
    DROPPED = "dropped"


TRANSITIONS: Final = Transitions(
    "live_batch",
    "live batch",
    {
        BatchState.OPEN: frozenset({BatchState.EXPORTED, BatchState.DROPPED}),
        BatchState.EXPORTED: frozenset(),
        BatchState.DROPPED: frozenset(),
    },
)


@dataclass(frozen=True, slots=True)
class BatchTerms:
    """A campaign that may form a batch: a user may enter `times` times, and not again after an entry later than `since`."""

    campaign: int
    times: int | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Formed:
    """How many events, of how many users, of a campaign came into which state; `batch_id`: of the batch that has them."""

    campaign_id: int
    state: EventState
    events: int
    users: int
    batch_id: int | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", EventState(self.state))


@dataclass(frozen=True, slots=True)
class Batch:
    """Events that are exported together; `tries` counts the runs triggered for it so far."""

    id: int
    campaign: str
    formed_at: datetime
    events: int
    users: int
    first_event: datetime
    last_event: datetime
    last_due: datetime
    state: BatchState
    tries: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", BatchState(self.state))


_SELECT = (
    "select b.id, c.name as campaign, b.formed_at, b.events, b.users, b.first_event, b.last_event, b.last_due, b.state, b.tries"
    " from audiences.live_batch b join audiences.campaign c on c.id = b.campaign_id"
)


def without_batch(ledger: Ledger, campaigns: Sequence[int], *, at: datetime) -> list[int]:
    """Those of the campaigns that have events which are due, and no open batch that would have to go first."""
    return ledger.values(
        int,
        "select campaign_id from unnest(%(campaigns)s::int[]) as c (campaign_id)"
        " where exists (select from audiences.live_event e"
        " where e.campaign_id = c.campaign_id and e.state = %(waiting)s and e.due_at <= %(at)s)"
        " and not exists (select from audiences.live_batch b where b.campaign_id = c.campaign_id and b.state = %(open)s)",
        {"campaigns": list(campaigns), "at": at, "waiting": EventState.WAITING, "open": BatchState.OPEN},
    )


def form(ledger: Ledger, terms: Sequence[BatchTerms], excluded: Sequence[Due], *, at: datetime) -> list[Formed]:
    """Decide on the excluded events and turn the other due ones into batches; see `include/sql/live/form.sql`.

    A batch also takes the events of its campaign that were decided since the last one, so that its counts tell all.
    """
    states = {state.name.lower(): state for state in (EventState.WAITING, *live_events.IN_A_BATCH, EventState.LIMITED)}
    with ledger.sql.transaction():
        live_events.set_aside(ledger, excluded, state=EventState.EXCLUDED)
        formed = ledger.rows(
            Formed, statement("live/form"), {"at": at, **states, **as_arrays(terms, campaign="campaigns")}
        )
        if batches := [one.batch_id for one in formed if one.batch_id is not None]:
            live_events.take_along(ledger, batches)
    return formed


def offer(ledger: Ledger, campaigns: Sequence[int], *, at: datetime) -> list[Batch]:
    """The open batches of the campaigns for which a run is to be triggered now; each counts as tried with that."""
    numbers = ledger.values(
        int,
        "update audiences.live_batch set tries = tries + 1,"
        " offer_at = %(at)s + %(patience)s * power(2, least(tries, %(most)s))"
        " where state = %(open)s and offer_at <= %(at)s and campaign_id = any(%(campaigns)s) returning id",
        {
            "at": at,
            "patience": NOT_BEGUN,
            "most": _MOST_DOUBLINGS,
            "campaigns": list(campaigns),
            "open": BatchState.OPEN,
        },
    )
    return ledger.rows(Batch, f"{_SELECT} where b.id = any(%(numbers)s) order by b.id", {"numbers": numbers})


def batch(ledger: Ledger, number: int, campaign: str) -> Batch | None:
    """The campaign's batch of that number, None when it has none."""
    return ledger.row(
        Batch, f"{_SELECT} where b.id = %(number)s and c.name = %(campaign)s", {"number": number, "campaign": campaign}
    )


def open_batch(ledger: Ledger, campaign: str) -> Batch | None:
    """The batch that the campaign has to export first, None when there is none."""
    return ledger.row(
        Batch,
        f"{_SELECT} where c.name = %(campaign)s and b.state = %(open)s",
        {"campaign": campaign, "open": BatchState.OPEN},
    )


def of_run(ledger: Ledger, run: int) -> Batch | None:
    """The batch that the run has exported; None for a run of no batch, or of one that is not exported."""
    return ledger.row(Batch, f"{_SELECT} where b.run_id = %(run)s order by b.id desc limit 1", {"run": run})


def postpone(ledger: Ledger, number: int, *, until: datetime, error: str | None = None) -> bool:
    """Trigger no other run of the batch before then; False when it is not open any more."""
    done = ledger.sql.execute(
        "update audiences.live_batch set offer_at = %s, error = %s where id = %s and state = %s",
        (until, error, number, BatchState.OPEN),
    )
    return done.rowcount == 1


def finish(ledger: Ledger, number: int, *, run: int) -> bool:
    """Record that the run has exported the batch, and what became of its events; False when it is not open any more.

    One that was dropped meanwhile stays so: what the run has sent is on record with its requests.
    """
    with ledger.sql.transaction():
        live_events.finish(ledger, number)
        done = ledger.sql.execute(
            "update audiences.live_batch set state = %s, run_id = %s, error = null, exported_at = now()"
            " where id = %s and state = any(%s)",
            (BatchState.EXPORTED, run, number, TRANSITIONS.before(BatchState.EXPORTED)),
        )
    return done.rowcount == 1


def drop(ledger: Ledger, number: int) -> None:
    """Give up a batch that is open, with its events."""
    with ledger.sql.transaction():
        live_events.drop_batch(ledger, number)
        ledger.sql.execute(
            "update audiences.live_batch set state = %s where state = any(%s) and id = %s",
            (BatchState.DROPPED, TRANSITIONS.before(BatchState.DROPPED), number),
        )


def drop_all(ledger: Ledger, campaigns: Sequence[int]) -> None:
    """Give up the open batches of the campaigns."""
    ledger.sql.execute(
        "update audiences.live_batch set state = %s where state = any(%s) and campaign_id = any(%s)",
        (BatchState.DROPPED, TRANSITIONS.before(BatchState.DROPPED), list(campaigns)),
    )


def drop_offered(ledger: Ledger, campaigns: Sequence[int], *, at: datetime) -> list[int]:
    """Give up the open batches of the campaigns that would have to be triggered, again or at all; their numbers."""
    return ledger.values(
        int,
        "update audiences.live_batch set state = %(dropped)s"
        " where state = any(%(before)s) and offer_at <= %(at)s and campaign_id = any(%(campaigns)s) returning id",
        {
            "dropped": BatchState.DROPPED,
            "before": TRANSITIONS.before(BatchState.DROPPED),
            "at": at,
            "campaigns": list(campaigns),
        },
    )

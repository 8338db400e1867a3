"""Events that live campaigns react to: each is on record once per campaign, however often it is delivered or read."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from audiences.ledger.transitions import Transitions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger

_SHOWN = 20


class EventState(StrEnum):
    """What became of an event; see the comment on the column `live_event.state`."""

    WAITING = "waiting"
    BATCHED = "batched"
    EXPORTED = "exported"
    NOT_QUALIFIED = "not_qualified"
    EXCLUDED = "excluded"
    LIMITED = "limited"
    LATE = "late"
    DROPPED = "dropped"


TRANSITIONS: Final = Transitions(
    "live_event",
    "live event",
    {
        EventState.WAITING: frozenset(
            {EventState.BATCHED, EventState.EXCLUDED, EventState.LIMITED, EventState.DROPPED}
        ),
        EventState.BATCHED: frozenset({EventState.EXPORTED, EventState.NOT_QUALIFIED, EventState.DROPPED}),
        EventState.EXPORTED: frozenset(),
        EventState.NOT_QUALIFIED: frozenset(),
        EventState.EXCLUDED: frozenset(),
        EventState.LIMITED: frozenset(),
        EventState.LATE: frozenset(),
        EventState.DROPPED: frozenset(),
    },
)
IN_A_BATCH: Final = (EventState.BATCHED, EventState.EXPORTED, EventState.NOT_QUALIFIED)
NOT_EXPORTED: Final = (EventState.EXCLUDED, EventState.LIMITED, EventState.LATE, EventState.DROPPED)
"""Decided without an export; a batch takes those since the last one along, so that its counts tell all."""


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event that a campaign reacts to, as it goes on record."""

    campaign: int
    event_id: str
    user_id: str
    occurred_at: datetime
    arrived_at: datetime
    due_at: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class New:
    """An event that was not on record before."""

    campaign_id: int
    event_id: str
    late: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A recorded event whose time has come."""

    campaign: int
    event_id: str
    user_id: str
    occurred_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class UserEvent:
    """An event of a user, and the run that exported its batch, if one has."""

    event_id: str
    occurred_at: datetime
    due_at: datetime
    state: EventState
    run_id: int | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", EventState(self.state))


def record(ledger: Ledger, seen: Sequence[SeenEvent], *, at: datetime) -> list[New]:
    """Record the events that are not on record yet, and return those."""
    if not seen:
        return []
    return ledger.rows(
        New,
        "insert into audiences.live_event"
        " (campaign_id, event_id, user_id, occurred_at, arrived_at, seen_at, due_at, state)"
        " select campaign, event_id, user_id, occurred_at, arrived_at, %(at)s, due_at,"
        " case when late then %(too_late)s else %(waiting)s end"
        " from unnest(%(campaign)s::int[], %(event_id)s::text[], %(user_id)s::text[], %(occurred_at)s::timestamptz[],"
        " %(arrived_at)s::timestamptz[], %(due_at)s::timestamptz[], %(late)s::bool[])"
        " as s (campaign, event_id, user_id, occurred_at, arrived_at, due_at, late)"
        " on conflict do nothing returning campaign_id, event_id, state = %(too_late)s as late",
        {"at": at, "too_late": EventState.LATE, "waiting": EventState.WAITING, **as_arrays(seen)},
    )


def due(ledger: Ledger, campaigns: Sequence[int], *, at: datetime) -> list[Due]:
    """The waiting events of the campaigns that are due."""
    return ledger.rows(
        Due,
        "select campaign_id as campaign, event_id, user_id, occurred_at, due_at from audiences.live_event"
        " where state = %(waiting)s and due_at <= %(at)s and campaign_id = any(%(campaigns)s)"
        " order by campaign_id, event_id",
        {"at": at, "campaigns": list(campaigns), "waiting": EventState.WAITING},
    )


def set_aside(ledger: Ledger, events: Sequence[Due], *, state: EventState) -> None:
    """Decide waiting events without exporting them; those that wait no more stay as they are."""
    if events:
        ledger.sql.execute(
            "update audiences.live_event e set state = %(state)s"
            " from unnest(%(campaign)s::int[], %(event_id)s::text[]) as s (campaign, event_id)"
            " where e.campaign_id = s.campaign and e.event_id = s.event_id and e.state = %(waiting)s",
            {"state": state, "waiting": EventState.WAITING, **as_arrays(events)},
        )


def put_off(ledger: Ledger, events: Sequence[Due]) -> None:
    """Let events wait until their `due_at`; those that wait no more stay as they are."""
    if events:
        ledger.sql.execute(
            "update audiences.live_event e set due_at = s.due_at"
            " from unnest(%(campaign)s::int[], %(event_id)s::text[], %(due_at)s::timestamptz[]) as s (campaign, event_id, due_at)"
            " where e.campaign_id = s.campaign and e.event_id = s.event_id and e.state = %(waiting)s",
            {"waiting": EventState.WAITING, **as_arrays(events)},
        )


def take_along(ledger: Ledger, batches: Sequence[int]) -> None:
    """Count in these batches the events of their campaigns that were decided without an export since the last ones."""
    ledger.sql.execute(
        "update audiences.live_event e set batch_id = b.id from audiences.live_batch b"
        " where b.id = any(%s) and e.campaign_id = b.campaign_id and e.batch_id is null and e.state = any(%s)",
        (list(batches), list(NOT_EXPORTED)),
    )


def drop_all(ledger: Ledger, campaigns: Sequence[int]) -> None:
    """Give up whatever these campaigns have not exported."""
    ledger.sql.execute(
        "update audiences.live_event set state = %s where state = any(%s) and campaign_id = any(%s)",
        (EventState.DROPPED, TRANSITIONS.before(EventState.DROPPED), list(campaigns)),
    )


def drop_batch(ledger: Ledger, batch: int) -> None:
    """Give up what is in the batch and not exported."""
    ledger.sql.execute(
        "update audiences.live_event set state = %s where batch_id = %s and state = %s",
        (EventState.DROPPED, batch, EventState.BATCHED),
    )


def drop(ledger: Ledger, campaigns: Sequence[int], *, batches: Sequence[int]) -> None:
    """Give up what is waiting for these campaigns, and what is in these batches."""
    ledger.sql.execute(
        "update audiences.live_event set state = %s where campaign_id = any(%s)"
        " and (state = %s or state = %s and batch_id = any(%s))",
        (EventState.DROPPED, list(campaigns), EventState.WAITING, EventState.BATCHED, list(batches)),
    )


def users(ledger: Ledger, batch: int) -> list[str]:
    """The users of the batch."""
    return ledger.values(
        str,
        "select distinct user_id from audiences.live_event"
        " where batch_id = %(batch)s and state = any(%(states)s) order by user_id",
        {"batch": batch, "states": list(IN_A_BATCH)},
    )


def note_qualified(ledger: Ledger, batch: int, qualified: Sequence[str]) -> None:
    """Record who of the batch still qualifies."""
    ledger.sql.execute(
        "update audiences.live_event set qualified = user_id = any(%s) where batch_id = %s", (list(qualified), batch)
    )


def finish(ledger: Ledger, batch: int) -> None:
    """Record what became of the events of a batch that was exported."""
    ledger.sql.execute(
        "update audiences.live_event set state = case when qualified then %s else %s end where batch_id = %s and state = %s",
        (EventState.EXPORTED, EventState.NOT_QUALIFIED, batch, EventState.BATCHED),
    )


def counts(ledger: Ledger, batch: int) -> dict[str, int]:
    """The events of a batch by their state."""
    return _counted(ledger, "e.batch_id = %(batch)s", {"batch": batch})


def events(ledger: Ledger, campaign: str) -> dict[str, int]:
    """All events of a campaign by their state."""
    return _counted(ledger, "c.name = %(campaign)s", {"campaign": campaign})


def of_user(ledger: Ledger, campaign: int, user: str) -> list[UserEvent]:
    """The user's last events in a live campaign, the oldest first."""
    found = ledger.rows(
        UserEvent,
        "select e.event_id, e.occurred_at, e.due_at, e.state, b.run_id from audiences.live_event e"
        " left join audiences.live_batch b on b.id = e.batch_id and e.state = any(%(exported)s)"
        " where e.campaign_id = %(campaign)s and e.user_id = %(user)s order by e.occurred_at desc limit %(shown)s",
        {
            "campaign": campaign,
            "user": user,
            "shown": _SHOWN,
            "exported": [EventState.EXPORTED, EventState.NOT_QUALIFIED],
        },
    )
    return found[::-1]


def as_arrays(rows: Sequence[Any], **renamed: str) -> dict[str, list[object]]:
    """The fields of dataclasses as arrays, for `unnest`."""
    names = [field.name for field in fields(rows[0])]
    return {renamed.get(name, name): [getattr(row, name) for row in rows] for name in names}


def _counted(ledger: Ledger, where: str, values: dict[str, object]) -> dict[str, int]:
    def pair(state: str, events: int) -> tuple[str, int]:
        return state, events

    return dict(
        ledger.rows(
            pair,
            "select e.state, count(*)::int as events from audiences.live_event e"  # noqa: S608  # our own text
            f" join audiences.campaign c on c.id = e.campaign_id where {where} group by e.state order by e.state",
            values,
        )
    )

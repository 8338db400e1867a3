"""The queries over the warehouse: which events have arrived, whom another event keeps out, how far commits are settled.

All live campaigns share them. Each event carries the numbers of the triggers that it satisfies, evaluated by the database,
so that fifty campaigns are one scan of a short span of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array

from audiences.query.conditions import Moment
from audiences.query.sources import events_table, named
from audiences.query.text_columns import TIMESTAMP, Value
from audiences.query.where import where

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from audiences.campaign.catalog import Catalog, Events
    from audiences.campaign.when import EventTrigger
    from audiences.query.event_users import EventUsers


@dataclass(frozen=True, slots=True)
class EventKind:
    """Events of a name, with properties as `where` asks for them, its days cut in `zone`."""

    event: str
    where: Any
    zone: ZoneInfo

    @classmethod
    def of(cls, trigger: EventTrigger, zone: ZoneInfo) -> EventKind:
        """The events that a trigger, or `unless`, means."""
        return cls(trigger.event, trigger.where, zone)

    @property
    def identity(self) -> str:
        """Equal for equal kinds, whichever campaigns they stand in."""
        return f"{self.zone.key} {self.where.model_dump_json() if self.where else ''} {self.event}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event that is due, and until when an event of the kind of that number keeps its user out."""

    number: int
    kind: int
    user_id: str
    after: datetime
    until: datetime


ARRIVED = ("event_id", "user_id", "occurred_at", "arrived_at", "kinds")
_REACHED = (datetime(MINYEAR + 1, 1, 1, tzinfo=UTC), datetime(MAXYEAR, 1, 1, tzinfo=UTC))


def horizon() -> sa.Select[Any]:
    """One row: the warehouse's `now`, the first transaction number still `open` and the `next` to be given out.

    `replayed`: on a replica, up to when it knows what has happened; null where it does not say so, and on any other server.
    Anybody may ask for these, on a replica as well.
    """
    snapshot = sa.func.pg_current_snapshot()
    replayed = sa.case((sa.func.pg_is_in_recovery(), sa.func.pg_last_xact_replay_timestamp()))

    def number(function: Any) -> Value:
        return sa.cast(sa.cast(function, sa.Text), sa.BigInteger)

    columns: tuple[Any, ...] = (
        sa.func.now().label("now"),
        number(sa.func.pg_snapshot_xmin(snapshot)).label("open"),
        number(sa.func.pg_snapshot_xmax(snapshot)).label("next"),
        replayed.label("replayed"),
    )
    return sa.select(*columns)


def arrivals(
    kinds: Sequence[EventKind], catalog: Catalog, since: datetime, at: datetime, *, users: EventUsers
) -> sa.Select[Any]:
    """The events that came in from `since` on and are of one of the kinds, whose numbers are in `kinds`: ARRIVED.

    Without `arrived_at` in the catalog, the time at which they occurred stands for it. Times are within the years that Python
    knows: one device that counts milliseconds for seconds is 55,000 years ahead.
    """
    events = _events(catalog)
    table = events_table(events)
    arrived_at = table.c[events.arrived_at or events.occurred_at]
    found = [
        sa.case((_is(kind, table, catalog, at), sa.literal(number, sa.Integer))) for number, kind in enumerate(kinds)
    ]
    inside = (
        sa.select(
            sa.cast(table.c[events.id], sa.Text).label("event_id"),
            users.user_id(catalog, table).label("user_id"),
            _within_reach(table.c[events.occurred_at]).label("occurred_at"),
            _within_reach(arrived_at).label("arrived_at"),
            sa.func.array_remove(_array(found), None, type_=ARRAY(sa.Integer)).label("kinds"),
        )
        .where(
            arrived_at >= sa.literal(since, TIMESTAMP),
            named(events, table, _names(kinds)),
            table.c[events.id].is_not(None),
            table.c[events.user].is_not(None),
            sa.func.isfinite(sa.cast(table.c[events.occurred_at], TIMESTAMP)),  # nor null
            sa.func.isfinite(sa.cast(arrived_at, TIMESTAMP)),
        )
        .subquery("arrived")
    )
    return sa.select(*(inside.c[name] for name in ARRIVED)).where(sa.func.cardinality(inside.c.kinds) > 0)


def kept_out(
    candidates: Sequence[Candidate], kinds: Sequence[EventKind], catalog: Catalog, at: datetime, *, users: EventUsers
) -> sa.Select[Any]:
    """The `number` of each candidate whose user did an event of its kind later than `after` and by `until`.

    An event that is there at `at` and is dated later has happened by then, and counts as in time.
    """
    events = _events(catalog)
    table = events_table(events)
    occurred_at, user = table.c[events.occurred_at], users.user_id(catalog, table)
    future = _in_the_future(events, table, at)
    due = (
        sa.func.unnest(
            _values([each.number for each in candidates], sa.Integer),
            _values([each.kind for each in candidates], sa.Integer),
            _values([each.user_id for each in candidates], sa.Text),
            _values([each.after for each in candidates], TIMESTAMP),
            _values([each.until for each in candidates], TIMESTAMP),
        )
        .table_valued(
            sa.column("number", sa.Integer),
            sa.column("kind", sa.Integer),
            sa.column("user_id", sa.Text),
            sa.column("after", TIMESTAMP),
            sa.column("until", TIMESTAMP),
        )
        .render_derived(name="due")
    )
    matches = sa.case(
        *((due.c.kind == number, _is(kind, table, catalog, at)) for number, kind in enumerate(kinds)), else_=sa.false()
    )
    return (
        sa.select(due.c.number)
        .join_from(due, table, user == due.c.user_id)
        .where(
            # The span of all of them, by which an index on (name, time) finds the few events in question.
            named(events, table, _names(kinds)),
            occurred_at > sa.literal(min(each.after for each in candidates), TIMESTAMP),
            sa.or_(occurred_at <= sa.literal(max(each.until for each in candidates), TIMESTAMP), future),
            occurred_at > due.c.after,
            sa.or_(occurred_at <= due.c.until, future),
            matches,
        )
        .distinct()
    )


def _within_reach(time: Value) -> Value:
    """The instant, or the nearest one of the years that Python knows."""
    first, last = (sa.literal(instant, TIMESTAMP) for instant in _REACHED)
    return sa.func.greatest(sa.func.least(sa.cast(time, TIMESTAMP), last), first, type_=TIMESTAMP)


def _in_the_future(events: Events, table: sa.FromClause, at: datetime) -> Value:
    """Whether an event that is there at `at` is dated later, which is some device's mistake."""
    occurred_at, now = table.c[events.occurred_at], sa.literal(at, TIMESTAMP)
    there = sa.func.isfinite(sa.cast(occurred_at, TIMESTAMP))
    if events.arrived_at is None:
        # What has happened since `at` is there as well, and is not ahead of the warehouse's clock.
        return sa.and_(occurred_at > sa.func.greatest(now, sa.func.now()), there)
    return sa.and_(occurred_at > now, there, table.c[events.arrived_at] <= now)


def _is(kind: EventKind, table: sa.FromClause, catalog: Catalog, at: datetime) -> Value:
    """Whether a row is an event of the kind; its properties are looked at only where the name is right."""
    events = _events(catalog)
    called = named(events, table, (kind.event,))
    if kind.where is None:
        return called
    properties = where(kind.where, events.properties, table, Moment(at, kind.zone), catalog.timezone)
    return sa.case((called, properties), else_=sa.false())


def _events(catalog: Catalog) -> Events:
    if catalog.events is None:
        message = "the catalog maps no events; validation refuses live campaigns then"
        raise ValueError(message)
    return catalog.events


def _names(kinds: Sequence[EventKind]) -> list[str]:
    return sorted({kind.event for kind in kinds})


def _array(values: Sequence[Value]) -> Value:
    return sa.cast(array(values), ARRAY(sa.Integer))


def _values(values: Sequence[Any], kind: Any) -> Value:
    return sa.cast(sa.literal(list(values), ARRAY(kind)), ARRAY(kind))

"""A rule over events as one grouped query: the users who did it, each once, from a single scan of the events.

The scan is bounded by event name and time, which an index on (name, occurred_at, user) answers; everything about a
user's events together is decided in HAVING. No event after the run time counts, whatever the window.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from audiences.campaign.operators import ensure_compared
from audiences.campaign.rules import WEEKDAYS, Aggregate, Comparison, Did
from audiences.query.sources import events_table, exact_number, named
from audiences.query.text_columns import TIMESTAMP, Value
from audiences.query.where import where

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.windows import Window
    from audiences.query.conditions import Moment
    from audiences.query.sources import Types

_AFTER = timedelta(microseconds=1)  # the resolution of a Postgres timestamp
COMPARED: Final[dict[str, Callable[[Value, Any], Value]]] = {
    "equals": operator.eq,
    "between": lambda value, bounds: value.between(*bounds),
    "at_least": operator.ge,
    "at_most": operator.le,
    "more_than": operator.gt,
    "less_than": operator.lt,
}
"""How Postgres evaluates each operator that compares numbers of events."""
ensure_compared(COMPARED, "Postgres", "COMPARED of audiences/query/events.py")


@dataclass(frozen=True, slots=True)
class Doers:
    """A query of distinct `user_id`s: of those who satisfy the rule, or, `negated`, of those who fail it."""

    query: sa.Select[Any]
    negated: bool


def doers(
    did: Did, catalog: Catalog, moment: Moment, only: sa.Select[Any] | None = None, types: Types | None = None
) -> Doers:
    """The users who satisfy a rule over events; `only` limits the scan to the users of that query, `types` are those known of the
    events' columns.

    A rule that holds for users without any such event (`or_never`) cannot list them from the events; it lists the users
    with such events who fail it, and everybody else satisfies it.
    """
    scan = _Scan(did, catalog, moment, types)
    query = scan.query(scan.user, only=only)
    if did.or_never:
        return Doers(query.having(sa.or_(*(scan.fails(name) for name in scan.apart))), negated=True)
    return Doers(query.having(*(part for name in scan.apart for part in scan.holds(name))), negated=False)


def occurrences(
    did: Did, catalog: Catalog, moment: Moment, only: sa.Select[Any] | None = None, types: Types | None = None
) -> sa.Select[Any] | None:
    """The `user_id` of every such event, users as often as they did it, if one event is all that the rule asks; else None."""
    scan = _Scan(did, catalog, moment, types)
    if did.or_never or any(scan.holds(name) for name in scan.apart):
        return None
    return scan.rows(scan.user, only=only)


EVIDENCE = ("events", "first", "last", "sum", "average")


def evidence(did: Did, catalog: Catalog, moment: Moment, only: sa.Select[Any] | None = None) -> sa.Select[Any]:
    """What a rule looks at, one row per user who has such events: `user_id` and EVIDENCE as far as the rule asks.

    How many there are, when the first and the last was (an instant, whatever the column's type; null for `-infinity` and
    whatever else no calendar reaches), and the sum and average as text without trailing zeros.
    """
    scan = _Scan(did, catalog, moment)
    such = scan.such(None)
    aggregates = [
        (label, sa.cast(sa.func.trim_scale(sa.cast(scan.aggregate(function, given, such), sa.Numeric)), sa.Text))
        for label, function, given in (("sum", sa.func.sum, did.sum), ("average", sa.func.avg, did.average))
        if given is not None
    ]
    return scan.query(
        scan.user,
        _filtered(sa.func.count(), such).label("events"),
        *(
            _nameable(sa.cast(function(scan.occurred_at), TIMESTAMP)).label(label)
            for label, function in (("first", sa.func.min), ("last", sa.func.max))
        ),
        *(value.label(label) for label, value in aggregates),
        only=only,
    )


def _nameable(instant: Value) -> Value:
    first, last = (sa.literal(datetime(year, 1, 1, tzinfo=UTC), TIMESTAMP) for year in (MINYEAR + 1, MAXYEAR))
    return sa.case((instant.between(first, last), instant))


class _Scan:
    """One rule's scan of the events: what a row must be to be read, and what a user's rows must be together."""

    def __init__(self, did: Did, catalog: Catalog, moment: Moment, types: Types | None = None) -> None:
        if catalog.events is None:
            message = "the catalog maps no events; validation refuses rules over events then"
            raise ValueError(message)
        self._did, self._catalog, self._moment, self._events = did, catalog, moment, catalog.events
        self._table = events_table(catalog.events, types)
        self.user: Value = self._table.c[catalog.events.user].label("user_id")
        self.occurred_at: Value = self._table.c[catalog.events.occurred_at]
        names = tuple(dict.fromkeys(did.events))
        self._names = names
        # Several events that must each satisfy the rule on their own are told apart in HAVING; None: all together.
        self.apart: tuple[str | None, ...] = names if did.all_of and len(names) > 1 else (None,)
        # First and last time are looked for among all events up to the run, so the window cannot bound the scan.
        self._whole_history = did.first_time is not None or did.last_time is not None

    def query(self, *columns: Any, only: sa.Select[Any] | None) -> sa.Select[Any]:
        """The scan, grouped by user."""
        return self.rows(*columns, only=only).group_by(self._table.c[self._events.user])

    def rows(self, *columns: Any, only: sa.Select[Any] | None) -> sa.Select[Any]:
        """The scan, event by event."""
        conditions = [named(self._events, self._table, self._names)]
        if self._whole_history:
            conditions.append(self.occurred_at < self._moment.at + _AFTER)
        else:
            conditions.extend(self._in_window())
        conditions.extend(self._on_the_clock())
        if self._did.where:
            properties, zone = self._events.properties, self._catalog.timezone
            conditions.append(where(self._did.where, properties, self._table, self._moment, zone))
        if only is not None:
            conditions.append(self._table.c[self._events.user].in_(only))
        return sa.select(*columns).where(*conditions)

    def such(self, name: str | None) -> list[Value]:
        """Which of the rows that were read count; none: all of them."""
        window = self._in_window() if self._whole_history else []
        return [*([] if name is None else [self._is(name)]), *window]

    def holds(self, name: str | None) -> list[Value]:
        """What must be true of a user's such events; nothing: that there is one, which a group says already."""
        return [*([self._happened(name)] if self.such(name) else []), *self._asked(name)]

    def fails(self, name: str | None) -> Value:
        """The user has such events, and they are not as asked."""
        return sa.and_(self._happened(name), sa.and_(sa.true(), *self._asked(name)).is_not(sa.true()))

    def _asked(self, name: str | None) -> list[Value]:
        """How many, how much, when for the first and the last time."""
        did, such, parts = self._did, self.such(name), []
        if did.count:
            parts.append(_compare(_filtered(sa.func.count(), such), did.count))
        if did.sum:
            parts.append(_compare(sa.func.coalesce(self.aggregate(sa.func.sum, did.sum, such), 0), did.sum))
        if did.average:
            parts.append(_compare(self.aggregate(sa.func.avg, did.average, such), did.average))
        ever = [] if name is None else [self._is(name)]
        if did.first_time:
            parts.extend(self._falls_in(did.first_time, _filtered(sa.func.min(self.occurred_at), ever)))
        if did.last_time:
            parts.extend(self._falls_in(did.last_time, _filtered(sa.func.max(self.occurred_at), ever)))
        return parts

    def aggregate(self, function: Any, given: Aggregate, such: list[Value]) -> Value:
        """A sum or average, null when no such event has the property."""
        source = self._events.properties[given.of]
        return _filtered(function(exact_number(source, self._table, self._catalog.timezone)), such)

    def _is(self, name: str) -> Value:
        return named(self._events, self._table, (name,))

    def _happened(self, name: str | None) -> Value:
        return _filtered(sa.func.count(), self.such(name)) > 0

    def _in_window(self) -> list[Value]:
        lower, upper = self._did.within.bounds(self._moment.at, self._moment.zone)
        after = self._moment.at + _AFTER
        parts = [self.occurred_at >= lower] if lower else []
        parts.append(self.occurred_at < (min(upper, after) if upper else after))
        return parts

    def _on_the_clock(self) -> list[Value]:
        """Time of day and day of week, in the campaign's zone."""
        did, parts = self._did, []
        local = sa.func.timezone(self._moment.zone.key, sa.cast(self.occurred_at, TIMESTAMP))
        if did.time_of_day:
            start, end = did.time_of_day
            clock = sa.cast(local, sa.Time)
            over_midnight = end <= start
            parts.append((sa.or_ if over_midnight else sa.and_)(clock >= start, clock < end))
        if did.day_of_week:
            days = sorted({WEEKDAYS.index(day) + 1 for day in did.day_of_week})
            parts.append(sa.extract("isodow", local).in_(days))
        return parts

    def _falls_in(self, window: Window, time: Value) -> list[Value]:
        lower, upper = window.bounds(self._moment.at, self._moment.zone)
        return [*([time >= lower] if lower else []), *([time < upper] if upper else [])]


def _filtered(function: Any, such: list[Value]) -> Value:
    return sa.funcfilter(function, *such) if such else function


def _compare(value: Value, comparison: Comparison) -> Value:
    name, given = comparison.operator()
    return COMPARED[name](value, given)

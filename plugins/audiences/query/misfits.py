"""How many of the newest events hold a value that is none of the type that the catalog declares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audiences.query.sources import events_table, exact_number, named, present, typed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audiences.campaign.catalog import EventProperty, Events
    from audiences.query.text_columns import Value


def event_misfits(
    events: Events,
    name: str,
    properties: Sequence[str],
    *,
    since: datetime | None,
    until: datetime,
    zone: str,
    rows: int,
) -> sa.Select[Any]:
    """One row: how many events of the name were looked at, `rows` at most, and of each property how many misfits they hold.

    The newest events from `since` on and before `until`, which an index on (name, occurred_at) gives without reading any other.
    """
    table = events_table(events)
    occurred_at = table.c[events.occurred_at]
    conditions = [named(events, table, (name,)), occurred_at < until, *([occurred_at >= since] if since else [])]
    found = [
        sa.and_(present(source, table), event_value(source, table, zone).is_(None)).label(f"misfit_{number}")
        for number, source in enumerate(events.properties[each] for each in properties)
    ]
    newest = sa.select(*found).where(*conditions).order_by(occurred_at.desc()).limit(rows).subquery("newest")
    counts: list[Any] = [sa.func.count().filter(misfit).label(misfit.name) for misfit in newest.c]
    return sa.select(*[sa.func.count().label("events"), *counts])


def event_value(source: EventProperty, table: sa.FromClause, zone: str) -> Value:
    """The value as rules read it: what is added up may be of a type that cannot be compared, such as `money`."""
    return exact_number(source, table, zone) if source.type == "number" else typed(source, table, zone)

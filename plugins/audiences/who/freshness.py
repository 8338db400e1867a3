"""How fresh the warehouse is: the guard `fresh_within` asks for its newest event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from audiences.query.sources import events_table, named
from audiences.query.text_columns import TIMESTAMP

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.campaign.catalog import Events


def newest_event(events: Events, at: datetime) -> sa.Select[datetime]:
    """The time of the newest event up to `at`, as the one column `newest`; of the catalog's event names, if it lists them.

    Name by name the newest is one step into an index on (name, occurred_at); without names every event is looked at.
    """
    table = events_table(events)
    happened = sa.type_coerce(table.c[events.occurred_at], sa.DateTime(timezone=True))
    newest: sa.ColumnElement[datetime] = sa.func.max(happened)
    if events.names:
        before = sa.select(newest).where(happened <= at)
        each = [before.where(named(events, table, (name,))).scalar_subquery() for name in events.names]
        query = sa.select(sa.cast(sa.func.greatest(*each), TIMESTAMP).label("newest"))
    else:
        query = sa.select(sa.cast(newest, TIMESTAMP).label("newest")).where(happened <= at)
    return query  # an instant, also where the column has no time zone

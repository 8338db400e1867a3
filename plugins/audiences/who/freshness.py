"""How fresh the warehouse is: the guard `fresh_within` asks for its newest event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from audiences.who.sources import TIMESTAMP, events_table

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.campaign.catalog import Events


def newest_event(events: Events, at: datetime) -> sa.Select[datetime]:
    """The time of the newest event up to `at`, as the one column `newest`."""
    happened = sa.type_coerce(events_table(events).c[events.occurred_at], sa.DateTime(timezone=True))
    newest = sa.cast(sa.func.max(happened), TIMESTAMP)  # an instant, also where the column has no time zone
    return sa.select(newest.label("newest")).where(happened <= at)

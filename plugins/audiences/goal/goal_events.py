"""The goal's events as one query of the warehouse, which an index on (name, occurred_at, user) answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audiences.query.conditions import Moment
from audiences.query.sources import events_table, exact_number, named
from audiences.query.text_columns import TIMESTAMP, Value
from audiences.query.where import where

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.campaign.goal import Goal
    from audiences.campaign.spec import CampaignSpec
    from audiences.query.event_users import EventUsers


def goal_events(
    spec: CampaignSpec, goal: Goal, *, after: datetime, until: datetime, users: EventUsers
) -> sa.Select[Any]:
    """Every event that counts for the goal in (after, until], of whatever user.

    Columns: `user_id` text as the ledger has it, `occurred_at` timestamptz, `amount` float8, null where the event has none or the
    goal asks for none. Nothing is joined, grouped or written, so that a read replica answers it without a temporary table.
    """
    events = spec.catalog.events
    if events is None:
        message = "the catalog maps no events; validation refuses a goal then"
        raise ValueError(message)
    table, zone = events_table(events), spec.catalog.timezone
    happened: Value = table.c[events.occurred_at]
    amount: Value = sa.null()
    if goal.revenue is not None:
        amount = exact_number(events.properties[goal.revenue], table, zone)
    query = sa.select(
        users.user_id(spec.catalog, table).label("user_id"),
        sa.cast(happened, TIMESTAMP).label("occurred_at"),
        sa.cast(amount, sa.Double).label("amount"),
    ).where(named(events, table, (goal.event,)), happened > after, happened <= until)
    if goal.where is None:
        return query
    return query.where(where(goal.where, events.properties, table, Moment(until, spec.zone), zone))

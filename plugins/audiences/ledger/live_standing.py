"""Where live campaigns stand, for those who only look: how far each has read, and what is waiting to be exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.ledger.live_batches import BatchState
from audiences.ledger.live_events import EventState

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.ledger.database import Ledger

STANDING = """
select c.name as campaign, l.since, l.read_to, l.error, l.error_at, waiting.events as waiting, waiting.first_due,
    b.id as batch, b.events as batch_events, b.users as batch_users, b.formed_at as batch_formed_at, b.last_due as batch_due,
    b.tries as batch_tries, b.error as batch_error
from audiences.live_campaign l
join audiences.campaign c on c.id = l.campaign_id
left join audiences.live_batch b on b.campaign_id = l.campaign_id and b.state = %(open)s
cross join lateral (
    select count(*)::int as events, min(e.due_at) as first_due from audiences.live_event e
    where e.campaign_id = l.campaign_id and e.state = %(waiting)s
) waiting
order by c.name
"""


@dataclass(frozen=True, slots=True)
class LiveStanding:
    """A live campaign that is watched: up to when it has read the warehouse, and why its last poll failed, if it did.

    `waiting` events are on record and in no batch, the first of them due at `first_due`. Of the open batch: how many events of
    how many users it has, when the last of them was due, how many runs were triggered for it, why the last of those failed.
    """

    campaign: str
    since: datetime
    read_to: datetime
    error: str | None
    error_at: datetime | None
    waiting: int
    first_due: datetime | None
    batch: int | None
    batch_events: int | None
    batch_users: int | None
    batch_formed_at: datetime | None
    batch_due: datetime | None
    batch_tries: int | None
    batch_error: str | None


def every(ledger: Ledger) -> list[LiveStanding]:
    """All live campaigns that are watched."""
    return ledger.rows(LiveStanding, STANDING, {"open": BatchState.OPEN, "waiting": EventState.WAITING})

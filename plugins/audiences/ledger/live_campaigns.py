"""Live campaigns that are watched, with their watermarks: how far each has read the warehouse.

That an event was seen (`live_events`) and how far was read are written in one transaction.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from audiences.errors import WaitError
from audiences.ledger import campaigns as known_campaigns
from audiences.ledger import live_batches, live_events
from audiences.ledger.live_batches import BatchState
from audiences.ledger.live_events import as_arrays
from audiences.ledger.own_session import unlocked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger
    from audiences.ledger.live_events import New, SeenEvent

_LOCK = 0x_A0D1_11FE  # any constant of our own
_LOCK_WAIT = "10s"


@dataclass(eq=False)
class LiveBusyError(WaitError):
    """Another process is polling for live events."""


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """Watermarks of a campaign, by the warehouse's clock.

    Events that came in before `since` do not concern it, and it has read up to `read_to`. No transaction that wrote before
    `watermark` is still open. `next_watermark` becomes the watermark once all transactions numbered below
    `next_watermark_xid` have ended. `lookback_at`: the last poll with a lookback.
    """

    campaign: int
    since: datetime
    read_to: datetime
    watermark: datetime
    next_watermark: datetime
    next_watermark_xid: int
    lookback_at: datetime
    error_at: datetime | None


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A campaign that begins to watch, for events that came in from `since` on."""

    name: str
    since: datetime


@contextmanager
def polling(ledger: Ledger) -> Iterator[None]:
    """Hold the lock of the only poller; a second process waits a moment, then gets LiveBusyError."""
    ledger.sql.execute(f"set lock_timeout = '{_LOCK_WAIT}'")
    try:
        ledger.sql.execute("select pg_advisory_lock(%s)", (_LOCK,))
    except psycopg.errors.LockNotAvailable as error:
        raise LiveBusyError(what="another process is looking for live events", seconds=10) from error
    finally:
        ledger.sql.execute("reset lock_timeout")
    try:
        yield
    finally:
        unlocked(ledger.sql, _LOCK)


def progress(ledger: Ledger, names: Sequence[str]) -> dict[str, ReadProgress]:
    """How far each of the campaigns has read; those that were not live up to now are missing."""

    def pair(name: str, **columns: datetime) -> tuple[str, ReadProgress]:
        return name, ReadProgress(**columns)  # type: ignore[arg-type]  # the columns of the statement are its fields

    return dict(
        ledger.rows(
            pair,
            "select c.name, l.campaign_id as campaign, l.since, l.read_to, l.settled_to as watermark,"
            " l.mark_at as next_watermark, l.mark_xid as next_watermark_xid, l.looked_back_at as lookback_at, l.error_at"
            " from audiences.live_campaign l join audiences.campaign c on c.id = l.campaign_id where c.name = any(%(names)s)",
            {"names": list(names)},
        )
    )


def join(ledger: Ledger, newcomers: Sequence[Newcomer], *, now: datetime, next_xid: int) -> dict[str, ReadProgress]:
    """Begin to watch campaigns. Events and batches from an earlier time in which one was live are dropped."""
    names = [each.name for each in newcomers]
    with ledger.sql.transaction():
        known_campaigns.ensure(ledger, names)
        ledger.sql.execute(
            "insert into audiences.live_campaign"
            " (campaign_id, since, read_to, settled_to, mark_at, mark_xid, looked_back_at)"
            " select c.id, n.since, n.since, n.since, %(now)s, %(xid)s, n.since"
            " from unnest(%(name)s::text[], %(since)s::timestamptz[]) as n (name, since)"
            " join audiences.campaign c using (name) on conflict do nothing",
            {"now": now, "xid": next_xid, **as_arrays(newcomers)},
        )
        joined = progress(ledger, names)
        numbers = [each.campaign for each in joined.values()]
        live_batches.drop_all(ledger, numbers)
        live_events.drop_all(ledger, numbers)
    return joined


def forget_others(ledger: Ledger, names: Sequence[str], *, at: datetime) -> None:
    """Stop watching for every campaign but these; see `forget`."""
    gone = ledger.values(
        int,
        "select c.id from audiences.campaign c where c.name <> all(%(names)s) and"
        " (exists (select from audiences.live_campaign l where l.campaign_id = c.id)"
        " or exists (select from audiences.live_batch b where b.campaign_id = c.id and b.state = %(open)s))",
        {"names": list(names), "open": BatchState.OPEN},
    )
    forget(ledger, gone, at=at)


def forget(ledger: Ledger, campaigns: Sequence[int], *, at: datetime) -> None:
    """Stop watching for campaigns. What they were still waiting for is dropped.

    So is a batch that would have to be triggered again; one whose run is on its way may be exported.
    """
    if not campaigns:
        return
    with ledger.sql.transaction():
        ledger.sql.execute("delete from audiences.live_campaign where campaign_id = any(%s)", (list(campaigns),))
        dropped = live_batches.drop_offered(ledger, campaigns, at=at)
        live_events.drop(ledger, campaigns, batches=dropped)


def see(ledger: Ledger, seen: Sequence[SeenEvent], read: Sequence[ReadProgress], *, at: datetime) -> list[New]:
    """Record events not yet on record, and how far the campaigns have read now, in one transaction; those that are new."""
    with ledger.sql.transaction():
        new = live_events.record(ledger, seen, at=at)
        if read:
            ledger.sql.execute(
                "update audiences.live_campaign l set since = r.since, read_to = r.read_to, settled_to = r.watermark,"
                " mark_at = r.next_watermark, mark_xid = r.next_watermark_xid, looked_back_at = r.lookback_at,"
                " error = null, error_at = null"
                " from unnest(%(campaign)s::int[], %(since)s::timestamptz[], %(read_to)s::timestamptz[],"
                " %(watermark)s::timestamptz[], %(next_watermark)s::timestamptz[], %(next_watermark_xid)s::bigint[],"
                " %(lookback_at)s::timestamptz[])"
                " as r (campaign, since, read_to, watermark, next_watermark, next_watermark_xid, lookback_at)"
                " where l.campaign_id = r.campaign",
                as_arrays(read),
            )
    return new


def note_error(ledger: Ledger, campaigns: Sequence[int], error: str, *, at: datetime) -> None:
    """Record why a poll for these campaigns failed; a later one reads them from where they were."""
    ledger.sql.execute(
        "update audiences.live_campaign set error = %s, error_at = %s where campaign_id = any(%s)",
        (error, at, list(campaigns)),
    )

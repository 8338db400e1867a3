"""Live campaigns on record: how far each has read, which events it saw, and the batches in which they are exported.

An event is recorded once per campaign, whatever the number of times it is delivered or read; that and how far was read
are written in one transaction. A batch is open until a run has exported it; a campaign has one open batch at most.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from audiences.errors import WaitError
from audiences.ledger.own_session import unlocked
from audiences.sql import statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger

_LOCK = 0x_A0D1_11FE  # any constant of our own
_LOCK_WAIT = "10s"
NOT_BEGUN = timedelta(minutes=1)
"""A run that was triggered and has not begun by then may have been lost on the way; the next one waits twice as long."""
_MOST_DOUBLINGS = 6
SILENT = timedelta(minutes=30)
"""A run that began is taken for dead after this long without a word; a run of the same batch waits for it if it is not."""


@dataclass(eq=False)
class LiveBusyError(WaitError):
    """Another process is looking for live events."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign has read; see the columns of `live_campaign`."""

    campaign: int
    since: datetime
    read_to: datetime
    settled_to: datetime
    mark_at: datetime
    mark_xid: int
    looked_back_at: datetime
    error_at: datetime | None


@dataclass(frozen=True, slots=True)
class Seen:
    """An event that a campaign reacts to, as it goes on record."""

    campaign: int
    event_id: str
    user_id: str
    occurred_at: datetime
    arrived_at: datetime
    due_at: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A recorded event whose time has come."""

    campaign: int
    event_id: str
    user_id: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """A campaign that may form a batch: a user may enter `times` times, and not again after an entry later than `since`."""

    campaign: int
    times: int | None
    since: datetime | None


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
    state: str
    tries: int


@contextmanager
def looking(ledger: Ledger) -> Iterator[None]:
    """Be the only one who looks for events; a second process waits a moment, then gets LiveBusyError."""
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


def progress(ledger: Ledger, names: Sequence[str]) -> dict[str, Progress]:
    """How far each of the campaigns has read; those that were not live up to now are missing."""
    rows = ledger.all(
        "select c.name, l.campaign_id, l.since, l.read_to, l.settled_to, l.mark_at, l.mark_xid, l.looked_back_at, l.error_at"
        " from audiences.live_campaign l join audiences.campaign c on c.id = l.campaign_id where c.name = any(%(names)s)",
        {"names": list(names)},
    )
    return {row[0]: Progress(*row[1:]) for row in rows}


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A campaign that begins to watch, for events that came in from `since` on."""

    name: str
    since: datetime


def join(ledger: Ledger, newcomers: Sequence[Newcomer], *, now: datetime, next_xid: int) -> dict[str, Progress]:
    """Begin to watch for campaigns. What an earlier life of one left undone is dropped."""
    names = [each.name for each in newcomers]
    with ledger.sql.transaction():
        ledger.sql.execute(
            "insert into audiences.campaign (name) select * from unnest(%s::text[]) on conflict do nothing", (names,)
        )
        ledger.sql.execute(
            "insert into audiences.live_campaign"
            " (campaign_id, since, read_to, settled_to, mark_at, mark_xid, looked_back_at)"
            " select c.id, n.since, n.since, n.since, %(now)s, %(xid)s, n.since"
            " from unnest(%(name)s::text[], %(since)s::timestamptz[]) as n (name, since)"
            " join audiences.campaign c using (name) on conflict do nothing",
            {"now": now, "xid": next_xid, **_columns(newcomers)},
        )
        joined = progress(ledger, names)
        numbers = [each.campaign for each in joined.values()]
        ledger.sql.execute(
            "update audiences.live_batch set state = 'dropped' where state = 'open' and campaign_id = any(%s)",
            (numbers,),
        )
        ledger.sql.execute(
            "update audiences.live_event set state = 'dropped'"
            " where state in ('waiting', 'batched') and campaign_id = any(%s)",
            (numbers,),
        )
    return joined


def forget_others(ledger: Ledger, names: Sequence[str], *, at: datetime) -> None:
    """Stop watching for every campaign but these; see `forget`."""
    gone = ledger.all(
        "select c.id from audiences.campaign c where c.name <> all(%(names)s) and"
        " (exists (select from audiences.live_campaign l where l.campaign_id = c.id)"
        " or exists (select from audiences.live_batch b where b.campaign_id = c.id and b.state = 'open'))",
        {"names": list(names)},
    )
    forget(ledger, [row.id for row in gone], at=at)


def forget(ledger: Ledger, campaigns: Sequence[int], *, at: datetime) -> None:
    """Stop watching for campaigns. What they were still waiting for is dropped.

    So is a batch that would have to be triggered again; one whose run is on its way may be exported.
    """
    if not campaigns:
        return
    of_theirs = {"campaigns": list(campaigns), "at": at}
    with ledger.sql.transaction():
        ledger.sql.execute("delete from audiences.live_campaign where campaign_id = any(%(campaigns)s)", of_theirs)
        ledger.sql.execute(
            "with dropped as (update audiences.live_batch set state = 'dropped'"
            " where state = 'open' and offer_at <= %(at)s and campaign_id = any(%(campaigns)s) returning id)"
            " update audiences.live_event set state = 'dropped' where campaign_id = any(%(campaigns)s)"
            " and (state = 'waiting' or state = 'batched' and batch_id in (select id from dropped))",
            of_theirs,
        )


def see(ledger: Ledger, seen: Sequence[Seen], read: Sequence[Progress], *, at: datetime) -> list[Any]:
    """Record events not yet on record, and how far the campaigns have read now, in one transaction.

    Gives `campaign_id`, `event_id`, `late` of those that are new.
    """
    with ledger.sql.transaction():
        new: list[Any] = []
        if seen:
            new = ledger.all(
                "insert into audiences.live_event"
                " (campaign_id, event_id, user_id, occurred_at, arrived_at, seen_at, due_at, state)"
                " select campaign, event_id, user_id, occurred_at, arrived_at, %(at)s, due_at,"
                " case when late then 'late' else 'waiting' end"
                " from unnest(%(campaign)s::int[], %(event_id)s::text[], %(user_id)s::text[], %(occurred_at)s::timestamptz[],"
                " %(arrived_at)s::timestamptz[], %(due_at)s::timestamptz[], %(late)s::bool[])"
                " as s (campaign, event_id, user_id, occurred_at, arrived_at, due_at, late)"
                " on conflict do nothing returning campaign_id, event_id, state = 'late' as late",
                {"at": at, **_columns(seen)},
            )
        if read:
            ledger.sql.execute(
                "update audiences.live_campaign l set since = r.since, read_to = r.read_to, settled_to = r.settled_to,"
                " mark_at = r.mark_at, mark_xid = r.mark_xid, looked_back_at = r.looked_back_at, error = null, error_at = null"
                " from unnest(%(campaign)s::int[], %(since)s::timestamptz[], %(read_to)s::timestamptz[],"
                " %(settled_to)s::timestamptz[], %(mark_at)s::timestamptz[], %(mark_xid)s::bigint[],"
                " %(looked_back_at)s::timestamptz[])"
                " as r (campaign, since, read_to, settled_to, mark_at, mark_xid, looked_back_at)"
                " where l.campaign_id = r.campaign",
                _columns(read),
            )
    return new


def note_error(ledger: Ledger, campaigns: Sequence[int], error: str, *, at: datetime) -> None:
    """Record why a look for these campaigns failed; they are read from where they were, later on."""
    ledger.sql.execute(
        "update audiences.live_campaign set error = %s, error_at = %s where campaign_id = any(%s)",
        (error, at, list(campaigns)),
    )


def without_batch(ledger: Ledger, campaigns: Sequence[int], *, at: datetime) -> list[int]:
    """Those of the campaigns that have events which are due, and no open batch that would have to go first."""
    rows = ledger.all(
        "select campaign_id from unnest(%(campaigns)s::int[]) as c (campaign_id)"
        " where exists (select from audiences.live_event e"
        " where e.campaign_id = c.campaign_id and e.state = 'waiting' and e.due_at <= %(at)s)"
        " and not exists (select from audiences.live_batch b where b.campaign_id = c.campaign_id and b.state = 'open')",
        {"campaigns": list(campaigns), "at": at},
    )
    return [row.campaign_id for row in rows]


def due(ledger: Ledger, campaigns: Sequence[int], *, at: datetime) -> list[Due]:
    """The waiting events of the campaigns that are due."""
    rows = ledger.all(
        "select campaign_id, event_id, user_id, occurred_at from audiences.live_event"
        " where state = 'waiting' and due_at <= %(at)s and campaign_id = any(%(campaigns)s)"
        " order by campaign_id, event_id",
        {"at": at, "campaigns": list(campaigns)},
    )
    return [Due(*row) for row in rows]


def form(ledger: Ledger, terms: Sequence[Terms], excluded: Sequence[Due], *, at: datetime) -> list[Any]:
    """Settle the excluded events and turn the rest of what is due into batches; see `include/sql/live/form.sql`.

    A batch also takes the events of its campaign that were decided since the last one, so that its counts tell all.
    """
    with ledger.sql.transaction():
        set_aside(ledger, excluded, state="excluded")
        formed = ledger.all(statement("live/form"), {"at": at, **_columns(terms, campaign="campaigns")})
        if batches := [row.batch_id for row in formed if row.batch_id is not None]:
            ledger.sql.execute(
                "update audiences.live_event e set batch_id = b.id from audiences.live_batch b"
                " where b.id = any(%s) and e.campaign_id = b.campaign_id and e.batch_id is null"
                " and e.state in ('excluded', 'limited', 'late', 'dropped')",
                (batches,),
            )
    return formed


def set_aside(ledger: Ledger, events: Sequence[Due], *, state: str) -> None:
    """Decide waiting events without exporting them."""
    if events:
        ledger.sql.execute(
            "update audiences.live_event e set state = %(state)s"
            " from unnest(%(campaign)s::int[], %(event_id)s::text[]) as s (campaign, event_id)"
            " where e.campaign_id = s.campaign and e.event_id = s.event_id and e.state = 'waiting'",
            {"state": state, **_columns(events)},
        )


def offer(ledger: Ledger, campaigns: Sequence[int], *, at: datetime) -> list[Batch]:
    """The open batches of the campaigns for which a run is to be triggered now; each counts as tried with that."""
    rows = ledger.all(
        "update audiences.live_batch set tries = tries + 1,"
        " offer_at = %(at)s + %(patience)s * power(2, least(tries, %(most)s))"
        " where state = 'open' and offer_at <= %(at)s and campaign_id = any(%(campaigns)s) returning id",
        {"at": at, "patience": NOT_BEGUN, "most": _MOST_DOUBLINGS, "campaigns": list(campaigns)},
    )
    numbers = [row.id for row in rows]
    return [
        Batch(*row) for row in ledger.all(f"{_BATCH} where b.id = any(%(numbers)s) order by b.id", {"numbers": numbers})
    ]


_BATCH = (
    "select b.id, c.name, b.formed_at, b.events, b.users, b.first_event, b.last_event, b.last_due, b.state, b.tries"
    " from audiences.live_batch b join audiences.campaign c on c.id = b.campaign_id"
)


def batch(ledger: Ledger, number: int, campaign: str) -> Batch | None:
    """The campaign's batch of that number, None when it has none."""
    row = ledger.one(
        f"{_BATCH} where b.id = %(number)s and c.name = %(campaign)s", {"number": number, "campaign": campaign}
    )
    return Batch(*row) if row else None


def open_batch(ledger: Ledger, campaign: str) -> Batch | None:
    """The batch that the campaign has to export first, None when there is none."""
    row = ledger.one(f"{_BATCH} where c.name = %(campaign)s and b.state = 'open'", {"campaign": campaign})
    return Batch(*row) if row else None


def postpone(ledger: Ledger, number: int, *, until: datetime, error: str | None = None) -> bool:
    """Trigger no other run of the batch before then; False when it is not open any more."""
    done = ledger.sql.execute(
        "update audiences.live_batch set offer_at = %s, error = %s where id = %s and state = 'open'",
        (until, error, number),
    )
    return done.rowcount == 1


def users(ledger: Ledger, number: int) -> list[str]:
    """Whom the batch is about."""
    rows = ledger.all(
        "select distinct user_id from audiences.live_event"
        " where batch_id = %(number)s and state in ('batched', 'exported', 'not_qualified') order by user_id",
        {"number": number},
    )
    return [row.user_id for row in rows]


def note_qualified(ledger: Ledger, number: int, qualified: Sequence[str]) -> None:
    """Record who of the batch still qualifies."""
    ledger.sql.execute(
        "update audiences.live_event set qualified = user_id = any(%s) where batch_id = %s", (list(qualified), number)
    )


def finish(ledger: Ledger, number: int, *, run: int) -> None:
    """Record that the run has exported the batch, and what became of its events."""
    with ledger.sql.transaction():
        ledger.sql.execute(
            "update audiences.live_event set state = case when qualified then 'exported' else 'not_qualified' end"
            " where batch_id = %s and state = 'batched'",
            (number,),
        )
        ledger.sql.execute(
            "update audiences.live_batch set state = 'exported', run_id = %s, error = null, exported_at = now()"
            " where id = %s and state = 'open'",
            (run, number),
        )


def counts(ledger: Ledger, number: int) -> dict[str, int]:
    """The events of a batch by their state."""
    rows = ledger.all(
        "select state, count(*)::int as n from audiences.live_event where batch_id = %(number)s group by state order by state",
        {"number": number},
    )
    return {row.state: row.n for row in rows}


def events(ledger: Ledger, campaign: str) -> dict[str, int]:
    """All events of a campaign by their state."""
    rows = ledger.all(
        "select e.state, count(*)::int as n from audiences.live_event e join audiences.campaign c on c.id = e.campaign_id"
        " where c.name = %(campaign)s group by e.state order by e.state",
        {"campaign": campaign},
    )
    return {row.state: row.n for row in rows}


_SHOWN = 20


def of_user(ledger: Ledger, campaign: int, user: str) -> list[Any]:
    """The user's last events in a live campaign, the oldest first, each with the run that exported its batch."""
    rows = ledger.all(
        "select e.event_id, e.occurred_at, e.due_at, e.state, b.run_id from audiences.live_event e"
        " left join audiences.live_batch b on b.id = e.batch_id and e.state in ('exported', 'not_qualified')"
        " where e.campaign_id = %(campaign)s and e.user_id = %(user)s order by e.occurred_at desc limit %(shown)s",
        {"campaign": campaign, "user": user, "shown": _SHOWN},
    )
    return rows[::-1]


def _columns(rows: Sequence[Any], **renamed: str) -> dict[str, list[Any]]:
    """The fields of dataclasses as arrays."""
    names = type(rows[0]).__dataclass_fields__
    return {renamed.get(name, name): [getattr(row, name) for row in rows] for name in names}

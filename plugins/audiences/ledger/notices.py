"""What people are told of: raised when it comes to hold, delivered once by each way, over when it holds no more.

A notice that was raised stays to be delivered until somebody has taken it, or until what it tells of is over and nobody heard of
it. Whoever delivers it takes it first, so that two processes do not both send it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from audiences.campaign.notify import WORTH_TELLING
from audiences.notices.notice import Notice
from audiences.notices.what_holds import ENDED_BY_SUCCESS, EVENTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from audiences.campaign.notify import Condition
    from audiences.ledger.database import Ledger
    from audiences.notices.notice import Kind

LEASE: Final = timedelta(minutes=5)
"""Whoever took a notice and has said nothing by then has died; another process may deliver it. So delivering one by all ways must
take clearly less: `LONGEST_DELIVERY`."""
LONGEST_DELIVERY: Final = LEASE * 3 / 5
"""For all ways of one notice together. The senders keep to it; nothing else bounds them."""
FADES_AFTER: Final = timedelta(days=7)
"""A size that changed so long ago, and of which nobody could be told, is no news any more."""

_DUE: Final = "n.over_at is null and (n.sent_at is null or n.undelivered <> '{}')"
# What has happened, and does not stand: it is not over before it was told. A task that failed on a day is of this kind as well.
_HAPPENED: Final = "(n.kind = 'dag' or n.condition = any(%(events)s))"


@dataclass(frozen=True, slots=True)
class WaitingNotice:
    """A notice that is to be delivered: its number, and by whose settings."""

    id: int
    kind: Kind
    subject: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class TakenNotice:
    """A notice in the hands of this process. `ways` are those by which it is missing; None: it was not delivered by any."""

    id: int
    notice: Notice
    ways: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class OpenNotice:
    """A notice that is not over. `undelivered`: ways by which it could not be delivered, each with the reason."""

    kind: Kind
    subject: str
    condition: Condition
    title: str
    reason: str
    remedy: str
    raised_at: datetime
    sent_at: datetime | None
    undelivered: Mapping[str, str]


def put(ledger: Ledger, notice: Notice, *, at: datetime) -> int | None:
    """Put on record what holds; its number where it is to be delivered, None where it has been."""
    return ledger.value(
        int,
        """
        insert into audiences.notice as n (kind, subject, condition, what, title, reason, remedy, link, raised_at)
        values (%(kind)s, %(subject)s, %(condition)s, %(what)s, %(title)s, %(reason)s, %(remedy)s, %(link)s, %(at)s)
        on conflict (kind, subject, condition, what) where over_at is null do update
            set title = excluded.title, reason = excluded.reason, remedy = excluded.remedy, link = excluded.link
            where n.sent_at is null or n.undelivered <> '{}'
        returning id
        """,
        {
            "kind": notice.kind,
            "subject": notice.subject,
            "condition": notice.condition,
            "what": notice.what,
            "title": notice.title,
            "reason": notice.reason,
            "remedy": notice.remedy,
            "link": notice.link,
            "at": at,
        },
    )


def take(ledger: Ledger, number: int, *, at: datetime) -> TakenNotice | None:
    """Take a notice to deliver it; None where that is done or not needed any more, or while another process has it."""

    def taken(
        kind: Kind,
        subject: str,
        condition: Condition,
        what: str,
        title: str,
        reason: str,
        remedy: str,
        link: str | None,
        told: bool,
        undelivered: Mapping[str, str],
    ) -> TakenNotice:
        notice = Notice(kind, condition, subject, what, title, reason, remedy, link)
        return TakenNotice(number, notice, frozenset(undelivered) if told else None)

    return ledger.row(
        taken,
        f"""
        update audiences.notice n set claimed_at = %(at)s
        where n.id = %(number)s and {_DUE} and (n.claimed_at is null or n.claimed_at < %(at)s - %(lease)s)
        returning n.kind, n.subject, n.condition, n.what, n.title, n.reason, n.remedy, n.link, n.sent_at is not null as told,
            n.undelivered
        """,  # noqa: S608  # a constant is put in
        {"number": number, "at": at, "lease": LEASE},
    )


def put_back(ledger: Ledger, number: int, *, delivered: bool, undelivered: Mapping[str, str], at: datetime) -> None:
    """Say what came of a delivery: whether anybody took it, and by which ways nobody did, with the reasons."""
    from psycopg.types.json import Json

    ledger.sql.execute(
        """
        update audiences.notice set claimed_at = null, undelivered = %(undelivered)s,
            sent_at = case when %(delivered)s then coalesce(sent_at, %(at)s) else sent_at end
        where id = %(number)s
        """,
        {"number": number, "delivered": delivered, "undelivered": Json(dict(undelivered)), "at": at},
    )


def end_others(
    ledger: Ledger, kind: Kind, subject: str, *, held: Collection[tuple[str, str]], at: datetime
) -> list[int]:
    """End what is on record of a subject and holds no more, and give its numbers; `held`: condition and `what` of what does hold.

    What has happened and could not be told stays to be told; of a recovery it is enough that somebody was.
    """
    return ledger.values(
        int,
        f"""
        update audiences.notice n set over_at = %(at)s
        where n.kind = %(kind)s and n.subject = %(subject)s and n.over_at is null and (n.condition, n.what) not in
            (select * from unnest(%(conditions)s::text[], %(whats)s::text[]))
            and not ({_HAPPENED} and (n.sent_at is null or (n.undelivered <> '{{}}' and n.condition <> 'recovered')))
        returning n.id
        """,  # noqa: S608  # a constant is put in
        {
            "kind": kind,
            "subject": subject,
            "conditions": [condition for condition, _ in held],
            "whats": [what for _, what in held],
            "events": list(EVENTS),
            "at": at,
        },
    )


def recovered_from(ledger: Ledger, campaign: str, *, ended: Collection[int], at: datetime) -> list[str]:
    """What a campaign has recovered from, of which people have heard, and of whose end they have not.

    That is what has just `ended`, by numbers, and, while an earlier recovery could not be told, all that was over since then.
    What is just being delivered counts as heard of.
    """
    return ledger.values(
        str,
        """
        select distinct n.condition from audiences.notice n
        where n.kind = 'campaign' and n.subject = %(campaign)s and n.condition = any(%(worth)s)
          and (n.sent_at is not null or n.claimed_at >= %(at)s - %(lease)s)
          and (n.id = any(%(ended)s) or n.over_at >= (
            select r.raised_at from audiences.notice r
            where r.kind = 'campaign' and r.subject = %(campaign)s and r.condition = 'recovered'
              and r.over_at is null and r.sent_at is null
          ))
        order by 1
        """,
        {"campaign": campaign, "worth": list(WORTH_TELLING), "ended": list(ended), "lease": LEASE, "at": at},
    )


def waiting(ledger: Ledger, *, kind: Kind | None = None, subject: str | None = None) -> list[WaitingNotice]:
    """What is to be delivered, of everything or of one subject, the oldest first.

    A recovery waits while the campaign fails again: it would not be true.
    """
    return ledger.rows(
        WaitingNotice,
        f"""
        select n.id, n.kind, n.subject, n.condition from audiences.notice n
        where {_DUE} and (%(kind)s::text is null or n.kind = %(kind)s) and (%(subject)s::text is null or n.subject = %(subject)s)
          and not (n.condition = 'recovered' and exists (
            select from audiences.notice f where f.kind = n.kind and f.subject = n.subject and f.over_at is null
              and f.condition = any(%(failing)s)
          ))
        order by n.raised_at, n.id
        """,  # noqa: S608  # a constant is put in
        {"kind": kind, "subject": subject, "failing": list(ENDED_BY_SUCCESS)},
    )


def unwanted(ledger: Ledger, number: int, *, at: datetime) -> None:
    """End a notice that nobody is to be told of any more."""
    ledger.sql.execute("update audiences.notice set over_at = %s where id = %s and over_at is null", (at, number))


def end_what_nobody_awaits(
    ledger: Ledger, *, running: Collection[str], known: Collection[str], accounts: Collection[str], at: datetime
) -> None:
    """End what no run and no daily check would ever end.

    That is what stands of a campaign that is not `running`, everything of one that is not `known` (its file is gone) and of ad
    accounts other than `accounts`; a failure of one of the project's own tasks, once it was told and a day is over; and a size
    that changed long ago.
    """
    ledger.sql.execute(
        f"""
        update audiences.notice n set over_at = %(at)s
        where n.over_at is null and (
            (n.kind = 'campaign' and n.subject <> all(%(running)s) and not {_HAPPENED})
            or (n.kind = 'campaign' and n.subject <> all(%(known)s))
            or (n.kind = 'ad_account' and n.subject <> all(%(accounts)s))
            or (n.kind = 'dag' and n.sent_at is not null and n.undelivered = '{{}}'
                and n.raised_at < %(at)s - interval '20 hours')
            or ((n.kind = 'dag' or n.condition = 'size_changed') and n.raised_at < %(at)s - %(fades)s)
        )
        """.encode(),  # noqa: S608  # a constant is put in
        {
            "running": list(running),
            "known": list(known),
            "accounts": list(accounts),
            "events": list(EVENTS),
            "fades": FADES_AFTER,
            "at": at,
        },
    )


def rename(ledger: Ledger, was: str, name: str) -> None:
    """Let the notices of a campaign go on under its new name, in the transaction of the caller.

    Of what is open under both names the new one's is kept.
    """
    names = {"was": was, "name": name}
    ledger.sql.execute(
        """
        update audiences.notice n set over_at = now()
        where kind = 'campaign' and subject = %(was)s and over_at is null and exists (
            select from audiences.notice o
            where o.kind = 'campaign' and o.subject = %(name)s and o.over_at is null
              and (o.condition, o.what) = (n.condition, n.what)
        )
        """,
        names,
    )
    ledger.sql.execute(
        "update audiences.notice set subject = %(name)s where kind = 'campaign' and subject = %(was)s", names
    )


def open_ones(ledger: Ledger) -> list[OpenNotice]:
    """What stands open now, and what has happened and could not be told; the newest first, what could not be told before it."""
    return ledger.rows(
        OpenNotice,
        f"""
        select n.kind, n.subject, n.condition, n.title, n.reason, n.remedy, n.raised_at, n.sent_at, n.undelivered
        from audiences.notice n
        where n.over_at is null and (n.sent_at is null or n.undelivered <> '{{}}' or not {_HAPPENED})
        order by (n.sent_at is null or n.undelivered <> '{{}}') desc, n.raised_at desc, n.id desc
        """,  # noqa: S608  # a constant is put in
        {"events": list(EVENTS)},
    )

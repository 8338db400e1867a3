"""When the members of an audience changed at Facebook, by its own account and by ours; why it may not hold those on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.ledger.chunk_states import RequestState
from audiences.ledger.replace_sessions import OF_UNKNOWN_FATE, SessionState

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger

_SESSIONS = {"ended": SessionState.ENDED, "unknown_fate": list(OF_UNKNOWN_FATE)}


@dataclass(frozen=True, slots=True)
class Content:
    """What is on record of an audience's changes; all times are Unix seconds of Facebook's clock, None for never.

    `seen` is when, as Facebook told at our last check, its members had last changed; `filling`: it was still at work on our last
    upload then. `answered` is the last answer to a request of ours, `unanswered` when the last one left that has no answer
    yet, `opened` when the last replace began of whose end nothing is known.
    """

    seen: int | None
    filling: bool
    answered: float | None
    unanswered: float | None
    opened: float | None


def known(ledger: Ledger, audience: int, *, ahead: float | None = None) -> Content:
    """What is on record; requests are put into Facebook's time by how far its clock is `ahead`, or was at our last check."""
    found = ledger.row(
        Content,
        """
        with healed as (
            select coalesce(max(id), 0) as session from audiences.upload_session
            where audience_id = %(audience)s and state = %(ended)s
        ),
        clock as (
            select coalesce(%(ahead)s, facebook_ahead, 0)::float8 as ahead from audiences.audience where id = %(audience)s
        )
        select a.content_seen as seen, a.content_filling as filling,
            clock.ahead + (
                select extract(epoch from max(acknowledged_at)) from audiences.chunk where audience_id = a.id
            )::float8 as answered,
            clock.ahead + (
                select extract(epoch from max(sent_at)) from audiences.chunk
                where audience_id = a.id and (state = %(sending)s or doubtful)
            )::float8 as unanswered,
            clock.ahead + (
                select extract(epoch from max(opened_at)) from audiences.upload_session s, healed
                where s.audience_id = a.id and s.state = any(%(unknown_fate)s) and s.id > healed.session
            )::float8 as opened
        from audiences.audience a, clock where a.id = %(audience)s
        """,
        {"audience": audience, "ahead": ahead, "sending": RequestState.SENDING, **_SESSIONS},
    )
    return found or Content(seen=None, filling=True, answered=None, unanswered=None, opened=None)


def of_account(ledger: Ledger, ad_account: str) -> dict[str, int]:
    """The ledger's numbers of the audiences that it knows in an ad account, by Facebook's id."""

    def pair(facebook_id: str, id: int) -> tuple[str, int]:  # the column's name
        return facebook_id, id

    return dict(
        ledger.rows(
            pair,
            "select facebook_id, id from audiences.audience where ad_account = %(account)s",
            {"account": ad_account},
        )
    )


def saw(
    ledger: Ledger, audience: int, *, changed: int | None, asked_at: int | None, filling: bool, why_in_doubt: str | None
) -> None:
    """Record in one statement what Facebook said of an audience, and why that puts it in doubt, if it does.

    `changed` is when its members last changed, `asked_at` what its clock showed.
    """
    ledger.sql.execute(
        """
        update audiences.audience set
            content_seen = greatest(content_seen, %(changed)s::bigint),
            content_filling = %(filling)s,
            facebook_ahead = coalesce(%(asked_at)s - extract(epoch from clock_timestamp()), facebook_ahead),
            in_doubt = coalesce(in_doubt, %(doubt)s),
            in_doubt_since = case when %(doubt)s::text is null then in_doubt_since else clock_timestamp() end
        where id = %(audience)s
        """,
        {"audience": audience, "changed": changed, "asked_at": asked_at, "filling": filling, "doubt": why_in_doubt},
    )


def why_in_doubt(ledger: Ledger, audience: int) -> str | None:
    """Why it is not known whom the audience holds at Facebook, as a clause for people; None when it is known."""
    return ledger.value(
        str,
        """
        with healed as (
            select max(s.id) as session, greatest(max(s.opened_at), max(a.confirmed_at)) as at, max(a.confirmed_at) as confirmed
            from audiences.audience a
            left join audiences.upload_session s on s.audience_id = a.id and s.state = %(ended)s
            where a.id = %(audience)s
        )
        select coalesce(
            (select in_doubt from audiences.audience where id = %(audience)s),
            (select 'a replace of it broke off' from audiences.upload_session s, healed
             where s.audience_id = %(audience)s and s.state = any(%(unknown_fate)s) and s.id > coalesce(healed.session, 0)
               and s.opened_at > coalesce(healed.confirmed, '-infinity') limit 1),
            (select 'the rows of a request are lost that may have been carried out' from audiences.chunk c, healed
             where c.audience_id = %(audience)s and c.state = %(lost)s and c.sent_at > coalesce(healed.at, '-infinity') limit 1)
        ) as reason
        """,
        {"audience": audience, "lost": RequestState.LOST, **_SESSIONS},
    )


@dataclass(frozen=True, slots=True)
class Doubt:
    """An audience, by the ledger's number, and why it is not known whom it holds at Facebook."""

    audience: int
    reason: str


def doubts(ledger: Ledger) -> dict[int, str]:
    """The same for all audiences that are still at Facebook: the reasons by the ledger's number.

    Not of one that a run holds right now: that its set is half replaced is how a replace goes, and the run sees to older doubts.
    """
    found = ledger.rows(Doubt, DOUBTS, _SESSIONS)
    return {each.audience: each.reason for each in found}


DOUBTS = """
with healed as (
    select a.id as audience, a.in_doubt, max(s.id) as session, max(a.confirmed_at) as confirmed,
        greatest(max(s.opened_at), max(a.confirmed_at)) as at
    from audiences.audience a
    left join audiences.upload_session s on s.audience_id = a.id and s.state = %(ended)s
    where a.deleted_at is null and (a.busy_until is null or a.busy_until <= now()) group by a.id
),
found as (
    select h.audience, coalesce(
        h.in_doubt,
        (select 'a replace of it broke off' from audiences.upload_session s
         where s.audience_id = h.audience and s.state = any(%(unknown_fate)s) and s.id > coalesce(h.session, 0)
           and s.opened_at > coalesce(h.confirmed, '-infinity') limit 1),
        (select 'the rows of a request are lost that may have been carried out' from audiences.chunk c
         where c.audience_id = h.audience and c.state = 'lost' and c.sent_at > coalesce(h.at, '-infinity') limit 1)
    ) as reason
    from healed h
)
select audience, reason from found where reason is not null order by audience
"""

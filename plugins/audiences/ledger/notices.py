"""What people are told of, each once: a notice is claimed before it is sent, so that two processes do not both send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from audiences.ledger.database import Ledger

LEASE = "5 minutes"
"""Whoever claimed a notice and has not sent it by then has died, or could not; the next one to raise it tries again."""


def claim(
    ledger: Ledger, *, subject: str, condition: str, what: str, title: str, reason: str, remedy: str, at: datetime
) -> int | None:
    """Put a condition on record that holds; the number by which it is to be sent, None where it was sent, or is being sent."""
    return ledger.value(
        int,
        f"""
        insert into audiences.notice as n (subject, condition, what, title, reason, remedy, raised_at, claimed_at)
        values (%(subject)s, %(condition)s, %(what)s, %(title)s, %(reason)s, %(remedy)s, %(at)s, %(at)s)
        on conflict (subject, condition, what) where over_at is null do update
            set claimed_at = excluded.claimed_at, title = excluded.title, reason = excluded.reason, remedy = excluded.remedy
            where n.sent_at is null and n.claimed_at < excluded.claimed_at - interval '{LEASE}'
        returning id
        """,  # noqa: S608  # a constant is put in
        {
            "subject": subject,
            "condition": condition,
            "what": what,
            "title": title,
            "reason": reason,
            "remedy": remedy,
            "at": at,
        },
    )


def sent(ledger: Ledger, notice: int, *, at: datetime) -> None:
    """At least one receiver has it."""
    ledger.sql.execute("update audiences.notice set sent_at = %s where id = %s", (at, notice))


def end_others(ledger: Ledger, *, subject: str, held: Collection[tuple[str, str]], at: datetime) -> list[str]:
    """End what was on record of a subject and does not hold any more; gives the conditions of those that were sent.

    `held`: condition and `what` of those that still hold.
    """
    return ledger.values(
        str,
        """
        update audiences.notice set over_at = %(at)s
        where subject = %(subject)s and over_at is null and (condition, what) not in
            (select * from unnest(%(conditions)s::text[], %(whats)s::text[]))
        returning case when sent_at is not null then condition end
        """,
        {
            "subject": subject,
            "conditions": [condition for condition, _ in held],
            "whats": [what for _, what in held],
            "at": at,
        },
    )

"""Audiences in doubt: it is not known whether Facebook holds the members on record; since when, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger


def begin(ledger: Ledger, audience: int, reason: str) -> None:
    """Record that the members on record may not be those at Facebook; `reason` is a sentence for people. The first one stands."""
    ledger.sql.execute(
        "update audiences.audience set in_doubt = coalesce(in_doubt, %s), in_doubt_since = clock_timestamp() where id = %s",
        (reason, audience),
    )


def begin_for_all(ledger: Ledger, reason: str) -> None:
    """Put every audience in doubt that is still at Facebook."""
    ledger.sql.execute(
        "update audiences.audience set in_doubt = coalesce(in_doubt, %s), in_doubt_since = clock_timestamp()"
        " where deleted_at is null",
        (reason,),
    )


def holds(ledger: Ledger, audience: int) -> bool:
    """Whether Facebook's account of the audience, or a person, has put it in doubt; not an upload of ours that broke."""
    return ledger.holds("select in_doubt is not null from audiences.audience where id = %(id)s", {"id": audience})


def end(ledger: Ledger, audience: int) -> None:
    """Record that the members on record are taken for those at Facebook from now on: a person says so, or all was sent again."""
    ledger.sql.execute(
        "update audiences.audience set in_doubt = null, in_doubt_since = null, confirmed_at = clock_timestamp() where id = %s",
        (audience,),
    )


def end_by_session(ledger: Ledger, audience: int, *, session: int) -> None:
    """In the transaction of the caller: whatever was in doubt, the audience holds the set of this replace session now.

    Unless the doubt is younger than the session, as with one that a restored ledger takes for open and that ended long ago.
    """
    ledger.sql.execute(
        "update audiences.audience set in_doubt = null, in_doubt_since = null where id = %s"
        " and in_doubt_since <= (select opened_at from audiences.upload_session where id = %s)",
        (audience, session),
    )

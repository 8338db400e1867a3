"""Revisions of an audience: how often its memberships have changed, and what is known of them at the newest one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audiences.errors import RetryError

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger

# `since` stays while one run goes on changing them, and is moved by every other.
_CHANGED: Final = """
insert into audiences.audience_revision as known (audience_id, revision, run_id)
select id, 1, {run} from audiences.audience where {which}
on conflict (audience_id) do update set revision = known.revision + 1, run_id = excluded.run_id,
    since = case when known.run_id = excluded.run_id then known.since else known.revision end{counted_on}
"""
# Where the number was known before. It is taken from what was written, so that it is what counting would find.
_COUNTED_ON: Final = """,
    memberships = known.memberships + {more},
    memberships_at = case when known.memberships_at = known.revision then known.revision + 1 end"""


@dataclass(frozen=True, slots=True)
class Holding:
    """What all campaigns together hold in an audience: memberships, and how many different rows they have."""

    memberships: int
    rows: int


@dataclass(eq=False)
class ChangedSinceComparedError(RetryError):
    """Memberships of an audience have changed since they were compared, so that the comparison does not hold."""

    compared_at: int
    now: int

    def __str__(self) -> str:
        return (
            "the members of the audience have changed on record since they were compared with whom the campaign wants "
            f"(revision {self.compared_at}, by now {self.now}). Nothing was sent; what is to be sent is worked out anew"
        )


def changed(ledger: Ledger, *, audience: int, run: int, more: int) -> None:
    """In the caller's transaction: the run has changed memberships of the audience, which has so many more now, or fewer."""
    counted_on = _COUNTED_ON.format(more=int(more))
    ledger.sql.execute(_CHANGED.format(run=int(run), which=f"id = {int(audience)}", counted_on=counted_on).encode())


def changed_by_no_run(ledger: Ledger, audience: int | None = None) -> None:
    """The memberships of the audience, or of all, have changed in another way; in the caller's transaction, if there is one."""
    which = "true" if audience is None else f"id = {int(audience)}"
    ledger.sql.execute(_CHANGED.format(run="null", which=which, counted_on="").encode())


def newest(ledger: Ledger, audience: int) -> int:
    """The revision of the audience as it is now."""
    return ledger.number(
        "select revision from audiences.audience_revision where audience_id = %(audience)s", {"audience": audience}
    )


def ensure_newest(ledger: Ledger, audience: int, revision: int) -> None:
    """Raise ChangedSinceComparedError when the audience has another revision by now."""
    now = newest(ledger, audience)
    if now != revision:
        raise ChangedSinceComparedError(compared_at=revision, now=now)


def only_by(ledger: Ledger, audience: int, *, run: int, since: int) -> int | None:
    """The newest revision, if since that one nobody but the run has changed memberships; else None.

    One that is older than that is of a server that broke down meanwhile: it counts anew, and nobody knows who was there before.
    """
    return ledger.value(
        int,
        "select coalesce(max(revision), 0) from audiences.audience_revision where audience_id = %(audience)s"
        " having coalesce(max(revision), 0) = %(since)s or bool_or(run_id = %(run)s and since <= %(since)s"
        " and revision >= %(since)s)",
        {"audience": audience, "run": run, "since": since},
    )


def counted(ledger: Ledger, audience: int) -> Holding | None:
    """What is held in the audience now, where it is known without counting."""
    return ledger.row(
        Holding,
        "select memberships, rows from audiences.audience_revision where audience_id = %(audience)s and counted_at = revision",
        {"audience": audience},
    )


def memberships(ledger: Ledger, audience: int) -> int | None:
    """How many memberships of all campaigns there are in the audience now, where that is known without counting."""
    return ledger.value(
        int,
        "select memberships from audiences.audience_revision where audience_id = %(audience)s and memberships_at = revision",
        {"audience": audience},
    )


def count(ledger: Ledger, audience: int, *, at: int, holding: Holding) -> None:
    """Note what is held in the audience at that revision; nothing, if it is not the newest any more."""
    ledger.sql.execute(
        "insert into audiences.audience_revision as known (audience_id, counted_at, memberships_at, memberships, rows)"
        " select id, 0, 0, %(memberships)s, %(rows)s from audiences.audience where id = %(audience)s"
        " on conflict (audience_id) do update set counted_at = known.revision, memberships_at = known.revision,"
        " memberships = excluded.memberships, rows = excluded.rows where known.revision = %(at)s",
        {"audience": audience, "at": at, "memberships": holding.memberships, "rows": holding.rows},
    )

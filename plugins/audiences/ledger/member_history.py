"""Who was in which audience by our doing, and when: the history of users' memberships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.ledger.members import PAIRS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from audiences.ledger.database import Ledger

# Two halves, each with an index of its own; the current ones are found campaign by campaign.
HISTORY = """
select c.name as campaign, m.present, m.added_run, a.assigned_at as added_at, m.removed_run, r.assigned_at as removed_at
from (
    select now.*
    from audiences.campaign k join audiences.member now on now.campaign_id = k.id
    where now.audience_id = %(audience)s and now.user_id = %(user)s and now.removed_run is null
    union all
    select * from audiences.member
    where audience_id = %(audience)s and user_id = %(user)s and removed_run is not null
) m
join audiences.campaign c on c.id = m.campaign_id
join audiences.run a on a.id = m.added_run
left join audiences.run r on r.id = m.removed_run
order by m.added_run, m.removed_run nulls last, c.name
"""

# Where the memberships of users are, in two halves, each found by an index of its own.
_PLACES = (
    PAIRS  # noqa: S608  # our own text, put together of two
    + """
select now.place from pairs p cross join unnest(%(users)s::text[]) asked (user_id) cross join lateral (
    select m.ctid as place from audiences.member m
    where m.audience_id = p.audience_id and m.campaign_id = p.campaign_id and m.user_id = asked.user_id collate "C"
      and m.removed_run is null
    offset 0
) now
union all
select ctid from audiences.member where user_id = any(%(users)s) and removed_run is not null
"""
)
IS_OF_USERS = f"ctid = any(array({_PLACES}))"
"""That a membership is one of `users`, in any audience; so these are found however many others there are."""
OF_USERS = f"""
select m.user_id as user, m.audience_id as audience, c.name as campaign, m.present, m.added_run, a.assigned_at as added_at,
    m.removed_run, r.assigned_at as removed_at
from (select * from audiences.member where {IS_OF_USERS}) m
join audiences.campaign c on c.id = m.campaign_id
join audiences.run a on a.id = m.added_run
left join audiences.run r on r.id = m.removed_run
order by m.user_id, m.audience_id, m.added_run, m.removed_run nulls last, c.name
"""  # noqa: S608  # our own text, put together


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's membership by the doing of a campaign: number and time of the run that began it and of the one that ended it.

    The latter are None while it lasts. Not `present`: the campaign had the user taken out (`remove_matching`).
    """

    campaign: str
    present: bool
    added_run: int
    added_at: datetime
    removed_run: int | None
    removed_at: datetime | None


@dataclass(frozen=True, slots=True)
class MembershipAnywhere(Membership):
    """The same, of any user in any audience (the ledger's number)."""

    user: str
    audience: int


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user with the packed row under which they were uploaded."""

    user_id: str
    identifiers: bytes


def history(ledger: Ledger, audience: int, user: str) -> list[Membership]:
    """The user's memberships in the audience, the first first."""
    return ledger.rows(Membership, HISTORY, {"audience": audience, "user": user})


def of_users(ledger: Ledger, users: Iterable[str]) -> list[MembershipAnywhere]:
    """All memberships of the users, in every audience, by user and audience, the first first."""
    return ledger.rows(MembershipAnywhere, OF_USERS, {"users": list(users)})


def rows_of(ledger: Ledger, user: str) -> list[bytes]:
    """Every row that was ever recorded for the user in any audience."""
    return ledger.values(
        bytes,
        f"select distinct identifiers from audiences.member where {IS_OF_USERS}",  # noqa: S608  # our own text
        {"users": [user]},
    )


def with_bytes(ledger: Ledger, cells: Iterable[bytes]) -> list[UserRow]:
    """Everybody who ever was in an audience with one of the cells among the bytes of their row.

    Reads all memberships: an index would touch a page at random for each row that is ever added, and this is asked seldom.
    """
    asked = {f"cell_{number}": cell for number, cell in enumerate(cells)}
    if not asked:
        return []
    # No row is that long. Of `> 0` Postgres would expect a third of the rows, and not let several processes read them.
    among = " or ".join(f"position(%({name})s::bytea in identifiers) between 1 and 10000" for name in asked)
    return ledger.rows(
        UserRow,
        f"select distinct user_id, identifiers from audiences.member where {among}",  # noqa: S608  # our own text
        asked,
    )

"""Who is in which audience by our doing, now; see `member_history` for who was, and `member_changes` for what changes that."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from audiences.ledger.database import Ledger


# Who has left a row with the run and has another one, and who has both of them, since the old one could not be removed. A limit
# keeps the look at each one by the index of users: of what a run has ended it would take the square of those that changed.
REKEYED = """
select count(*) as n from (
    select was.user_id
    from audiences.member was cross join lateral (
        select from audiences.member now
        where now.audience_id = was.audience_id and now.campaign_id = was.campaign_id and now.user_id = was.user_id
          and now.present and now.removed_run is null and now.added_run = %(run)s and now.identifiers <> was.identifiers
        limit 1
    ) instead
    where was.removed_run = %(run)s and was.audience_id = %(audience)s and was.campaign_id = %(campaign)s
      and was.present and was.added_run < %(run)s
    union
    select now.user_id
    from audiences.member now cross join lateral (
        select from audiences.member was
        where was.audience_id = now.audience_id and was.campaign_id = now.campaign_id and was.user_id = now.user_id
          and was.present and was.removed_run is null and was.added_run < %(run)s and was.identifiers <> now.identifiers
        limit 1
    ) besides
    where now.audience_id = %(audience)s and now.campaign_id = %(campaign)s and now.present
      and now.removed_run is null and now.added_run = %(run)s
) rekeyed
"""


# Found in the index of current members, by one step of the recursion per pair however many members there are.
PAIRS = """
with recursive pairs as (
    (select audience_id, campaign_id from audiences.member where removed_run is null
     order by audience_id, campaign_id limit 1)
    union all
    select further.audience_id, further.campaign_id from pairs cross join lateral (
        select m.audience_id, m.campaign_id from audiences.member m
        where m.removed_run is null and (m.audience_id, m.campaign_id) > (pairs.audience_id, pairs.campaign_id)
        order by m.audience_id, m.campaign_id limit 1
    ) further
)
"""
# A limit, or an offset of none, keeps the look at each pair one by the index: joined, all members would be read.
HOLDING = (
    PAIRS
    + """
select p.audience_id as audience, p.campaign_id as campaign from pairs p
cross join lateral (
    select from audiences.member m
    where m.audience_id = p.audience_id and m.campaign_id = p.campaign_id and m.removed_run is null and m.present
    limit 1
) anybody
where p.campaign_id = any(%(campaigns)s)
order by 1, 2
"""
)


@contextmanager
def held(
    ledger: Ledger, audience: int, *, by: int | None = None, but_by: int | None = None
) -> Iterator[pa.RecordBatchReader]:
    """Everything campaigns hold in the audience now: `campaign_id`, `user_id`, `identifiers`, `present`.

    Only what campaign `by` holds, or what all others than `but_by` do.
    """
    of = f" and campaign_id = {int(by)}" if by is not None else ""
    but = f" and campaign_id <> {int(but_by)}" if but_by is not None else ""
    with ledger.stream(
        f"{_HELD} where audience_id = {int(audience)} and removed_run is null{of}{but}", _held()
    ) as rows:
        yield rows


def _held() -> pa.Schema:
    import pyarrow as pa

    from audiences.user_ids import USER_ID

    return pa.schema([("campaign_id", pa.int32()), USER_ID, ("identifiers", pa.binary()), ("present", pa.bool_())])


_HELD: Final = "select campaign_id, user_id, identifiers, present from audiences.member"


def held_of(ledger: Ledger, audience: int, *, by: int, users: Sequence[str]) -> pa.Table:
    """What campaign `by` holds of these users, with the columns of `held`; found by the index, user by user."""
    return _table(
        ledger,
        f"{_HELD} where audience_id = %(audience)s and removed_run is null and campaign_id = %(by)s"
        " and user_id = any(%(users)s)",
        {"audience": audience, "by": by, "users": list(users)},
    )


def held_with(ledger: Ledger, audience: int, *, but_by: int, rows: Sequence[bytes]) -> pa.Table:
    """What others than campaign `but_by` hold under one of these packed rows, with the columns of `held`.

    The memberships of the others are looked through, once for each call: an index of rows would touch a page at random for
    each that is ever added.
    """
    return _table(
        ledger,
        f"{_HELD} where audience_id = %(audience)s and removed_run is null and campaign_id <> %(but_by)s"
        " and identifiers = any(%(rows)s)",
        {"audience": audience, "but_by": but_by, "rows": list(rows)},
    )


def _table(ledger: Ledger, query: str, parameters: Mapping[str, object]) -> pa.Table:
    import pyarrow as pa

    with ledger.sql.cursor(binary=True) as cursor:
        found = cursor.execute(query.encode(), parameters).fetchall()
    columns = list(zip(*found, strict=True)) or [()] * len(_held())
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, _held(), strict=True)], schema=_held()
    )


@dataclass(frozen=True, slots=True)
class HeldBy:
    """An audience in which a campaign has members on record, by the ledger's numbers."""

    audience: int
    campaign: int


def holding(ledger: Ledger, campaigns: Iterable[int]) -> list[HeldBy]:
    """In which audiences the campaigns (the ledger's numbers) keep somebody."""
    return ledger.rows(HeldBy, HOLDING, {"campaigns": list(campaigns)})


def rekeyed(ledger: Ledger, audience: int, campaign: int, run: int) -> int:
    """How many members of the campaign got other identifiers with the run: theirs began with it, and they were members before."""
    return ledger.number(REKEYED, {"audience": audience, "campaign": campaign, "run": run})


def count(ledger: Ledger, audience: int) -> int:
    """How many distinct rows we hold in the audience, which is its member count at Facebook as far as we fed it.

    Takes a second per million members; `memberships`, which may share rows, are counted ten times as fast.
    """
    return _counted(ledger, audience, "count(distinct identifiers)")


def memberships(ledger: Ledger, audience: int) -> int:
    """How many memberships of all campaigns there are in the audience."""
    return _counted(ledger, audience, "count(*)")


def more_than(ledger: Ledger, audience: int, number: int) -> bool:
    """Whether there are more memberships than that; of an audience of any size it looks at no more than so many."""
    return ledger.holds(
        "select exists (select from audiences.member where audience_id = %(audience)s and removed_run is null and present"
        " offset %(number)s)",
        {"audience": audience, "number": number},
    )


def _counted(ledger: Ledger, audience: int, what: str) -> int:
    return ledger.number(
        f"select {what} from audiences.member"  # noqa: S608  # a constant of this file
        " where audience_id = %(audience)s and removed_run is null and present",
        {"audience": audience},
    )

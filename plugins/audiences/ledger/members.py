"""Who is in which audience by our doing, with history."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audiences.ledger import audience_revisions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    import pyarrow as pa
    from adbc_driver_postgresql import dbapi

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
_PAIRS = """
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
    _PAIRS
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
# Where the memberships of users are, in two halves, each found by an index of its own.
_PLACES = (
    _PAIRS  # noqa: S608  # our own text, put together of two
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
class HeldBy:
    """An audience in which a campaign has members on record, by the ledger's numbers."""

    audience: int
    campaign: int


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


def holding(ledger: Ledger, campaigns: Iterable[int]) -> list[HeldBy]:
    """In which audiences the campaigns (the ledger's numbers) keep somebody."""
    return ledger.rows(HeldBy, HOLDING, {"campaigns": list(campaigns)})


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


def write(cursor: dbapi.Cursor, *, audience: int, run: int, changes: pa.Table) -> None:
    """Record memberships that begin or end: `campaign_id`, `user_id`, `identifiers`, `present`, `begins`.

    Ends come first: changed identifiers of one user are an end and a beginning. The revision of the audience comes last, since
    what others write waits for whoever has changed it until the end of the transaction.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = ["campaign_id", "user_id", "identifiers", "present"]
    begun = changes.filter(changes.column("begins")).select(columns)
    ended = changes.filter(pc.invert(changes.column("begins"))).select(columns)
    if ended.num_rows:
        cursor.adbc_ingest("ended_now", ended, mode="create", temporary=True)
        cursor.execute(
            f"update audiences.member m set removed_run = {int(run)} from ended_now e"  # noqa: S608  # numbers only
            f" where m.audience_id = {int(audience)} and m.removed_run is null"
            " and m.campaign_id = e.campaign_id and m.user_id = e.user_id and m.present = e.present"
            " and m.identifiers = e.identifiers"
        )
        cursor.execute("drop table ended_now")
    if begun.num_rows:
        for name, value in {
            "audience_id": pa.scalar(audience, pa.int32()),
            "added_run": pa.scalar(run, pa.int64()),
        }.items():
            begun = begun.append_column(name, pa.repeat(value, begun.num_rows))
        cursor.adbc_ingest("member", begun, mode="append", db_schema_name="audiences")
    if changes.num_rows:
        audience_revisions.changed(cursor, audience=audience, run=run)


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


def carry_over(ledger: Ledger, audience: int, *, by: int, campaign: int) -> bool:
    """Let the campaign's members of an audience go on in another one, with the time since when they last; False if none."""
    carried = ledger.sql.execute(
        "insert into audiences.member (audience_id, campaign_id, user_id, identifiers, present, added_run)"
        " select %(by)s, campaign_id, user_id, identifiers, present, added_run from audiences.member"
        " where audience_id = %(audience)s and campaign_id = %(campaign)s and removed_run is null and present"
        " on conflict do nothing",
        {"by": by, "audience": audience, "campaign": campaign},
    )
    audience_revisions.changed_by_no_run(ledger, by)
    return carried.rowcount > 0


def end_of_audience(ledger: Ledger, audience: int, *, run: int) -> None:
    """End every membership in the audience with that run."""
    ledger.sql.execute(
        "update audiences.member set removed_run = %s where audience_id = %s and removed_run is null", (run, audience)
    )
    audience_revisions.changed_by_no_run(ledger, audience)


def end_of_campaign(ledger: Ledger, *, audience: int, campaign: int) -> None:
    """End the campaign's memberships in the audience, with its last run, as nobody else's has taken place yet."""
    ledger.sql.execute(
        "update audiences.member set removed_run = (select max(id) from audiences.run where campaign_id = %(campaign)s)"
        " where audience_id = %(audience)s and campaign_id = %(campaign)s and removed_run is null",
        {"campaign": campaign, "audience": audience},
    )
    audience_revisions.changed_by_no_run(ledger, audience)

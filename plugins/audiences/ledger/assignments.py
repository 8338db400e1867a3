"""Who was assigned to which arm of a campaign, once and for all."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.ledger import binary_copy
from audiences.user_ids import USER_ID, USERS
from audiences.who.control import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger


RECORDED = pa.schema([USER_ID, ("arm", pa.int8())])
_WRITTEN = pa.schema([("campaign_id", pa.int32()), USER_ID, ("arm", pa.string()), ("run_id", pa.int64())])
ARMS = tuple(arm.word for arm in Arm)
_NUMBER = f"array_position(array{list(ARMS)}, arm) - 1 as arm"


def not_by_formula(ledger: Ledger, campaign: int, terms: str) -> pa.Table:
    """Assignments (`user_id`, `arm` as the number of a who.control.Arm) that today's formula need not give.

    They were made while salts or percentages were different, or belong to users who once were under `never_hold_out`. All
    others need not be read: the assignment is a pure function of the terms.
    """
    of_campaign = "select id from audiences.run where campaign_id = %(campaign)s and hashtextextended(control_terms, 0)"
    runs = ledger.values(
        int,
        f"{of_campaign} < hashtextextended(%(terms)s, 0) union all {of_campaign} > hashtextextended(%(terms)s, 0)",
        {"campaign": campaign, "terms": terms},
    )
    some = f"select user_id, {_NUMBER} from audiences.assignment where campaign_id = {int(campaign)}"  # noqa: S608  # numbers and our own text only
    named = f'select user_id collate "C" from audiences.never_held_out where campaign_id = {int(campaign)}'  # noqa: S608  # a number
    return ledger.read(f"{some} and user_id in ({named}) union {some} and run_id in ({_numbers(runs)})", RECORDED)


def never_held_out(ledger: Ledger, campaign: int, users: Sequence[str]) -> None:
    """Remember who is a target by name, whom the formula may hold out once the name is off the list."""
    ledger.sql.execute(
        "insert into audiences.never_held_out (campaign_id, user_id) select %(campaign)s, unnest(%(users)s::text[])"
        " on conflict do nothing",
        {"campaign": campaign, "users": list(users)},
    )


@dataclass(frozen=True, slots=True)
class Assignment:
    """The arm of a user, and of the run that assigned it number, time and terms (`CampaignSpec.control_terms`)."""

    arm: str
    run_id: int
    assigned_at: datetime
    control_terms: str


def of_user(ledger: Ledger, campaign: int, user: str) -> Assignment | None:
    """The user's assignment; None without one."""
    return ledger.row(
        Assignment,
        "select a.arm, a.run_id, r.assigned_at, r.control_terms from audiences.assignment a"
        " join audiences.run r on r.id = a.run_id where a.campaign_id = %(campaign)s and a.user_id = %(user)s",
        {"campaign": campaign, "user": user},
    )


@dataclass(frozen=True, slots=True)
class AssignmentAnywhere:
    """The arm of a user in one of the campaigns, and the run that assigned it."""

    user: str
    campaign: str
    arm: str
    run_id: int
    assigned_at: datetime


def of_users(ledger: Ledger, users: Sequence[str]) -> list[AssignmentAnywhere]:
    """The assignments of the users in all campaigns, by user and campaign; found campaign by campaign, as the key is."""
    return ledger.rows(AssignmentAnywhere, OF_USERS, {"users": list(users)})


OF_USERS = """
select a.user_id as user, c.name as campaign, a.arm, a.run_id, r.assigned_at
from audiences.campaign c
cross join unnest(%(users)s::text[]) as asked (user_id)
cross join lateral (
    select * from audiences.assignment a
    where a.campaign_id = c.id and a.user_id = asked.user_id collate "C"
    offset 0  -- keeps the look one by one, by the key: joined, all assignments would be read
) a
join audiences.run r on r.id = a.run_id
order by a.user_id, c.name
"""


def record(ledger: Ledger, *, campaign: int, run: int, assigned: pa.RecordBatchReader) -> None:
    """Put new assignments (`user_id`, `arm`) on record; a user who has one keeps it.

    A million rows in the order of `user_id`, which is that of the primary key, take a third of the time.
    """
    written = _written(assigned, campaign, run)
    first = next(written, None)
    if first is None:
        return
    # In the order of the key, by which it is found: the rows of a campaign lie together, and may be the last of a large table.
    some = ledger.number(
        "select 1 from audiences.assignment where campaign_id = %(campaign)s order by user_id limit 1",
        {"campaign": campaign},
    )
    rows = pa.RecordBatchReader.from_batches(_WRITTEN, chain([first], written))
    with ledger.writing.transaction():
        if not some:
            binary_copy.append(ledger.writing, "audiences.assignment", rows)
            return
        ledger.writing.execute("create temporary table assigned_now (like audiences.assignment) on commit drop")
        binary_copy.append(ledger.writing, "assigned_now", rows)
        ledger.writing.execute(
            "insert into audiences.assignment (campaign_id, user_id, arm, run_id)"
            " select campaign_id, user_id, arm, run_id from assigned_now on conflict do nothing"
        )


def _written(assigned: pa.RecordBatchReader, campaign: int, run: int) -> Iterator[pa.RecordBatch]:
    for batch in filter(len, assigned):
        columns = [
            pa.repeat(pa.scalar(campaign, pa.int32()), len(batch)),
            batch.column("user_id"),
            batch.column("arm"),
            pa.repeat(pa.scalar(run, pa.int64()), len(batch)),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=_WRITTEN)


def ever_targeted(ledger: Ledger, campaign: int) -> pa.Table:
    """Everybody (`user_id`) whom the campaign has ever targeted."""
    return ledger.read(
        f"select user_id from audiences.assignment where campaign_id = {int(campaign)} and arm = 'target'",  # noqa: S608  # a number
        USERS,
    )


def added_between(ledger: Ledger, campaign: int, first: datetime, after: datetime) -> pa.Table:
    """Everybody (`user_id`) whom runs that decided in [first, after) added to the audience."""
    runs = ledger.values(
        int,
        "select id from audiences.run where campaign_id = %(campaign)s and assigned_at >= %(first)s and assigned_at < %(after)s",
        {"campaign": campaign, "first": first, "after": after},
    )
    added = f"campaign_id = {int(campaign)} and added_run in ({_numbers(runs)})"
    return ledger.read(  # two halves, each by an index of its own
        "select user_id from audiences.member where audience_id = any(array(select id from audiences.audience))"  # noqa: S608  # numbers only
        f" and {added} and removed_run is null"
        f" union select user_id from audiences.member where {added} and removed_run is not null",
        USERS,
    )


def _numbers(runs: Sequence[int]) -> str:
    return ", ".join(map(str, runs)) or "null"

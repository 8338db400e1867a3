"""Goals on record: who was assigned when, and every result that was measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from audiences.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class GoalResult:
    """A measured goal: the report as JSON, and by what it is found."""

    goal_digest: str
    config_digest: str
    as_of: datetime
    report: dict[str, object]


@dataclass(frozen=True, slots=True)
class AssigningRun:
    """A run that assigned somebody: when, and by which terms (`CampaignSpec.control_terms`)."""

    id: int
    assigned_at: datetime
    control_terms: str


def assigning_runs(ledger: Ledger, campaign: int, until: datetime) -> list[AssigningRun]:
    """Runs that assigned somebody up to `until`, the first one first."""
    return ledger.rows(
        AssigningRun,
        "select id, assigned_at, control_terms from audiences.run"
        " where campaign_id = %(campaign)s and assigned_at <= %(until)s and id in"
        " (select run_id from audiences.assignment where campaign_id = %(campaign)s) order by assigned_at, id",
        {"campaign": campaign, "until": until},
    )


def launched_at(ledger: Ledger, campaign: int, until: datetime) -> datetime | None:
    """When the first run assigned that no guard stopped, up to `until`; None without one.

    Whom it assigned does not matter: it may have found nobody, and erasing the persons it found does not move the launch.
    """
    return ledger.value(
        datetime,
        "select min(assigned_at) from audiences.run"
        " where campaign_id = %(campaign)s and assigned_at <= %(until)s and (audience_id is not null or id in"
        " (select run_id from audiences.assignment where campaign_id = %(campaign)s))",
        {"campaign": campaign, "until": until},
    )


def assigned(ledger: Ledger, campaign: int) -> Iterator[pa.RecordBatch]:
    """Everyone assigned (`user_id`, `arm`, `run_id`), batch by batch."""
    with ledger.bulk.cursor() as cursor:
        cursor.execute(
            f"select user_id, arm, run_id from audiences.assignment where campaign_id = {int(campaign)}"  # noqa: S608  # a number
        )
        yield from cursor.fetch_record_batch()
    ledger.bulk.commit()


def record(ledger: Ledger, *, campaign: int, result: GoalResult) -> None:
    """Keep a result; the earlier ones stay."""
    ledger.sql.execute(
        "insert into audiences.goal_result (campaign_id, goal_digest, config_digest, as_of, report)"
        " values (%s, %s, %s, %s, %s)",
        (campaign, result.goal_digest, result.config_digest, result.as_of, Jsonb(result.report)),
    )


def current(ledger: Ledger, campaign: int, goal_digest: str, at: datetime) -> GoalResult | None:
    """The result of the newest as-of time up to `at` for a goal as it stands; None when it was not measured until then.

    One of a time to come was made before its events had happened, and says nothing once they have.
    """
    return ledger.row(
        GoalResult,
        "select goal_digest, config_digest, as_of, report from audiences.goal_result"
        " where campaign_id = %(campaign)s and goal_digest = %(digest)s and as_of <= %(at)s"
        " order by as_of desc, id desc limit 1",
        {"campaign": campaign, "digest": goal_digest, "at": at},
    )


def history(ledger: Ledger, campaign: str, *, limit: int) -> list[GoalResult]:
    """The last results of a campaign's goals, the newest first; of several of one as-of time and goal the last measured."""
    return ledger.rows(
        GoalResult,
        "select goal_digest, config_digest, as_of, report from ("
        " select distinct on (goal_digest, as_of) goal_digest, config_digest, as_of, report, id from audiences.goal_result"
        " where campaign_id = (select id from audiences.campaign where name = %(campaign)s)"
        " order by goal_digest, as_of desc, id desc) newest order by as_of desc, id desc limit %(limit)s",
        {"campaign": campaign, "limit": limit},
    )

"""Goals on record: who was assigned when, and every result that was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import pyarrow as pa

    from audiences.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class Result:
    """A measured goal: the report as JSON, and by what it is found."""

    goal_digest: str
    config_digest: str
    as_of: datetime
    report: dict[str, Any]


def assigning_runs(ledger: Ledger, campaign: int, until: datetime) -> list[Any]:
    """Runs (`id`, `assigned_at`, `control_terms`) that assigned somebody up to `until`, the first one first."""
    return ledger.all(
        "select id, assigned_at, control_terms from audiences.run"
        " where campaign_id = %(campaign)s and assigned_at <= %(until)s and id in"
        " (select run_id from audiences.assignment where campaign_id = %(campaign)s) order by assigned_at, id",
        {"campaign": campaign, "until": until},
    )


def launched_at(ledger: Ledger, campaign: int, until: datetime) -> datetime | None:
    """When the first run assigned that no guard stopped, up to `until`; None without one.

    Whom it assigned does not matter: it may have found nobody, and erasing the persons it found does not move the launch.
    """
    row = ledger.one(
        "select min(assigned_at) as launched from audiences.run"
        " where campaign_id = %(campaign)s and assigned_at <= %(until)s and (audience_id is not null or id in"
        " (select run_id from audiences.assignment where campaign_id = %(campaign)s))",
        {"campaign": campaign, "until": until},
    )
    launched: datetime | None = row.launched
    return launched


def assigned(ledger: Ledger, campaign: int) -> Iterator[pa.RecordBatch]:
    """Everyone assigned (`user_id`, `arm`, `run_id`), batch by batch."""
    with ledger.bulk.cursor() as cursor:
        cursor.execute(
            f"select user_id, arm, run_id from audiences.assignment where campaign_id = {int(campaign)}"  # noqa: S608  # a number
        )
        yield from cursor.fetch_record_batch()
    ledger.bulk.commit()


def record(ledger: Ledger, *, campaign: int, result: Result) -> None:
    """Keep a result; the earlier ones stay."""
    ledger.sql.execute(
        "insert into audiences.goal_result (campaign_id, goal_digest, config_digest, as_of, report)"
        " values (%s, %s, %s, %s, %s)",
        (campaign, result.goal_digest, result.config_digest, result.as_of, Jsonb(result.report)),
    )


def current(ledger: Ledger, campaign: int, goal_digest: str, at: datetime) -> Result | None:
    """The result of the newest as-of time up to `at` for a goal as it stands; None when it was not measured until then.

    One of a time to come was made before its events had happened, and says nothing once they have.
    """
    row = ledger.one(
        "select goal_digest, config_digest, as_of, report from audiences.goal_result"
        " where campaign_id = %(campaign)s and goal_digest = %(digest)s and as_of <= %(at)s"
        " order by as_of desc, id desc limit 1",
        {"campaign": campaign, "digest": goal_digest, "at": at},
    )
    return None if row is None else Result(row.goal_digest, row.config_digest, row.as_of, row.report)

"""One DAG of one task for all live campaigns: wait for events, open a run of each campaign that has a batch, and wait on.

It runs all the time, one run after the other. The truth is in the ledger: a batch whose run did not begin, failed or died is
opened again, under a run id that tells which batch and which try it is, so that a run that is opened twice is the same run.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow.sdk import DAG

from audiences.airflow.failures import TAG
from audiences.airflow.notifying import OnOwnFailure
from audiences.airflow.retry_policies import NextRunTriesAgain
from audiences.airflow.sensors import LiveEventsSensor
from audiences.airflow.triggers import ROLL_OVER_SECONDS
from audiences.when.timetable import WatchTimetable

if TYPE_CHECKING:
    from pathlib import Path

DAG_ID = "audiences_live"
# Without a start date the first interval is empty, so the second run would get the first one's date, and is never created
# (measured on Airflow 3.3.2).
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def dispatcher_dag(project: Path) -> DAG:
    """The DAG over the live campaigns of a project folder."""
    with DAG(
        dag_id=DAG_ID,
        dag_display_name="Audiences live",
        description="Waits for the events of live campaigns and opens their runs.",
        doc_md=__doc__,
        schedule=WatchTimetable(),
        start_date=_LONG_AGO,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=[TAG, "live"],
        # No limit of failed runs in a row, which would pause all live campaigns for good: retries pause ever longer instead.
        default_args={
            "owner": "audiences",
            "on_failure_callback": OnOwnFailure(project),
            "retries": 8,
            "retry_delay": timedelta(seconds=10),
            "retry_exponential_backoff": 2.0,
            "max_retry_delay": timedelta(minutes=5),
            "priority_weight": 100,
        },
    ) as dag:
        LiveEventsSensor(
            task_id="wait_for_events",
            task_display_name="wait for events, open the campaigns' runs",
            project=str(project),
            # Only should the trigger ever fail to end its wait by itself.
            timeout=2 * ROLL_OVER_SECONDS,
            soft_fail=True,
            retry_policy=NextRunTriesAgain(),
        )
    return dag

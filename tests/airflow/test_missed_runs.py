"""What the scheduler makes of runs that it missed, by Airflow's own scheduler and database."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.e2e
SCHEDULE = """
import json
from datetime import UTC, datetime, timedelta
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select

# A moment ago was the last of the hours that were missed; the run of three hours ago had been planned.
last = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
planned = last - timedelta(hours=3)
with create_session() as session:
    dags = session.scalars(select(DagModel).where(DagModel.dag_id.in_(["by_hand", "other"])).order_by(DagModel.dag_id)).all()
    for dag in dags:
        dag.next_dagrun = dag.next_dagrun_create_after = planned
        dag.next_dagrun_data_interval = (planned, planned + timedelta(hours=1, microseconds=1))
    SerializedDagModel.get_dag("by_hand", session=session).create_dagrun(run_id="by_rest", logical_date=last,
        data_interval=(last, last), run_after=last, run_type=DagRunType.MANUAL, triggered_by=DagRunTriggeredByType.REST_API,
        state=DagRunState.QUEUED, session=session)
    session.commit()
    scheduler = SchedulerJobRunner(job=Job(), num_runs=1)
    scheduler.job.id = 1
    scheduler._create_dag_runs(dags, session)
    made = session.scalars(select(DagRun).where(DagRun.run_type == "scheduled").order_by(DagRun.dag_id))
    print("RESULT", json.dumps({run.dag_id: (last - run.logical_date).total_seconds() for run in made}))
"""


def test_a_run_by_hand_that_was_given_the_date_of_a_missed_one_does_not_end_the_scheduler(database):
    for name in ("by_hand", "other"):
        database.campaign(name, when='{cron: "0 * * * *", timezone: UTC}')
    read = database.airflow("dags", "reserialize")
    said = database.code(SCHEDULE)
    assert "RESULT" in said, (read + said)[-6000:]
    assert json.loads(said.split("RESULT", 1)[1].splitlines()[0]) == {"by_hand": 3 * 3600, "other": 0}, said

"""Old runs of live campaigns are taken away, a few at a time; all others stay."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.e2e
FILL = """
import json
from datetime import UTC, datetime, timedelta
from airflow.models.dag import DagModel, DagTag
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.utils.session import create_session
from sqlalchemy import func, select

from audiences.airflow import old_live_runs

NOW = datetime(2026, 11, 29, tzinfo=UTC)
left = {}
with create_session() as session:
    session.add(DagBundleModel(name="x"))
    session.flush()
    for dag in ("carts", "audiences_live", "others"):
        session.add(DagModel(dag_id=dag, bundle_name="x", fileloc="x", tags=[DagTag(name="live", dag_id=dag)]
            + ([] if dag == "others" else [DagTag(name="audiences", dag_id=dag)])))
        session.flush()
        for number in range(100):
            # Of a live campaign also runs by hand, and some that failed.
            kind = "manual" if dag == "carts" and number % 10 == 0 else "scheduled" if dag == "audiences_live" else "live"
            session.add(DagRun(dag_id=dag, run_id=f"{kind}__{dag}__{number}", run_type="manual", logical_date=None,
                run_after=NOW + timedelta(minutes=number), state="failed" if number % 10 == 1 else "success"))
        session.flush()
        newest = session.scalars(select(DagRun).where(DagRun.dag_id == dag).order_by(DagRun.id.desc()).limit(1)).one()
        removed = []
        for _ in range(5):
            before = session.scalar(select(func.count()).select_from(DagRun).where(DagRun.dag_id == dag))
            old_live_runs.on_dag_run_success(dag_run=newest, msg="")
            removed.append(before - session.scalar(select(func.count()).select_from(DagRun).where(DagRun.dag_id == dag)))
        runs = session.execute(select(DagRun.run_id, DagRun.state).where(DagRun.dag_id == dag)).all()
        left[dag] = {
            "removed": removed,
            "manual": sum(run.startswith("manual") for run, _ in runs),
            "failed": sum(state == "failed" for _, state in runs),
            "rest": sum(state == "success" and not run.startswith("manual") for run, state in runs),
            "oldest": min((int(run.rpartition("__")[2]) for run, state in runs if state == "success" and "manual" not in run)),
        }
print("RESULT", json.dumps(left))
"""


def test_the_newest_dispatched_runs_stay_and_those_that_failed_or_were_by_hand_and_all_of_other_dags(database):
    said = database.code(FILL)
    left = json.loads(said.split("RESULT", 1)[1].splitlines()[0])
    assert left == {
        "carts": {"removed": [20, 10, 0, 0, 0], "manual": 10, "failed": 10, "rest": 50, "oldest": 38},
        "audiences_live": {"removed": [20, 20, 0, 0, 0], "manual": 0, "failed": 10, "rest": 50, "oldest": 45},
        "others": {"removed": [0] * 5, "manual": 0, "failed": 10, "rest": 90, "oldest": 0},
    }, said

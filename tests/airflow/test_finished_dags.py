"""A DAG that has succeeded wakes whoever waits for it, inside the scheduler's own transaction, and nobody else is."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.e2e
SUCCEED = """
import json
from datetime import UTC, datetime
from airflow.models.asset import AssetActive, AssetDagRunQueue, AssetEvent, AssetModel, DagScheduleAssetReference
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session
from airflow.utils.sqlalchemy import prohibit_commit
from sqlalchemy import select

from audiences.airflow import finished_dags

found = []
with create_session() as session:
    session.add(DagBundleModel(name="x"))
    asset = AssetModel(name="dag:load", uri="dag:load")
    session.add(asset)
    session.flush()
    session.add(AssetActive.for_asset(asset))
    for dag in ("load", "other", "carts"):
        session.add(DagModel(dag_id=dag, bundle_name="x", fileloc="x", is_paused=False))
    session.flush()
    session.add(DagScheduleAssetReference(asset_id=asset.id, dag_id="carts"))
    session.commit()
    with prohibit_commit(session) as guard:
        for number, (dag, conf) in enumerate([("other", {}), ("load", {"dry_run": True}), ("load", {}), ("load", {})]):
            run = DagRun(dag_id=dag, run_id=f"run__{number}", run_type="manual", logical_date=None, conf=conf,
                run_after=datetime(2026, 11, 29, tzinfo=UTC), state="success")
            session.add(run)
            session.flush()
            finished_dags.on_dag_run_success(dag_run=run, msg="")
            session.flush()
            queued = session.scalars(select(AssetDagRunQueue.target_dag_id)).all()
            found.append([len(session.scalars(select(AssetEvent)).all()), list(queued)])
        guard.commit()
print("RESULT", json.dumps(found))
"""


def test_several_successes_are_one_place_in_the_queue_and_a_dry_run_and_other_dags_are_none(database):
    said = database.code(SUCCEED)
    found = json.loads(said.split("RESULT", 1)[1].splitlines()[0])
    assert found == [[0, []], [0, []], [1, ["carts"]], [2, ["carts"]]], said

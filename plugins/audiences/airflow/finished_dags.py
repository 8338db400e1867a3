"""Tells campaigns that run `after` a DAG when a run of it has succeeded, without a word in that DAG's own file.

A listener in the scheduler turns the success into an event of an asset that stands for the DAG, in the very transaction that
makes the run a success: there is never one without the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.assets.manager import AssetManager
from airflow.listeners import hookimpl
from airflow.models.asset import AssetDagRunQueue, AssetModel, DagScheduleAssetReference
from airflow.serialization.definitions.assets import SerializedAssetUniqueKey
from sqlalchemy import select
from sqlalchemy.orm import object_session

from audiences.airflow.audience_assets import finished_uri
from audiences.logs import logger

if TYPE_CHECKING:
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session

_log = logger(__name__)


class _InTheScheduler(AssetManager):
    """Airflow's own, without the savepoints that it makes beside Postgres: the scheduler forbids every commit."""

    @classmethod
    def _queue_dagruns_nonpartitioned_slow_path(
        cls, asset_id: int, dags_to_queue: set[DagModel], session: Session
    ) -> None:
        for dag in dags_to_queue:
            queued = select(AssetDagRunQueue).where(
                AssetDagRunQueue.asset_id == asset_id, AssetDagRunQueue.target_dag_id == dag.dag_id
            )
            if session.scalar(queued) is None:
                session.add(AssetDagRunQueue(target_dag_id=dag.dag_id, asset_id=asset_id))


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001  # Airflow's signature
    """Wake the campaigns that wait for this DAG, if there are any; a dry run of another campaign has changed nothing."""
    session = object_session(dag_run)
    if session is None:
        # As of `airflow dags test`, which is no run of the DAG for anybody else.
        _log.info("the run %s of %s ended outside a session; nobody is woken", dag_run.run_id, dag_run.dag_id)
        return
    uri = finished_uri(dag_run.dag_id)
    waiting = (
        select(DagScheduleAssetReference.dag_id).join(DagScheduleAssetReference.asset).where(AssetModel.uri == uri)
    )
    if (dag_run.conf or {}).get("dry_run") is True or session.scalar(waiting.limit(1)) is None:
        return
    _InTheScheduler.register_asset_change(
        asset=SerializedAssetUniqueKey(name=uri, uri=uri), extra={"run_id": dag_run.run_id}, session=session
    )

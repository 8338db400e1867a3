"""Keeps the lists of runs of live campaigns short: they run every few seconds, and what a run did is in the ledger.

Tasks have no access to Airflow's database, and its REST API would need a login. So a listener in the scheduler takes a few old
runs away whenever another one succeeds, in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.listeners import hookimpl
from airflow.models.dagrun import DagRun
from sqlalchemy import delete, select
from sqlalchemy.orm import object_session

from audiences.airflow.dispatcher_dag import DAG_ID
from audiences.airflow.failures import TAG
from audiences.logs import logger

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

KEPT = 50
"""So many stay of the successful runs that the dispatcher triggered, or had itself, of each DAG; all runs of other kinds do."""
_DISPATCHED = r"live\_\_%"  # how the dispatcher calls its runs, as a pattern of SQL
_AT_A_TIME = 20  # more than come meanwhile, and no work for the scheduler
_log = logger(__name__)


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001  # Airflow's signature
    """Take away the oldest successful runs of a live campaign, or of the dispatcher, that are more than KEPT."""
    session = object_session(dag_run)
    dispatched = dag_run.dag_id == DAG_ID or dag_run.run_id.startswith("live__")
    if session is not None and dispatched and any(tag.name == TAG for tag in dag_run.dag_model.tags):
        take_away(session, dag_run.dag_id)


def take_away(session: Session, dag: str) -> int:
    """Delete some of the oldest runs, with their tasks and notes; what another scheduler deletes at the moment is left to it."""
    ours = [DagRun.dag_id == dag, DagRun.state == "success"]
    if dag != DAG_ID:
        ours.append(DagRun.run_id.like(_DISPATCHED, escape="\\"))
    newest = select(DagRun.id).where(*ours).order_by(DagRun.id.desc()).offset(KEPT - 1).limit(1).scalar_subquery()
    old = (
        select(DagRun.id)
        .where(*ours, DagRun.id < newest)
        .order_by(DagRun.id)
        .limit(_AT_A_TIME)
        .with_for_update(skip_locked=True)
    )
    if found := list(session.scalars(old)):
        session.execute(delete(DagRun).where(DagRun.id.in_(found)), execution_options={"synchronize_session": False})
        _log.debug("%s old runs of %s were taken away", len(found), dag)
    return len(found)

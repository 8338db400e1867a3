"""Leaves the outcome counts of a run as the note of its DAG run, where the Airflow UI shows it.

A listener in the scheduler, because a task has no way to write a run's note; it reads one small XCom and opens nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.listeners import hookimpl
from airflow.models.xcom import XComModel
from sqlalchemy import select
from sqlalchemy.orm import object_session

from audiences.dags.steps import NOTE

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun


LONGEST = 1000  # the width of the column in Airflow's database


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001  # Airflow's signature
    """Write the note of a run that ended well."""
    _write(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001  # Airflow's signature
    """Write the note of a run that failed."""
    _write(dag_run)


def _write(dag_run: DagRun) -> None:
    session = object_session(dag_run)
    if session is None:
        return
    query = select(XComModel).where(
        XComModel.dag_id == dag_run.dag_id, XComModel.run_id == dag_run.run_id, XComModel.key == NOTE
    )
    for found in session.scalars(query):
        dag_run.note = str(XComModel.deserialize_value(found))[:LONGEST]

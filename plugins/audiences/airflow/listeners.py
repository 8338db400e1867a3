"""Leaves what a run came to, or why it failed, as the note of its DAG run, where the Airflow UI shows it.

Of a run that has begun it says what would keep it waiting for ever, and one that was not begun it takes out of the count of a
schedule that `ends` after so many. A listener in the scheduler, because a task has no way to
write a run's note; it reads a few small rows and opens nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl
from airflow.models.taskinstance import TaskInstance
from airflow.models.xcom import XComModel
from sqlalchemy import delete, select
from sqlalchemy.orm import object_session

from audiences.airflow.failures import FAILURE, NOTE, TAG
from audiences.redact import harmless_line
from audiences.when.timetable import CampaignTimetable

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun
    from sqlalchemy.orm import Session


# What begins HTML, and what stands in the middle of a link or an image. Airflow's page shows a note as Markdown, without HTML.
_ACTING = re.compile(r"<[A-Za-z/!?]|\][(\[]")
LONGEST = 1000  # the width of the column in Airflow's database
_WAITS = "waits for ever: "


@hookimpl
def on_dag_run_running(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001  # Airflow's signature
    """Say which pools let its tasks wait for ever: nobody else does."""
    session = _session_of(dag_run)
    if session is not None and dag_run.dag is not None:
        # Every process of Airflow has its listeners, and only the scheduler comes here.
        from audiences.airflow.endless_waits import closed_pools

        pools = {dag_run.dag_id: {task.pool for task in dag_run.dag.tasks}}
        if found := list(map(str, closed_pools(pools, session))):
            _note(dag_run, [f"{_WAITS}{found[0]}", *found[1:]])


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001  # Airflow's signature
    """Write the note of a run that ended well."""
    _write(dag_run, failed=False)
    if (dag_run.conf or {}).get("dry_run") is True:
        _keep_what_was_done(dag_run)


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001  # Airflow's signature
    """Write the note of a run that failed."""
    _write(dag_run, failed=True)


def _write(dag_run: DagRun, *, failed: bool) -> None:
    session = _session_of(dag_run)
    if session is None:
        return
    _count_only_begun(dag_run, session)
    if said := _said(dag_run, session, failed=failed):
        _note(dag_run, said)
    elif (dag_run.note or "").startswith(_WAITS):  # which it did not
        dag_run.note = None


def _count_only_begun(dag_run: DagRun, session: Session) -> None:
    """Let a run that was left out, or that failed before it was opened, be none of those after which its schedule ends.

    The ledger does not know it either. One that was cleared has been here before.
    """
    # It brings the models of a campaign file along, which few of the processes need.
    from audiences.airflow.operators.handed_over import OPEN

    timetable, counted = dag_run.dag.timetable if dag_run.dag else None, dag_run.data_interval_end
    if not isinstance(timetable, CampaignTimetable) or counted is None:
        return
    if dag_run.run_type != "scheduled" or dag_run.clear_number:
        return
    opened = select(XComModel.task_id).where(
        XComModel.dag_id == dag_run.dag_id,
        XComModel.run_id == dag_run.run_id,
        XComModel.task_id == OPEN,
        XComModel.key == "return_value",
    )
    if session.scalar(opened.limit(1)) is None:
        dag_run.data_interval_end = timetable.uncounted(counted)


def _note(dag_run: DagRun, said: list[str]) -> None:
    note = in_markdown("; ".join(said))
    dag_run.note = note if len(note) <= LONGEST else f"{note[: LONGEST - 1]}…"


def in_markdown(text: str) -> str:
    """A note as Airflow shows it: one line, in which no name of others is HTML, which would not be shown, a link or an image."""
    return _ACTING.sub(lambda found: f"{found[0][0]} {found[0][1]}", harmless_line(text))


def _keep_what_was_done(dag_run: DagRun) -> None:
    """Show a dry run as the one task that it is: take those out that it left, which would look like seven things gone wrong.

    Only now, since a run without its last tasks would be taken for a success whatever became of the first.
    """
    session = _session_of(dag_run)
    if session is not None:
        session.execute(
            delete(TaskInstance).where(
                TaskInstance.dag_id == dag_run.dag_id,
                TaskInstance.run_id == dag_run.run_id,
                TaskInstance.state == "skipped",
            )
        )


def _session_of(dag_run: DagRun) -> Session | None:
    """The session of a run of ours; None for any other."""
    session = object_session(dag_run)
    return session if session and any(tag.name == TAG for tag in dag_run.dag_model.tags) else None


def _said(dag_run: DagRun, session: Session, *, failed: bool) -> list[str]:
    """Why tasks failed, then what the run came to, which repeats the reason where there is such a summary."""
    query = (
        select(XComModel)
        .where(
            XComModel.dag_id == dag_run.dag_id,
            XComModel.run_id == dag_run.run_id,
            XComModel.key.in_((NOTE, FAILURE)),
        )
        .order_by(XComModel.timestamp)
    )
    found = [(row.key, str(XComModel.deserialize_value(row))) for row in session.scalars(query)]
    notes = [text for key, text in found if key == NOTE]
    failures = [text for key, text in found if key == FAILURE]
    if failed and not failures:
        failures = [f"the task `{task}` left no word why; its log may say more" for task in _silent(dag_run, session)]
    untold = [f"failed: {text}" for text in failures if not any(text.rstrip(".") in note for note in notes)]
    return list(dict.fromkeys([*untold, *notes]))


def _silent(dag_run: DagRun, session: Session) -> list[str]:
    """The tasks that failed and could not say why: killed, out of memory, or marked by hand."""
    query = select(TaskInstance.task_id).where(
        TaskInstance.dag_id == dag_run.dag_id, TaskInstance.run_id == dag_run.run_id, TaskInstance.state == "failed"
    )
    return list(dict.fromkeys(session.scalars(query)))

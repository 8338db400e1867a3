"""Opens runs of live campaigns from within the dispatcher's task, as Airflow's own operator would in a task for each.

A task may ask its supervisor to trigger a DAG; `TriggerDagRunOperator` ends in the same message. So one process opens the runs
of all batches, and none waits for a task of its own to be scheduled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiences.errors import FailedError
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk.exceptions import AirflowRuntimeError

_log = logger(__name__)


@dataclass(eq=False)
class NotOpenedError(FailedError):
    """Airflow refused to open the runs of some batches; those of the others are open. The ledger offers a batch again."""

    refused: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        said = "; ".join(f"{campaign}: {why}" for campaign, why in self.refused)
        return f"Airflow did not open the run of a live campaign, whose events wait until it does: {said}"


def open_runs(batches: Sequence[Mapping[str, Any]]) -> None:
    """Open the run of each batch; one that is there already, from an earlier try of this task, stays the only one.

    A batch has the keys `trigger_dag_id`, `trigger_run_id` and `conf`. Raises NotOpenedError once all were tried, and Airflow's
    own error when its API server does not answer.
    """
    from airflow.sdk.exceptions import AirflowRuntimeError

    refused = []
    for batch in batches:
        try:
            _open(batch)
        except AirflowRuntimeError as error:
            why = _refusal(error)
            if why is None:
                raise
            refused.append((str(batch["trigger_dag_id"]), why))
    if refused:
        raise NotOpenedError(refused=tuple(refused))


def _open(batch: Mapping[str, Any]) -> None:
    from airflow.sdk.execution_time.comms import ErrorResponse, TriggerDagRun
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    dag, run = batch["trigger_dag_id"], batch["trigger_run_id"]
    answer = SUPERVISOR_COMMS.send(msg=TriggerDagRun(dag_id=dag, run_id=run, conf=batch["conf"], logical_date=None))
    _log.info("%s of %s", "there is already a run" if isinstance(answer, ErrorResponse) else "opened the run", run)


def _refusal(error: AirflowRuntimeError) -> str | None:
    """What Airflow has against this one run, such as that it has not read the DAG yet; None when the fault is not the run's."""
    detail: Any = error.error.detail or {}
    status = detail.get("status_code", 500)
    if not 400 <= status < 500:  # HTTP's "the fault is the caller's"
        return None
    said = detail.get("detail")
    while isinstance(said, dict):
        said = said.get("message") or said.get("detail")
    return str(said or f"HTTP {status}")

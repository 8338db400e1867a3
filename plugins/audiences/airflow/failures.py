"""How a failed task is told to people: the reason as the last line of its log and as the note of the DAG run.

For an error of ours the reason says what happened and what to do, so frames would only push it off the screen. Airflow logs a
traceback for every exception but SystemExit, which it treats like any other failure: retry policy, callbacks and all (measured
on Airflow 3.3.2; the contract test is `tests/airflow/test_failures.py`). An error that is none of ours keeps its frames.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, cast

from airflow.listeners import hookimpl
from airflow.sdk.exceptions import AirflowSkipException, DownstreamTasksSkipped

from audiences.errors import AudiencesError, FailedError
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

NOTE, FAILURE = "note", "failure"
"""The XComs of which the DAG run's note is made: what it came to, and why a task failed."""
TAG = "audiences"  # of every DAG of ours
_log = logger(__name__)


class TaskFailed(SystemExit):
    """Fails the task without a traceback in its log; `error` decides whether it is tried again."""

    def __init__(self, error: AudiencesError) -> None:
        super().__init__(1)
        self.error = error

    def __str__(self) -> str:
        return str(self.error)


@dataclass(eq=False)
class NotDoneError(FailedError):
    """What a task did is on record, with why it did not succeed; trying again at once would change nothing."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@contextmanager
def told(context: Context, about: str = "") -> Iterator[None]:
    """Leave the reason of a failure in the body for the DAG run's note; one of ours fails the task without a traceback.

    `about` says which of several campaigns a task was for.
    """
    from audiences.ledger.ledger_errors import as_ours

    try:
        yield
    except (AirflowSkipException, DownstreamTasksSkipped):
        raise
    except Exception as error:
        ours, ti = as_ours(error), context["ti"]
        reason = str(ours) if ours else f"{type(error).__name__} in the task `{ti.task_id}`, whose log says more"
        ti.xcom_push(key=FAILURE, value=f"{about}: {reason}" if about else reason)
        if ours is None:
            raise
        # Airflow makes the label of a mapped task itself, but for a SystemExit.
        cast("Any", ti).rendered_map_index = cast("Any", context).get("label")
        raise TaskFailed(ours) from None


def leave_out(context: Context, why: str) -> NoReturn:
    """End the run here, with the reason as its note."""
    context["ti"].xcom_push(key=NOTE, value=why)
    raise AirflowSkipException(why)


def cause_of(error: BaseException) -> BaseException:
    """The error that failed the task, for those who decide by its class."""
    return error.error if isinstance(error, TaskFailed) else error


@hookimpl
def on_task_instance_failed(previous_state: Any, task_instance: Any, error: Any) -> None:  # noqa: ARG001  # Airflow's signature
    """End the log with the reason, outside the group in which Airflow folds away what it does after the task."""
    if not isinstance(error, TaskFailed):
        return
    _log.info("::endgroup::")
    if task_instance.state == "up_for_retry":
        _log.warning("%s. It is tried again", str(error).rstrip("."))
    else:
        for line in str(error).splitlines():
            _log.error("%s", line)

"""Retry policies of Airflow tasks: the class of the error decides, not a count alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk import RetryDecision, RetryPolicy

from audiences.airflow.failures import cause_of
from audiences.errors import FailedError, RetryError, WaitError

if TYPE_CHECKING:
    from airflow.sdk import Context

FIRST_DELAY = timedelta(seconds=20)
LONGEST_DELAY = timedelta(minutes=15)
UPGRADE_PAUSE = timedelta(minutes=1)
"""How long to wait for a worker of a newer version, where a task is not tried again as other tasks are."""
TRIES_OF_THE_UNKNOWN = 2  # an error that nobody foresaw is more often a fault of the code than of the moment


class ByErrorClass(RetryPolicy):
    """A wait is kept to the minute and holds no worker; a passing fault is retried ever later; everything else fails at once."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,  # noqa: ARG002  # Airflow's signature
        context: Context | None = None,  # noqa: ARG002  # Airflow's signature
    ) -> RetryDecision:
        """Decide for one failure."""
        from audiences.ledger.ledger_errors import LedgerFaultError, as_ours

        exception = cause_of(exception)
        if isinstance(exception, WaitError):
            return RetryDecision.retry(delay=timedelta(seconds=exception.seconds), reason=str(exception))
        ours = as_ours(exception)
        unknown = ours is None or isinstance(ours, LedgerFaultError)
        if isinstance(ours, RetryError) or (unknown and try_number <= TRIES_OF_THE_UNKNOWN):
            delay = min(FIRST_DELAY * 2 ** (try_number - 1), LONGEST_DELAY)
            return RetryDecision.retry(delay=delay, reason=f"{type(ours or exception).__name__} may pass")
        return RetryDecision.fail(reason=type(ours or exception).__name__)

    def serialize(self) -> dict[str, Any]:
        """Nothing to remember."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:  # noqa: ARG003  # Airflow's signature
        """Nothing to restore."""
        return cls()


class NextRunTriesAgain(RetryPolicy):
    """What trying again at once would not change ends the run, since the next one begins in a moment; else as the task says."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002  # Airflow's signature
        max_tries: int,  # noqa: ARG002  # Airflow's signature
        context: Context | None = None,  # noqa: ARG002  # Airflow's signature
    ) -> RetryDecision:
        """Decide for one failure."""
        cause = cause_of(exception)
        if isinstance(cause, FailedError):
            return RetryDecision.fail(reason=f"{type(cause).__name__}; the next run goes on")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Nothing to remember."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:  # noqa: ARG003  # Airflow's signature
        """Nothing to restore."""
        return cls()

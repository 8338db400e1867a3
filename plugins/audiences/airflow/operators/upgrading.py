"""Asking people in the middle of an upgrade: such a task must not be tried again, so it waits for a worker of the new version."""

from __future__ import annotations

from abc import abstractmethod
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.standard.operators.hitl import ApprovalOperator

from audiences.airflow.failures import told
from audiences.airflow.operators.handed_over import HandedOverError
from audiences.airflow.retry_policies import UPGRADE_PAUSE
from audiences.logs import logger

if TYPE_CHECKING:
    from airflow.sdk import Context

MOST_PAUSES: Final = 60
"""After which the worker is taken for one that was forgotten."""
_log = logger(__name__)


class UpgradingOperator(ApprovalOperator):
    """Gives its worker back for a minute where the run or the ledger is of another version; what was answered is kept.

    A try of its own, as of other tasks, would ask people again.
    """

    pauses = 0
    """How often it has waited so far."""

    def execute(self, context: Context) -> Any:
        """Ask."""
        return self._do(context, None)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Take the answer."""
        return self._do(context, event)

    def take_up(
        self,
        context: Context,
        event: Any,  # noqa: ARG002  # Airflow's signature
        *,
        answer: dict[str, Any] | None,
        pauses: int,
    ) -> Any:
        """Ask after a pause, or take the answer that came before it."""
        self.pauses = pauses
        return self._do(context, answer)

    @abstractmethod
    def ask(self, context: Context) -> Any:
        """Ask, and wait for the answer, which ends this process; what it returns where nobody need be asked goes to XCom."""

    @abstractmethod
    def take(self, context: Context, event: dict[str, Any]) -> Any:
        """Take the answer."""

    def _do(self, context: Context, answer: dict[str, Any] | None) -> Any:
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        from audiences.ledger.migrate import LedgerNewerError

        with told(context):
            try:
                return self.ask(context) if answer is None else self.take(context, answer)
            except (LedgerNewerError, HandedOverError) as error:
                if self.pauses >= MOST_PAUSES:
                    raise
                _log.warning("%s", error)
                self.defer(
                    trigger=DateTimeTrigger(moment=datetime.now(UTC) + UPGRADE_PAUSE),
                    method_name="take_up",
                    kwargs={"answer": answer, "pauses": self.pauses + 1},
                )

"""Operators that give their worker back while the campaign's export windows are closed."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from audiences.airflow.failures import told
from audiences.logs import logger
from audiences.pipeline.preconditions.export_windows import OutsideWindowsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

_log = logger(__name__)


class HoldingOperator(BaseOperator):
    """Does its `work`; while the export windows are closed, it is deferred and begins again when the next one opens."""

    template_fields: Sequence[str] = ()

    def execute(self, context: Context) -> Any:
        """Do the work, or be deferred."""
        return self._work_or_wait(context)

    def resume(self, context: Context, event: Any) -> Any:  # noqa: ARG002  # Airflow's signature
        """Begin again after the deferral; when the window has closed again before a worker was free, be deferred once more."""
        return self._work_or_wait(context)

    go_on = resume  # the method that tasks name which an earlier version deferred

    @abstractmethod
    def work(self, context: Context) -> Any:
        """What the operator is for; raises OutsideWindowsError when it must not be done now."""

    def _work_or_wait(self, context: Context) -> Any:
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        with told(context):
            try:
                return self.work(context)
            except OutsideWindowsError as closed:
                _log.info("%s", closed)
                self.defer(trigger=DateTimeTrigger(moment=closed.opens), method_name="resume")

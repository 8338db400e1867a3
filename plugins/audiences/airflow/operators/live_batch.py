"""The run of a live campaign as one task.

The steps are those of any run, and between them nothing is worth a task of its own: a batch is small, and starting a task
takes longer than all of its steps.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk import RetryDecision, RetryPolicy

from audiences.airflow import lineage, metrics
from audiences.airflow.executors import ensure_shared_staging
from audiences.airflow.failures import NOTE, NotDoneError, cause_of, leave_out
from audiences.airflow.notifying import tell_of_run
from audiences.airflow.operators.one_task import OneTaskOperator
from audiences.airflow.operators.previewing import preview_in_task
from audiences.airflow.retry_policies import UPGRADE_PAUSE
from audiences.airflow.run_conf import DISPATCHED, LIVE_FORM
from audiences.campaign.files import on_file
from audiences.logs import logger
from audiences.pipeline.preconditions.export_windows import OutsideWindowsError

if TYPE_CHECKING:
    from airflow.sdk import Context

    from audiences.airflow.run_conf import RunConf
    from audiences.campaign.spec import CampaignSpec

TASK = "run_batch"
_log = logger(__name__)


class RunBatchOperator(OneTaskOperator):
    """Exports the batch that the dispatcher triggered the run for; triggered by hand, looks for events itself first."""

    ui_color = "#e7f6ec"
    form = (*LIVE_FORM, *DISPATCHED)

    def work(self, context: Context, asked: RunConf) -> dict[str, Any]:
        """Return the summary; its one-line form becomes the note of the DAG run. Each try is a run of its own in the ledger."""
        if asked.dry_run:
            return preview_in_task(self.spec, self.project, context, asked)
        return export_batch(self.spec, self.project, context, asked)

    def get_openlineage_facets_on_complete(self, _: Any) -> Any:
        """The audience that the batch went to, and the tables behind it; OpenLineage's provider asks for them."""
        return lineage.audience_written(self.spec)


def export_batch(spec: CampaignSpec, project: str, context: Context, asked: RunConf) -> dict[str, Any]:
    """Run the batch that was `asked` for, or what is due; returns the summary."""
    from audiences.pipeline.live.run_batch import Idle, LiveSummary, run_batch, run_due
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRequest, Summary

    # The next run may be on another worker, and must find what this one leaves when it is killed.
    ensure_shared_staging(spec)
    ti, run, number, now = context["ti"], context["dag_run"], asked.batch, datetime.now(UTC)
    # One that was cleared was due long ago, perhaps.
    queued = None if run.clear_number else max((now - run.run_after).total_seconds(), 0)
    request = RunRequest(
        external_id=f"{context['run_id']}__{ti.try_number}",
        at=now,  # not the run's time: users must qualify as they are exported
        allow=asked.allow,
    )
    with (
        metrics.throttle_seconds(spec.id, time.sleep) as throttled,
        CampaignResources(spec, sleep=throttled.sleep, on_file=on_file(Path(project))) as resources,
    ):
        try:
            if number is None:
                done: Summary | Idle | None = run_due(resources, request, queued=queued)
            else:
                done = run_batch(resources, number, request, tries=1, queued=queued)
        except OutsideWindowsError as closed:
            leave_out(context, f"left out: {closed}")
        if isinstance(done, Summary):
            metrics.of_summary(resources, done)
            tell_of_run(resources, done, link=ti.log_url)
    if done is None:
        leave_out(context, f"left out: batch {number} is exported already, or was dropped")
    ti.xcom_push(key=NOTE, value=done.in_words())
    _log.info("%s", done.in_words())
    if isinstance(done, LiveSummary):
        metrics.live_lag(spec.id, done.batch.lag_seconds)
    if done.state != "success":
        raise NotDoneError(done.error or done.state)
    return done.model_dump(mode="json")


class DispatcherTriesAgain(RetryPolicy):
    """An error ends the run, since the dispatcher triggers the batch anew.

    Only a task that was killed is tried again here, and one that another worker can do, in the middle of an upgrade.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002  # Airflow's signature
        max_tries: int,  # noqa: ARG002  # Airflow's signature
        context: Context | None = None,  # noqa: ARG002  # Airflow's signature
    ) -> RetryDecision:
        """Decide for one failure."""
        from audiences.ledger.migrate import LedgerNewerError

        cause = cause_of(exception)
        if isinstance(cause, LedgerNewerError):
            return RetryDecision.retry(delay=UPGRADE_PAUSE, reason=f"{type(cause).__name__} may pass")
        return RetryDecision.fail(reason=f"{type(cause).__name__}; the dispatcher triggers the batch again")

    def serialize(self) -> dict[str, Any]:
        """Nothing to remember."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:  # noqa: ARG003  # Airflow's signature
        """Nothing to restore."""
        return cls()

"""The steps of a run as operators.

No attribute is a template field: a campaign file must not be able to have Jinja rendered.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException, DownstreamTasksSkipped

from audiences.airflow import lineage, metrics
from audiences.airflow.audience_assets import update_of
from audiences.airflow.executors import ensure_shared_staging
from audiences.airflow.failures import NOTE, NotDoneError, leave_out, told
from audiences.airflow.notifying import tell_of_run
from audiences.airflow.operators import handed_over
from audiences.airflow.operators.handed_over import ADD, FOUND, OPEN, PLAN, PLANNED, REMOVE, REMOVE_LATE, SELECT, SPEC
from audiences.airflow.operators.holding import HoldingOperator
from audiences.airflow.operators.previewing import preview_in_task
from audiences.airflow.run_conf import FORM, RunConf
from audiences.campaign.files import on_file
from audiences.logs import logger
from audiences.pipeline.preconditions.export_windows import OutsideWindowsError
from audiences.when.timetable import too_late

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.database import Ledger
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Extracted, Plan, RunRef, RunRequest

_log = logger(__name__)
_NO_FAILURE = (OutsideWindowsError, AirflowSkipException, DownstreamTasksSkipped)
BACKFILL = (
    "left out: a backfill stands for a time that has passed, and what is sent is always as of now; to run the campaign now, "
    "trigger its DAG"
)


class OpenRunOperator(HoldingOperator):
    """Puts the run on record and finds or creates the audience; with `dry_run` it previews instead and ends the run there.

    :param spec: the campaign, as its file says it when the DAG is parsed.
    :param project: the folder with `campaigns/` and `include/`.
    """

    ui_color = "#e8f0fe"

    def __init__(self, *, spec: CampaignSpec, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec, self.project = spec, project

    def execute(self, context: Context) -> Any:
        """Skip a backfill, and the first try of a scheduled run that begins too late; else do `work`."""
        run = context["dag_run"]
        with told(context):
            RunConf.of(self.spec.id, run.conf, *FORM)
        if run.run_type == "backfill":
            leave_out(context, BACKFILL)
        first = run.run_type == "scheduled" and context["ti"].try_number == 1
        if first and too_late(self.spec, run.run_after, datetime.now(UTC)):
            leave_out(
                context, f"left out: it was due on {run.run_after:%d %b %Y at %H:%M %Z}, and that is too long ago"
            )
        return super().execute(context)

    def work(self, context: Context) -> dict[str, Any]:
        """Return the run reference; the campaign goes to XCom under `spec`. Raises StagingNotSharedError."""
        from audiences.ledger import run_timings
        from audiences.pipeline.preconditions.as_of import as_of
        from audiences.pipeline.resources import CampaignResources
        from audiences.pipeline.results import RunRequest
        from audiences.pipeline.steps.open_run import open_run

        asked = RunConf.of(self.spec.id, context["dag_run"].conf, *FORM)
        if asked.dry_run:
            preview_in_task(self.spec, self.project, context, asked, ask_facebook=True)
            others = sorted(self.get_flat_relative_ids(upstream=False))
            raise DownstreamTasksSkipped(tasks=others)  # type: ignore[no-untyped-call]  # Airflow's own has no types
        ensure_shared_staging(self.spec)
        run = context["dag_run"]
        due = run.run_after if run.run_type == "scheduled" else None
        begun, queued = time.perf_counter(), (datetime.now(UTC) - run.run_after).total_seconds()
        with CampaignResources(self.spec, on_file=on_file(Path(self.project))) as resources:
            request = RunRequest(
                external_id=str(context["run_id"]),
                at=as_of(resources, due),
                due=due,
                woken=run.run_type == "asset_triggered",
                again=context["ti"].try_number > 1,
                allow=asked.allow,
                full_refresh=asked.full_refresh,
                may_ask=True,
            )
            with _left_out_if_not_now(request, context):
                opened = open_run(resources, request)
            cleared = bool(run.clear_number)  # long after it was due, perhaps
            spent = {OPEN: time.perf_counter() - begun}
            run_timings.note(resources.ledger, opened.run, spent, queued=0 if cleared else queued)
        context["ti"].xcom_push(key=SPEC, value=self.spec.model_dump_json(by_alias=True))
        return opened.model_dump(mode="json")


@contextmanager
def _left_out_if_not_now(request: RunRequest, context: Context) -> Iterator[None]:
    """Leave out a run that nobody asked for by hand where it may not take place: that is no failure of it."""
    from audiences.pipeline.preconditions.in_force import NotInForceError

    try:
        yield
    except OutsideWindowsError as closed:
        if closed.dropped:
            leave_out(context, f"left out: {closed.what}")
        raise
    except NotInForceError as error:
        if (request.due is not None or request.woken) and not request.again:
            leave_out(context, f"left out: {error.found}")
        raise


class StepOperator(HoldingOperator):
    """A step after `open_run`, from whose XCom it reads the campaign and the run reference."""

    spec: CampaignSpec | None = None
    """The campaign, once the step has begun: for OpenLineage, which asks afterwards."""
    members: int | None = None
    seconds: dict[str, float]
    """What has been done so far took so long, by step; the task's own comes first."""
    closes: ClassVar[bool] = False
    """Whether it only closes the run, which it does whoever is at the campaign and whatever has begun meanwhile."""

    def work(self, context: Context) -> Any:
        """Do the step with its resources; a failure is noted on the run's record before Airflow sees it, and how long it took.

        Raises HandedOverError and LedgerNewerError where the run or the ledger is of another version of the product,
        OvertakenError where another run of the campaign has begun, CampaignBusyError where one is about to, and EndedBeforeError
        for a task that was cleared alone.
        """
        from audiences.pipeline.preconditions.not_overtaken import beside_tasks_of_the_run
        from audiences.pipeline.preconditions.staged_here import ensure_seen
        from audiences.pipeline.resources import CampaignResources

        ti = context["ti"]
        self.spec = spec = handed_over.spec_of(ti)
        run = handed_over.run_of(ti)
        with (
            metrics.throttle_seconds(spec.id, time.sleep) as throttled,
            CampaignResources(spec, sleep=throttled.sleep) as resources,
            self._noted(resources, resources.ledger, run.run),
            nullcontext() if self.closes else beside_tasks_of_the_run(resources, run),
        ):
            if run.staged_on:  # not said of a run that an earlier version opened
                ensure_seen(run.run, run.staging, run.staged_on)
            return self.step(resources, run)

    @contextmanager
    def _noted(self, resources: CampaignResources, ledger: Ledger, run: int) -> Iterator[None]:
        """Put on record why the body failed, and how long it took; nothing where a newer version has the ledger by now."""
        from audiences.ledger import run_timings, runs

        begun, self.seconds = time.perf_counter(), {self.task_id: 0.0}
        try:
            yield
        except BaseException as error:
            resources.ensure_not_newer(error)
            if isinstance(error, Exception) and not isinstance(error, _NO_FAILURE):
                runs.note_error(ledger, run, error)
            run_timings.note(ledger, run, self._spent(begun))
            raise
        run_timings.note(ledger, run, self._spent(begun))

    def _spent(self, begun: float) -> dict[str, float]:
        self.seconds[self.task_id] = time.perf_counter() - begun - sum(self.seconds.values())  # the rest of it
        return self.seconds

    @abstractmethod
    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Do the step; what it returns goes to XCom and is small."""


class ExtractOperator(StepOperator):
    """Stages the qualified users; of a small campaign it goes on to the last removal, and the tasks for that are skipped."""

    def get_openlineage_facets_on_complete(self, _: Any) -> Any:
        """The tables that were read; OpenLineage's provider asks for them."""
        return lineage.tables_read(self.spec) if self.spec else None

    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Return the shards, over which `select` is mapped; everything found goes to XCom under `found`."""
        from audiences.pipeline.steps.extract import extract

        context = get_current_context()
        extracted = extract(resources, run)
        # Not in a run that was cleared: what an earlier attempt of it mapped could not be skipped.
        if not context["dag_run"].clear_number and self._export(resources, run, extracted, context):
            raise DownstreamTasksSkipped(tasks=[SELECT, PLAN, REMOVE, ADD, REMOVE_LATE])  # type: ignore[no-untyped-call]  # Airflow's own has no types
        context["ti"].xcom_push(key=FOUND, value=extracted.model_dump(mode="json"))
        return [shard.model_dump(mode="json") for shard in extracted.shards]

    def _export(self, resources: CampaignResources, run: RunRef, extracted: Extracted, context: Context) -> bool:
        """Go on to the end of the upload, if that is not worth a task for each step; the plan goes to XCom."""
        from audiences.pipeline.run import Timings, export_at_once, is_small

        if not is_small(resources, run, extracted):
            return False

        def keep(planned: Plan) -> None:
            context["ti"].xcom_push(key=PLANNED, value=planned.model_dump(mode="json"))

        timings = Timings(time.sleep, tries=1)  # Airflow tries again
        try:
            export_at_once(resources, run, extracted, timings, on_planned=keep)
        finally:
            self.seconds.update(timings)
        return True


class SelectOperator(StepOperator):
    """Filters a shard and holds out its control groups.

    :param shard: the shard, as `extract` returns it.
    """

    def __init__(self, *, shard: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shard = shard

    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Return the shard's outcome counts."""
        from audiences.pipeline.results import Shard
        from audiences.pipeline.steps.select import select

        shard = handed_over.read(Shard, self.shard)
        get_current_context()["label"] = f"users {shard.number:02d}"  # type: ignore[typeddict-unknown-key]  # for map_index_template
        return select(resources, run, shard).model_dump(mode="json")


class PlanOperator(StepOperator):
    """Decides what is sent, and puts it on record."""

    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Return the requests of each mapped task of `add`; the whole plan goes to XCom under `planned`."""
        from audiences.pipeline.steps.plan import plan

        ti = get_current_context()["ti"]
        planned = plan(resources, run, handed_over.extracted_of(ti), handed_over.selected_of(ti))
        ti.xcom_push(key=PLANNED, value=planned.model_dump(mode="json"))
        return [list(requests) for requests in planned.add_tasks]


class CloseRunOperator(StepOperator):
    """Reconciles the outcome counts and closes the record; fails when the run did.

    Of a run that succeeded its outlet says so to whoever follows the audience; of any other it says nothing.
    """

    ui_color = "#e8f0fe"
    closes = True

    def get_openlineage_facets_on_complete(self, _: Any) -> Any:
        """The audience that was brought up to date, and the tables behind it."""
        return lineage.audience_written(self.spec, members=self.members) if self.spec else None

    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Return the run's summary; its one-line form becomes the note of the DAG run."""
        from audiences.pipeline.steps.close_run import close_run

        context = get_current_context()
        ti = context["ti"]
        summary = close_run(resources, run, handed_over.planned_of(ti))
        ti.xcom_push(key=NOTE, value=summary.in_words())
        _log.info("%s", summary.in_words())
        metrics.of_summary(resources, summary)
        tell_of_run(resources, summary, link=ti.log_url)
        if summary.state != "success":
            raise NotDoneError(summary.error or summary.state)
        self.members = summary.audience.members
        for asset in self.outlets:
            context["outlet_events"][asset].extra.update(update_of(summary))
        return summary.model_dump(mode="json")

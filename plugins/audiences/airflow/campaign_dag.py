"""A campaign as a DAG: open → extract → select → plan → remove → add → link ad sets → close."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Param, chain
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from audiences.airflow.audience_assets import audience_asset, schedule_after
from audiences.airflow.failures import TAG
from audiences.airflow.notifying import OnFailure, deadline_missed
from audiences.airflow.operators import handed_over, live_batch, previewing, sending, steps
from audiences.airflow.retry_policies import ByErrorClass
from audiences.airflow.run_conf import LIFTED_IN_FORM
from audiences.campaign.describe import describe
from audiences.pipeline.results import LIFTABLE
from audiences.redact import harmless_line
from audiences.when.summary import untimed_summary
from audiences.when.timetable import LONGEST_DESCRIPTION, CampaignTimetable, EventTimetable

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk.definitions.asset import BaseAsset

    from audiences.campaign.spec import CampaignSpec

_LABEL = "{{ label }}"


def campaign_dag(spec: CampaignSpec, project: Path) -> DAG:
    """The DAG of one campaign of a project folder, under the campaign's id.

    Drafts and stopped campaigns have no schedule and only preview.
    """
    campaign = spec.campaign
    runs = campaign.status == "published"
    brand = [spec.brand] if spec.brand else []
    with DAG(
        dag_id=spec.id,
        dag_display_name=_display_name(spec),
        description=harmless_line(campaign.description or campaign.name),
        doc_md=describe(spec),
        schedule=_schedule(spec) if runs else None,
        catchup=False,
        max_active_runs=1,
        rerun_with_latest_version=True,  # a cleared run is a run now, by the file of now
        is_paused_upon_creation=False,
        deadline=_deadline(spec) if runs else None,
        tags=[TAG, campaign.status, campaign.qualification, *brand, *map(harmless_line, campaign.tags)],
        default_args={
            "owner": harmless_line(campaign.owner or "audiences"),
            "retries": 8,
            "retry_delay": timedelta(seconds=30),
            "retry_policy": ByErrorClass(),
            "on_failure_callback": OnFailure(spec) if runs and spec.notify.somebody else None,
        },
        render_template_as_native_obj=False,
    ) as dag:
        if runs and campaign.qualification == "live":
            _live(spec, project)
        elif runs:
            _pipeline(spec, project)
        else:
            previewing.PreviewOperator(task_id="preview", spec=spec, project=str(project))
    if runs:
        # Only now: an operator copies the params that its DAG has by then, and Airflow validates every copy at every parse, which
        # is most of the time that a thousand campaigns take. A run's conf is read as such (`run_conf.py`), not from these copies.
        dag.params.update(_form(live=campaign.qualification == "live"))
    return dag


def _display_name(spec: CampaignSpec) -> str:
    """The campaign's name and its id, since Airflow's list of DAGs is searched by what it shows."""
    name = harmless_line(spec.campaign.name)
    return name if name == spec.id else f"{name} ({spec.id})"


def _schedule(spec: CampaignSpec) -> BaseAsset | CampaignTimetable | EventTimetable | None:
    """What it runs after, or its times; of a live campaign, whose runs the dispatcher triggers, only the words for them."""
    when = spec.campaign.when
    if when.on:
        return EventTimetable(harmless_line(untimed_summary(when))[:LONGEST_DESCRIPTION])
    return schedule_after(when.run_after) if when.run_after else CampaignTimetable.of(spec)


def _deadline(spec: CampaignSpec) -> DeadlineAlert | None:
    """From when a run is queued, so that one that waits in a queue is told of as well."""
    if spec.deadline is None or not spec.notify.somebody:
        return None
    # Saved segments may be lists of any length, and say nothing of whom to tell.
    told = {
        "campaign": spec.id,
        "deadline": str(spec.deadline),
        "spec": spec.model_copy(update={"segments": {}}).model_dump_json(by_alias=True, exclude_unset=True),
    }
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=spec.deadline.seconds),
        callback=AsyncCallback(deadline_missed, kwargs=told),
    )


def _pipeline(spec: CampaignSpec, project: Path) -> None:
    opened = steps.OpenRunOperator(
        task_id=handed_over.OPEN, task_display_name="open run", spec=spec, project=str(project)
    )
    extract = steps.ExtractOperator(task_id=handed_over.EXTRACT, task_display_name="extract qualified users")
    select = steps.SelectOperator.partial(
        task_id=handed_over.SELECT, task_display_name="filter, hold out control groups", map_index_template=_LABEL
    ).expand(shard=extract.output)
    plan = steps.PlanOperator(task_id=handed_over.PLAN, task_display_name="plan changes", trigger_rule="none_failed")
    remove = sending.RemoveOperator(
        task_id=handed_over.REMOVE, task_display_name="remove from Facebook", pool=spec.pool
    )
    add = sending.AddOperator.partial(
        task_id=handed_over.ADD,
        task_display_name="add to Facebook",
        pool=spec.pool,
        map_index_template=_LABEL,
    ).expand(requests=plan.output)
    deferred = sending.RemoveDeferredOperator(
        task_id=handed_over.REMOVE_LATE, task_display_name="remove old rows", pool=spec.pool, trigger_rule="none_failed"
    )
    first = [opened, extract, select, plan]
    if spec.campaign.approval:
        from audiences.airflow.operators import approval_tasks  # a tenth of a second, for Airflow's own operator

        ask = approval_tasks.AskOperator(
            task_id=approval_tasks.ASK, task_display_name="ask for approval", trigger_rule="none_failed"
        )
        approve = approval_tasks.ApproveOperator(task_id=approval_tasks.APPROVE, task_display_name="approve", spec=spec)
        first[3:3] = [ask, approve]
    close = steps.CloseRunOperator(
        task_id=handed_over.CLOSE, task_display_name="close run", outlets=[audience_asset(spec)]
    )
    ends = [add, deferred, close]
    if spec.campaign.what.ad_sets or spec.campaign.what.exclude_from_ad_sets:
        link = sending.LinkAdSetsOperator(
            task_id="link_ad_sets", task_display_name="link ad sets", trigger_rule="none_failed"
        )
        ends.insert(2, link)
    chain(*first, remove, *ends)
    add.set_downstream(
        ends[2]
    )  # since the task between them is skipped, long before, where nothing is to be removed late
    opened.as_setup()  # type: ignore[no-untyped-call]  # Airflow's own method has no types
    close.as_teardown(setups=opened, on_failure_fail_dagrun=True)


def _live(spec: CampaignSpec, project: Path) -> None:
    common: dict[str, Any] = {
        "task_id": live_batch.TASK,
        "task_display_name": "export a batch of events",
        "spec": spec,
        "project": str(project),
        "pool": spec.pool,
        "retry_policy": live_batch.DispatcherTriesAgain(),
        "priority_weight": 100,
    }
    if spec.campaign.approval:
        from audiences.airflow.operators import approval_tasks

        approval_tasks.ApprovedBatchOperator(**common)
    else:
        live_batch.RunBatchOperator(**common, retries=2)


def _form(*, live: bool) -> dict[str, Param]:
    """What can be set when a run is triggered by hand; scheduled runs take the defaults."""
    form = {
        "dry_run": Param(
            False, type="boolean", title="Dry run", description="Count what would happen and send nothing."
        ),
        "full_refresh": Param(
            False,
            type="boolean",
            title="Full refresh",
            description="Send the whole set, not only what changed: heals whatever drifted at Facebook.",
        ),
        "allow": Param(
            [],
            type=["array", "null"],  # the form gives null where everything was taken out again
            items={"type": "string", "enum": list(LIFTED_IN_FORM)},
            examples=list(LIFTED_IN_FORM),  # which makes it a pick list
            values_display={guard: LIFTABLE[guard] for guard in LIFTED_IN_FORM},
            title="Guards to lift for this run",
            description="A guard that stopped the last run, if what it found is right.",
        ),
    }
    if live:  # a batch is not the whole set
        del form["full_refresh"]
    return form

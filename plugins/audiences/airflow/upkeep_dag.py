"""What has to be done daily beside the campaigns' runs, as a DAG: a branch per duty, a mapped task per campaign.

A duty is a listing, which names the campaigns it concerns, and an operator that is mapped over their ids. A campaign that
fails is one red task; the others and the other duties go on.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator, CronTriggerTimetable, get_current_context

from audiences.airflow.campaign_dag import POOL
from audiences.airflow.failures import NOTE, TAG, NotDoneError, told
from audiences.airflow.operators.end_campaign import EndCampaignOperator, WithAnEndOperator
from audiences.airflow.retry_policies import ByErrorClass
from audiences.airflow.run_conf import Asked
from audiences.campaign.project import Project
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources

DAG_ID = "audiences_upkeep"
_BUT_BACKFILLS = ("scheduled", "manual", "operator_triggered", "asset_triggered")
_LABEL = "{{ label }}"
_log = logger(__name__)


def upkeep_dag(project: Path) -> DAG:
    """The DAG over the campaigns of a project folder, read anew by each task."""
    with DAG(
        dag_id=DAG_ID,
        dag_display_name="Audiences upkeep",
        description="Measures goals whose windows are open, takes out members whose time is up, ends campaigns that are over, "
        "cleans up staging.",
        doc_md=__doc__,
        schedule=CronTriggerTimetable("15 4 * * *", timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        # The upkeep is about now, so there is nothing to make up for.
        allowed_run_types=_BUT_BACKFILLS,  # type: ignore[arg-type]  # Airflow takes the names, and its own enum is private
        is_paused_upon_creation=False,
        tags=[TAG, "upkeep"],
        default_args={
            "owner": "audiences",
            "retries": 4,
            "retry_delay": timedelta(minutes=1),
            "retry_policy": ByErrorClass(),
        },
    ) as dag:
        with_goals = WithGoalsOperator(
            task_id="with_goals", task_display_name="campaigns with a goal", project=str(project)
        )
        MeasureGoalOperator.partial(
            task_id="measure_goal",
            task_display_name="measure the goal",
            project=str(project),
            map_index_template=_LABEL,
            max_active_tis_per_dagrun=2,
        ).expand(campaign=with_goals.output)
        with_keep_for = WithKeepForOperator(
            task_id="with_keep_for", task_display_name="campaigns with keep_for", project=str(project)
        )
        ExpireOperator.partial(
            task_id="expire",
            task_display_name="take out whose time is up",
            project=str(project),
            map_index_template=_LABEL,
            pool=POOL,
        ).expand(campaign=with_keep_for.output)
        with_an_end = WithAnEndOperator(
            task_id="with_an_end", task_display_name="campaigns that may be over", project=str(project)
        )
        EndCampaignOperator.partial(
            task_id="end",
            task_display_name="carry out on_end",
            project=str(project),
            map_index_template=_LABEL,
            pool=POOL,
        ).expand_kwargs(with_an_end.output)
        TidyOperator(task_id="tidy_staging", task_display_name="clean up staging", project=str(project))
    return dag


class ListOperator(BaseOperator):
    """Names the campaigns that a duty concerns; a broken file is an import error already and stops no other."""

    ui_color = "#e8f0fe"
    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def execute(self, context: Context) -> list[str]:
        """Return the ids, over which the duty is mapped."""
        with told(context):
            Asked.of(DAG_ID, context["dag_run"].conf)
        return sorted(name for name, spec in Project.load(Path(self.project)).campaigns.items() if self.concerns(spec))

    @abstractmethod
    def concerns(self, spec: CampaignSpec) -> bool:
        """Whether the duty is for this campaign, as far as its file says."""


class CampaignOperator(BaseOperator):
    """Does one duty for one campaign."""

    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, campaign: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project, self.campaign = project, campaign

    def execute(self, context: Context) -> str | None:
        """Do it with its resources, as of now, whatever date the DAG run has."""
        from audiences.pipeline.resources import CampaignResources

        get_current_context()["label"] = self.campaign  # type: ignore[typeddict-unknown-key]  # for map_index_template
        with told(context, self.campaign):
            Asked.of(DAG_ID, context["dag_run"].conf)
            with CampaignResources(Project.load_campaign(Path(self.project), self.campaign)) as resources:
                done = self.run_for(resources)
        if done:
            context["ti"].xcom_push(key=NOTE, value=f"{self.campaign}: {done}")
        _log.info("%s", done or "nothing to do")
        return done

    @abstractmethod
    def run_for(self, resources: CampaignResources) -> str | None:
        """Do the duty and say in one line what was done; None when nothing was to be done."""


class TidyOperator(BaseOperator):
    """Cleans up the staging folder, once for all campaigns."""

    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many folders were removed and left; without a campaign there is none."""
        from dataclasses import asdict

        with told(context):
            Asked.of(DAG_ID, context["dag_run"].conf)
        from audiences.pipeline.resources import CampaignResources
        from audiences.pipeline.upkeep.tidy import KEPT_FOR, Tidied, tidy

        # Where staging and ledger are is the project's affair, and the same in all campaigns.
        spec = next(iter(Project.load(Path(self.project)).campaigns.values()), None)
        if spec is None:
            return asdict(Tidied(removed=0, left=0))
        with told(context), CampaignResources(spec) as resources:
            return asdict(tidy(resources.ledger, spec.staging, ended_before=resources.now() - KEPT_FOR))


class WithKeepForOperator(ListOperator):
    """Names the campaigns with `keep_for` that have run or still do; a draft has added nobody."""

    def concerns(self, spec: CampaignSpec) -> bool:
        """Whether the file says `keep_for`."""
        return spec.campaign.what.keep_for is not None and spec.campaign.status != "draft"


class ExpireOperator(CampaignOperator):
    """Takes out members whose time in the audience is up."""

    ui_color = "#fdecea"

    def run_for(self, resources: CampaignResources) -> str | None:
        """Return the summary of the run in one line; fails when the run did."""
        from audiences.pipeline.upkeep.expire import expire

        summary = expire(resources)
        if summary and summary.state != "success":
            raise NotDoneError(summary.in_words())
        return summary.in_words() if summary else None


class WithGoalsOperator(ListOperator):
    """Names the campaigns with a goal, drafts and stopped ones too: their users' windows may still be open."""

    def concerns(self, spec: CampaignSpec) -> bool:
        """Whether the file names a goal."""
        return spec.campaign.goal is not None


class MeasureGoalOperator(CampaignOperator):
    """Measures a campaign's goal while windows are open, and once more when the goal has changed."""

    ui_color = "#e7f6ec"

    def run_for(self, resources: CampaignResources) -> str | None:
        """Return the result in one line; None when no window has been open since the last."""
        from audiences.pipeline.upkeep.measure import is_due, measure

        at = resources.now()
        return measure(resources, at).in_words() if is_due(resources, at) else None

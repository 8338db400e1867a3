"""Daily upkeep of the campaigns that have a file: goals and expired members; and the clean-up of staging."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator, get_current_context

from audiences.airflow.executors import ensure_shared_staging
from audiences.airflow.failures import NOTE, NotDoneError, told
from audiences.airflow.run_conf import RunConf
from audiences.campaign.project import Project
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources

_log = logger(__name__)


class ListOperator(BaseOperator):
    """Names the campaigns that a task of the upkeep is mapped over; a broken file is an import error already and stops no other.

    :param project: the folder with `campaigns/` and `include/`.
    """

    ui_color = "#e8f0fe"
    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def execute(self, context: Context) -> list[str]:
        """Return the ids of the campaigns."""
        with told(context):
            RunConf.of(context["dag_run"].dag_id, context["dag_run"].conf)
        return sorted(name for name, spec in Project.load(Path(self.project)).campaigns.items() if self.concerns(spec))

    @abstractmethod
    def concerns(self, spec: CampaignSpec) -> bool:
        """Whether the task is for this campaign, as far as its file says."""


class CampaignOperator(BaseOperator):
    """Does one task of the upkeep for one campaign.

    :param project: the folder with `campaigns/` and `include/`.
    :param campaign: the campaign's id.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, campaign: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project, self.campaign = project, campaign

    def execute(self, context: Context) -> str | None:
        """Do the task as of now, whatever date the DAG run has."""
        from audiences.pipeline.resources import CampaignResources

        get_current_context()["label"] = self.campaign  # type: ignore[typeddict-unknown-key]  # for map_index_template
        with told(context, self.campaign):
            RunConf.of(context["dag_run"].dag_id, context["dag_run"].conf)
            with CampaignResources(Project.load_campaign(Path(self.project), self.campaign)) as resources:
                done = self.run_for(resources)
        if done:
            context["ti"].xcom_push(key=NOTE, value=f"{self.campaign}: {done}")
        _log.info("%s", done or "nothing to do")
        return done

    @abstractmethod
    def run_for(self, resources: CampaignResources) -> str | None:
        """Do the task and say in one line what was done; None when nothing was to be done."""


class TidyOperator(BaseOperator):
    """Cleans up the staging folder, once for all campaigns.

    :param project: the folder with `campaigns/` and `include/`.
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many folders were removed and left; without a campaign there is none."""
        from dataclasses import asdict

        with told(context):
            RunConf.of(context["dag_run"].dag_id, context["dag_run"].conf)
        from audiences.pipeline.resources import CampaignResources
        from audiences.pipeline.upkeep.tidy import KEPT_FOR, Tidied, tidy

        # Where staging and ledger are is the project's affair, and the same in all campaigns.
        spec = next(iter(Project.load(Path(self.project)).campaigns.values()), None)
        if spec is None:
            return asdict(Tidied(removed=0, left=0))
        with told(context), CampaignResources(spec) as resources:
            return asdict(tidy(resources.ledger, spec.staging, ended_before=resources.now() - KEPT_FOR))


class TellOfAccountsOperator(BaseOperator):
    """Tells of access tokens and API versions that end soon, for all ad accounts of the settings."""

    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def execute(self, context: Context) -> list[str]:
        """Return the titles of what holds, told before or now."""
        from audiences.airflow.notifying import tell_of_accounts

        with told(context):
            RunConf.of(context["dag_run"].dag_id, context["dag_run"].conf)
            found = tell_of_accounts(Path(self.project))
        if found:
            context["ti"].xcom_push(key=NOTE, value="; ".join(found))
        return found


class TellLateOperator(BaseOperator):
    """Sends notices that could not be sent when they were raised, and ends those that nobody awaits any more."""

    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def execute(self, context: Context) -> int:
        """Return how many there were."""
        from audiences.airflow.notifying import tell_late

        with told(context):
            RunConf.of(context["dag_run"].dag_id, context["dag_run"].conf)
            return tell_late(Path(self.project))


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

        ensure_shared_staging(resources.spec)
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

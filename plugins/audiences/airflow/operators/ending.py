"""Daily upkeep: the end of campaigns that are over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import BaseOperator, get_current_context

from audiences.airflow.executors import ensure_shared_staging
from audiences.airflow.failures import NOTE, NotDoneError, told
from audiences.airflow.run_conf import RunConf
from audiences.campaign.files import on_file
from audiences.campaign.project import Project, revived
from audiences.logs import logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

_NOT_LOOKED_FOR: Final = (
    "whose files were deleted is not known, since a folder of campaigns cannot be read; those with a file go on"
)
_log = logger(__name__)


class WithAnEndOperator(BaseOperator):
    """Names the campaigns whose `on_end` may be due: those with one in their file, and those whose file is gone.

    :param project: the folder with `campaigns/` and `include/`.
    """

    ui_color = "#e8f0fe"
    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return `{"campaign": id, "deleted": …}` of each, over which `EndCampaignOperator` is mapped."""
        with told(context):
            RunConf.of(context["dag_run"].dag_id, context["dag_run"].conf)
        from audiences.pipeline.resources import CampaignResources
        from audiences.pipeline.upkeep.end_campaign import deleted_campaigns

        project = Project.load(Path(self.project))
        concerned = [
            {"campaign": name, "deleted": False}
            for name, spec in sorted(project.campaigns.items())
            if spec.campaign.when.on_end != "keep" and spec.campaign.status != "draft"
        ]
        some = next(iter(project.campaigns.values()), None)
        if some is None:  # rather a project that is not there than one without campaigns
            return concerned
        present = on_file(Path(self.project))
        if present is None:  # the folder's own import error says which, and why
            context["ti"].xcom_push(key=NOTE, value=_NOT_LOOKED_FOR)
            _log.warning("%s", _NOT_LOOKED_FOR)
            return concerned
        with told(context), CampaignResources(some) as resources:
            gone = deleted_campaigns(resources.ledger, present, resources.now())
        return concerned + [{"campaign": name, "deleted": True} for name in gone]


class EndCampaignOperator(BaseOperator):
    """Carries out `on_end` of a campaign that is over.

    :param project: the folder with `campaigns/` and `include/`.
    :param campaign: the campaign's id.
    :param deleted: whether its file is gone, so that the file of its last run counts.
    """

    ui_color = "#fdecea"
    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, campaign: str, deleted: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project, self.campaign, self.deleted = project, campaign, deleted

    def execute(self, context: Context) -> str | None:
        """Return what was done in one line, if anything; fails when a person must put something right."""
        get_current_context()["label"] = self.campaign  # type: ignore[typeddict-unknown-key]  # for map_index_template
        with told(context, self.campaign):
            RunConf.of(context["dag_run"].dag_id, context["dag_run"].conf)
            done = self._end()
        if done:
            context["ti"].xcom_push(key=NOTE, value=f"{self.campaign}: {done}")
        _log.info("%s", done or "nothing to do")
        return done

    def _end(self) -> str | None:
        from audiences.pipeline.resources import CampaignResources
        from audiences.pipeline.upkeep.end_campaign import end_campaign

        spec = self._gone() if self.deleted else Project.load_campaign(Path(self.project), self.campaign)
        if spec is None:
            return "its last configuration no longer fits the settings; nothing is done"
        ensure_shared_staging(spec)
        with CampaignResources(spec) as resources:
            ended = end_campaign(resources, deleted=self.deleted)
        if ended and ended.error:
            raise NotDoneError(ended.in_words())
        return ended.in_words() if ended else None

    def _gone(self) -> Any:
        from audiences.ledger import ended_campaigns
        from audiences.pipeline.resources import CampaignResources

        root = Path(self.project)
        with CampaignResources(next(iter(Project.load(root).campaigns.values()))) as resources:
            config = ended_campaigns.last_config(resources.ledger, self.campaign)
        return revived(root, self.campaign, config) if config else None

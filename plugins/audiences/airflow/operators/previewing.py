"""A preview in Airflow: as the one task of a draft, and of any other campaign in the place of a run that was asked to be dry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiences.airflow.failures import NOTE
from audiences.airflow.operators.one_task import OneTaskOperator
from audiences.airflow.run_conf import FORM
from audiences.campaign.files import on_file
from audiences.logs import logger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from audiences.airflow.run_conf import RunConf
    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.steps.preview_report import Preview

_log = logger(__name__)


class PreviewOperator(OneTaskOperator):
    """Counts what a run would do, and writes nothing."""

    ui_color = "#e8f0fe"
    form = FORM

    def work(self, context: Context, asked: RunConf) -> dict[str, Any]:
        """Log and return the preview, whatever of the form of a published campaign was asked for."""
        return preview_in_task(self.spec, self.project, context, asked)


def preview_in_task(
    spec: CampaignSpec, project: str, context: Context, asked: RunConf, *, ask_facebook: bool = False
) -> dict[str, Any]:
    """Log and return the preview; its one-line form becomes the note of the DAG run."""
    found = previewed(spec, project, asked, ask_facebook=ask_facebook)
    context["ti"].xcom_push(key=NOTE, value=found.in_words())
    _log.info("%s", found.in_words())
    # Without the samples: XCom is kept, and they name users.
    return found.model_dump(mode="json", exclude={"samples"})


def previewed(spec: CampaignSpec, project: str, asked: RunConf, *, ask_facebook: bool = False) -> Preview:
    """What a run would do that was asked for like this."""
    from audiences.pipeline.preview import preview
    from audiences.pipeline.resources import CampaignResources

    with CampaignResources(spec, read_only=True, on_file=on_file(Path(project))) as resources:
        return preview(
            resources, resources.now(), ask_facebook=ask_facebook, full_refresh=asked.full_refresh, allow=asked.allow
        )

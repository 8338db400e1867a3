"""What operators share whose task is the only one of a campaign's DAG: a preview, or the run of a batch."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator

from audiences.airflow.failures import told
from audiences.airflow.run_conf import RunConf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from audiences.campaign.spec import CampaignSpec


class OneTaskOperator(BaseOperator):
    """Does its `work` for one campaign, by what the form asked for.

    :param spec: the campaign, as its file says it when the DAG is parsed.
    :param project: the folder with `campaigns/` and `include/`.
    """

    template_fields: Sequence[str] = ()
    form: ClassVar[tuple[str, ...]]
    """What may be asked for, by the names in the run's conf."""

    def __init__(self, *, spec: CampaignSpec, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec, self.project = spec, project

    def execute(self, context: Context) -> dict[str, Any]:
        """Do the work; what fails is told in the note of the run."""
        with told(context):
            return self.work(context, RunConf.of(self.spec.id, context["dag_run"].conf, *self.form))

    @abstractmethod
    def work(self, context: Context, asked: RunConf) -> dict[str, Any]:
        """What the operator is for; returns what becomes the task's result."""

"""The steps of a run that change something at Facebook, as operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowSkipException, DownstreamTasksSkipped

from audiences.airflow.operators.handed_over import REMOVE_LATE
from audiences.airflow.operators.steps import StepOperator

if TYPE_CHECKING:
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef


class RemoveOperator(StepOperator):
    """Sends the planned removals, which go before all additions; where none is to go after them, skips the task for that."""

    ui_color = "#fdecea"

    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Return how many requests were sent and refused."""
        from audiences.ledger import chunks
        from audiences.pipeline.upload.export import export

        sent = export(resources, run, "remove").model_dump(mode="json")
        if not chunks.of_run(resources.ledger, run.run, action="remove", deferred=True):
            get_current_context()["ti"].xcom_push(key="return_value", value=sent)
            raise DownstreamTasksSkipped(tasks=[REMOVE_LATE])  # type: ignore[no-untyped-call]  # Airflow's own has no types
        return sent


class RemoveDeferredOperator(StepOperator):
    """Sends deferred removals: rows under the earlier identifiers, once the additions under the new ones are in."""

    ui_color = "#fdecea"

    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Return how many requests were sent and refused; skipped when there are none, as in nearly every run."""
        from audiences.pipeline.upload.export import export

        sent = export(resources, run, "remove", deferred=True)
        if not sent.requests:
            message = "no removal had to wait for the additions"
            raise AirflowSkipException(message)
        return sent.model_dump(mode="json")


class AddOperator(StepOperator):
    """Sends some of the planned additions; a full refresh sends the full set in one replace session.

    :param requests: the numbers of these requests in the ledger.
    """

    ui_color = "#e7f6ec"

    def __init__(self, *, requests: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.requests = requests

    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Return how many requests were sent and refused."""
        from audiences.pipeline.upload import full_refresh
        from audiences.pipeline.upload.export import export

        label = f"{len(self.requests)} request{'' if len(self.requests) == 1 else 's'}"
        get_current_context()["label"] = label  # type: ignore[typeddict-unknown-key]  # for map_index_template
        if full_refresh.is_planned(resources, run):
            return full_refresh.send(resources, run).model_dump(mode="json")
        return export(resources, run, "add", self.requests).model_dump(mode="json")


class LinkAdSetsOperator(StepOperator):
    """Brings the campaign's ad sets to what its file says; `close_run` tells what a person must put right."""

    ui_color = "#e7f6ec"

    def step(self, resources: CampaignResources, run: RunRef) -> Any:
        """Return how many ad sets were changed."""
        from audiences.pipeline.steps.link_ad_sets import link_ad_sets

        return link_ad_sets(resources, run)

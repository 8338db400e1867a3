"""The sensor of live events: polls, is deferred to the triggerer while nothing is due, and returns the runs to trigger."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator

from audiences.airflow.failures import NOTE, told
from audiences.airflow.polling import Poller, signature
from audiences.airflow.run_conf import RunConf
from audiences.airflow.triggers import ROLL_OVER_SECONDS, UNSEEN_SECONDS, LiveEventsTrigger
from audiences.campaign.files import former_ids
from audiences.campaign.project import Project
from audiences.when.live.watch import Watch, is_live, was_live

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class LiveEventsSensor(BaseSensorOperator):
    """Waits for events of all live campaigns together; returns a run to trigger for each batch that is due.

    :param project: the folder with `campaigns/` and `include/`.
    """

    ui_color = "#fff6dd"
    template_fields: Sequence[str] = ()

    def __init__(self, *, project: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Poll, and be deferred if nothing is due.

        Polling first matters: a trigger that fires within a second of its task's deferral can be lost (apache/airflow#72716).
        """
        with told(context):
            RunConf.of(context["dag_run"].dag_id, context["dag_run"].conf)
        folder = Path(self.project)
        seen = signature(folder)
        watch = _watch(folder)
        with closing(Poller(watch)) as poller, told(context):
            found = poller.poll()
        if not found["batches"]:
            self.defer(
                trigger=LiveEventsTrigger(
                    watch=watch.model_dump(mode="json", by_alias=True, exclude_none=True) if watch else None,
                    seen=seen,
                    roll_over_seconds=UNSEEN_SECONDS if _stays_at_its_commit(context) else ROLL_OVER_SECONDS,
                ),
                method_name="resume",
            )
        return self.resume(context, found)

    def resume(self, context: Context, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Return what the poll found, over which the triggering task is mapped."""
        context["ti"].xcom_push(key=NOTE, value=event["said"])
        batches: list[dict[str, Any]] = event["batches"]
        return batches

    go_on = resume  # the method that tasks name which an earlier version deferred


def _stays_at_its_commit(context: Context) -> bool:
    """Whether the files that this run sees are a checkout of one commit, as of a Git DAG bundle; a run keeps to it."""
    return getattr(getattr(context["ti"], "bundle_instance", None), "version", None) is not None


def _watch(folder: Path) -> Watch | None:
    """The published live campaigns; those whose file is wrong or was renamed at the moment keep their place."""
    project = Project.load(folder)
    broken = {Path(file).stem for file in project.broken if file.startswith("campaigns/")} | former_ids(folder)
    campaigns = project.campaigns.values()
    return Watch.of(filter(is_live, campaigns), stopped=filter(was_live, campaigns), broken=sorted(broken))

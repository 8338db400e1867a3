"""Tasks of a run without Airflow's processes: each is executed here, and what it hands over is kept for the next."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time.context import set_current_context

from audiences.airflow.failures import TaskFailed
from audiences.airflow.operators.steps import OpenRunOperator
from audiences.airflow.retry_policies import ByErrorClass
from audiences.campaign.project import Project

if TYPE_CHECKING:
    from tests.pipeline.conftest import ProjectFolder, Shop

    from audiences.campaign.spec import CampaignSpec
    from audiences.errors import AudiencesError


@pytest.fixture
def spec(project: ProjectFolder, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> CampaignSpec:
    """A campaign whose connections this process looks up, as a task does."""
    for name, value in project.environment.items():
        if name.startswith("AIRFLOW_CONN"):
            monkeypatch.setenv(name, value)
    return Project.load_campaign(project.path, "carts").model_copy(update={"staging": str(shop.staging)})


class Run:
    """The XComs of a run, and the contexts of its tasks."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Any] = {}
        run = {"dag_id": "carts", "conf": {}, "run_type": "manual", "run_after": datetime.now(UTC), "clear_number": 0}
        self.dag_run = SimpleNamespace(**run)

    def execute(self, operator: Any) -> Any:
        task = operator.task_id
        ti = SimpleNamespace(
            task_id=task,
            try_number=1,
            xcom_push=lambda key, value: self.kept.update({(task, key): value}),
            xcom_pull=self._pull,
            log_url="",
        )
        given: Any = {"ti": ti, "dag_run": self.dag_run, "run_id": "manual__1"}
        with set_current_context(given) as context:
            found = operator.execute(context)
        self.kept[task, "return_value"] = found
        return found

    def _pull(self, task_ids: str | list[str], key: str = "return_value") -> Any:
        """As Airflow: a list for a list, in which what is missing is left out."""
        if isinstance(task_ids, str):
            return self.kept.get((task_ids, key))
        return [self.kept[task, key] for task in task_ids if (task, key) in self.kept]

    def fails(self, operator: Any) -> AudiencesError:
        """The error of a task, of which people read the text, and which does not end the run."""
        with pytest.raises(TaskFailed) as raised:
            self.execute(operator)
        assert self.kept[operator.task_id, "failure"] == str(raised.value.error)
        decisions = [ByErrorClass().evaluate(raised.value, tries, 8) for tries in (1, 2, 7)]
        assert {each.action.value for each in decisions} == {"retry"}
        first, *_, last = (each.retry_delay for each in decisions)
        assert first is not None
        assert last is not None
        assert first < last
        return raised.value.error


@pytest.fixture
def run() -> Run:
    return Run()


def opening(spec: CampaignSpec, project: ProjectFolder) -> OpenRunOperator:
    return OpenRunOperator(task_id="open_run", spec=spec, project=str(project.path))

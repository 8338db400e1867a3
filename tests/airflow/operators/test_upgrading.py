"""A rolling upgrade: a worker of the old version meets the ledger of the new one, and what tasks of the new one handed over."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from tests.airflow.operators.conftest import Run, opening
from tests.pipeline.conftest import project, sandbox_server, shop  # noqa: F401  # fixtures

from audiences.airflow.failures import TaskFailed
from audiences.airflow.operators.handed_over import HandedOverError, NothingHandedOverError
from audiences.airflow.operators.live_batch import DispatcherTriesAgain
from audiences.airflow.operators.previewing import PreviewOperator
from audiences.airflow.operators.sending import LinkAdSetsOperator
from audiences.airflow.operators.steps import OpenRunOperator, StepOperator
from audiences.airflow.retry_policies import ByErrorClass
from audiences.ledger.migrate import NEWEST, LedgerNewerError
from audiences.pipeline.results import RunRef
from audiences.pipeline.run import Timings, to_its_end

pytestmark = pytest.mark.integration
NEWER = "9001"


@contextmanager
def migrated_by_a_newer_version(shop):  # noqa: F811  # a value, not the fixture
    """The ledger as that leaves it: with another revision, and a column of another name."""
    shop.sql("alter table audiences.run rename column started_at to began_at", on="ledger")
    shop.sql("update audiences.alembic_version set version_num = %s", NEWER, on="ledger")
    try:
        yield
    finally:
        shop.sql("alter table audiences.run rename column began_at to started_at", on="ledger")
        shop.sql("update audiences.alembic_version set version_num = %s", NEWEST, on="ledger")


def written(shop):  # noqa: F811  # a value, not the fixture
    """Every row of the ledger."""
    tables = shop.sql("select table_name from information_schema.tables where table_schema = 'audiences'", on="ledger")
    return {name: sorted(map(str, shop.sql(f"table audiences.{name}", on="ledger"))) for (name,) in tables}


def test_tasks_that_meet_a_newer_ledger_write_nothing_and_go_on_when_a_worker_is_new(spec, project, shop, run):  # noqa: F811
    link = LinkAdSetsOperator(task_id="link_ad_sets")
    tasks = [opening(spec, project), PreviewOperator(task_id="preview", spec=spec, project=str(project.path))]
    with migrated_by_a_newer_version(shop):
        before = written(shop)
        for task in tasks:
            error = run.fails(task)
            assert isinstance(error, LedgerNewerError)
            assert f"is at revision {NEWER}, and this version of the product knows no later one than {NEWEST}" in str(
                error
            )
            assert "Start what runs here in that version or a newer one" in str(error)
        assert (written(shop), shop.sandbox.admin.requests()) == (before, [])
    run.execute(tasks[0])
    with migrated_by_a_newer_version(shop):
        before = written(shop)
        assert isinstance(run.fails(link), LedgerNewerError)
        assert written(shop) == before
    assert run.execute(link) == 0
    assert shop.sql("select state, error from audiences.run", on="ledger") == [("running", None)]


class HitInTheMiddle(StepOperator):
    """A step in whose middle the ledger is migrated: what it asks fits the tables no more."""

    upgrade = None

    def step(self, resources, run):
        self.upgrade.__enter__()
        self.before = written(self.shop)
        resources.ledger.rows(SimpleNamespace, "select started_at from audiences.run")


def test_a_task_in_whose_middle_the_ledger_is_migrated_writes_nothing_more_and_is_tried_again(spec, project, shop, run):  # noqa: F811
    run.execute(opening(spec, project))
    task = HitInTheMiddle(task_id="extract")
    task.shop, task.upgrade = shop, migrated_by_a_newer_version(shop)
    try:
        assert isinstance(run.fails(task), LedgerNewerError)
        assert written(shop) == task.before
    finally:
        task.upgrade.__exit__(None, None, None)


def test_so_it_is_of_a_run_in_one_task_which_stays_open_for_the_next_try(spec, shop):  # noqa: F811
    shop.now = datetime.now(UTC)
    upgrade = migrated_by_a_newer_version(shop)
    opened = Run()
    opened.execute(OpenRunOperator(task_id="open_run", spec=spec, project="/nowhere"))
    with shop.resources(spec) as resources:
        reference = RunRef.model_validate(opened.kept["open_run", "return_value"])

        def plan():
            upgrade.__enter__()
            resources.ledger.rows(SimpleNamespace, "select started_at from audiences.run")

        try:
            with pytest.raises(LedgerNewerError):
                to_its_end(resources, reference, plan, Timings(shop.wait, tries=1))
            assert shop.sql("select state, error from audiences.run", on="ledger") == [("running", None)]
        finally:
            upgrade.__exit__(None, None, None)


def test_a_live_batch_is_tried_again_in_its_own_run_and_any_other_error_is_left_to_the_dispatcher():
    newer, other = TaskFailed(LedgerNewerError(NEWER)), TaskFailed(HandedOverError("RunRef", ("x",)))
    decide = DispatcherTriesAgain().evaluate
    assert [decide(error, 1, 2).action.value for error in (newer, other, ValueError("x"))] == ["retry", "fail", "fail"]


@pytest.mark.parametrize("key", ["spec", "return_value"])
def test_what_a_task_of_a_newer_version_handed_over_is_left_to_one_that_can_read_it(spec, project, shop, run, key):  # noqa: F811
    run.execute(opening(spec, project))
    kept = run.kept["open_run", key]
    newer = {**(json.loads(kept) if key == "spec" else kept), "salt": 7, "novel": "mary@example.com"}
    run.kept["open_run", key] = json.dumps(newer) if key == "spec" else newer
    error = run.fails(LinkAdSetsOperator(task_id="link_ad_sets"))
    assert isinstance(error, HandedOverError)
    assert ("novel" in str(error)) == (key == "spec"), "a reference to a run may say more than is known"
    assert "mary@example.com" not in str(error)
    assert "that task was of another version" in str(error)


def test_what_was_removed_meanwhile_is_not_waited_for(run):
    """A task of an old run was cleared, whose XComs Airflow keeps for so long only."""
    with pytest.raises(TaskFailed, match="`airflow db clean` does") as raised:
        run.execute(LinkAdSetsOperator(task_id="link_ad_sets"))
    assert isinstance(raised.value.error, NothingHandedOverError)
    assert ByErrorClass().evaluate(raised.value, 1, 8).action.value == "fail"

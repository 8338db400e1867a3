"""Operators, the poller and its trigger in this process, over real projects, ledgers and warehouses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.airflow.conftest import CATALOG
from tests.pipeline.conftest import project, sandbox_server, shop  # noqa: F401  # fixtures
from tests.pipeline.live.conftest import live  # noqa: F401  # the same

from audiences.airflow.failures import TaskFailed
from audiences.airflow.operators.ending import WithAnEndOperator
from audiences.airflow.operators.steps import OpenRunOperator
from audiences.airflow.operators.upkeep import TidyOperator, WithGoalsOperator, WithKeepForOperator
from audiences.airflow.polling import Poller, signature
from audiences.airflow.retry_policies import TRIES_OF_THE_UNKNOWN, ByErrorClass
from audiences.airflow.sensors import _watch
from audiences.airflow.triggers import LiveEventsTrigger
from audiences.airflow.upkeep_dag import DAG_ID
from audiences.campaign.files import accounted_for
from audiences.campaign.project import Project
from audiences.ledger.migrate import NEWEST, LedgerNewerError
from audiences.pipeline.preconditions.shared_staging import StagingNotSharedError
from audiences.when.live.watch import Watch

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two
CAMPAIGN = """
name: {name}
status: {status}
who: {{did: {{event: Added To Cart}}}}
what: {{audience: {{create: {{name: {name}}}}}{what}}}
when: {{now: true{when}}}
{more}
"""


@pytest.fixture
def connected(project, shop, monkeypatch):  # noqa: F811  # fixtures
    """The project, with the shop behind the connections that this process looks up."""
    for name, value in project.environment.items():
        if name.startswith("AIRFLOW_CONN"):
            monkeypatch.setenv(name, value)
    return project


def write(project, name, *, status="published", what="", when="", more=""):  # noqa: F811  # a value, not the fixture
    text = CAMPAIGN.format(name=name, status=status, what=what, when=when, more=more)
    project.write(f"campaigns/{name}.yml", text)


def ran(shop, project, name, **more):  # noqa: F811  # values, not the fixtures
    spec = Project.load_campaign(project.path, name).model_copy(update={"staging": str(shop.staging)})
    return shop.run(spec, at=datetime.now(UTC), **more)


def run_of(operator, dag_id=DAG_ID):
    return operator.execute({"dag_run": SimpleNamespace(dag_id=dag_id, conf={}), "ti": None})


def test_only_campaigns_with_an_end_or_without_a_file_are_ended(connected, shop):  # noqa: F811  # a fixture
    shop.user(1, "one@example.com")
    shop.event(1)
    for name in ("broken", "gone", "renamed"):
        write(connected, name)
        ran(shop, connected, name)
    write(connected, "emptied", when=", on_end: empty")
    write(connected, "sketch", when=", on_end: empty", status="draft")
    write(connected, "successor", more="formerly: renamed")
    for name in ("gone", "renamed"):
        (connected.path / "campaigns" / f"{name}.yml").unlink()
    connected.write("campaigns/broken.yml", "name: [")
    long_ago = datetime.now(UTC) - timedelta(days=2)
    shop.sql("update audiences.campaign set missing_since = %s", long_ago, on="ledger")
    assert run_of(WithAnEndOperator(task_id="x", project=str(connected.path))) == [
        {"campaign": "emptied", "deleted": False},
        {"campaign": "gone", "deleted": True},
    ]


def test_while_a_brands_folder_cannot_be_read_campaigns_end_by_their_files_and_none_counts_as_deleted(connected, shop):  # noqa: F811
    shop.user(1, "one@example.com")
    shop.event(1)
    write(connected, "gone")
    ran(shop, connected, "gone")
    (connected.path / "campaigns/gone.yml").unlink()
    shop.sql("update audiences.campaign set missing_since = %s", datetime.now(UTC) - timedelta(days=2), on="ledger")
    write(connected, "emptied", when=", on_end: empty")
    (connected.path / "campaigns/acme").symlink_to("/nowhere/acme")
    noted = {}
    context = {
        "dag_run": SimpleNamespace(dag_id=DAG_ID, conf={}),
        "ti": SimpleNamespace(xcom_push=lambda key, value: noted.update({key: value})),
    }
    operator = WithAnEndOperator(task_id="x", project=str(connected.path))
    assert operator.execute(context) == [{"campaign": "emptied", "deleted": False}]
    assert "is not known, since a folder of campaigns cannot be read" in noted["note"]


def test_a_file_accounts_for_its_campaign_however_broken_it_is(project):  # noqa: F811  # a fixture
    project.write("campaigns/broken.yml", "name: [")
    project.write("campaigns/renamed.yaml", "name: x\nformerly: [first, second]\n")
    assert accounted_for(project.path) == {"carts", "broken", "renamed", "first", "second"}


def test_members_whose_time_may_be_up_and_goals_are_looked_for_in_the_right_campaigns(connected):
    keep, goal = ", keep_for: 30 days", "goal: {event: Charged, within: 5 days}"
    write(connected, "kept", what=keep)
    write(connected, "sketch", what=keep, status="draft", more=goal)
    write(connected, "stopped", what=keep, status="stopped", more=goal)
    assert run_of(WithKeepForOperator(task_id="x", project=str(connected.path))) == ["kept", "stopped"]
    assert run_of(WithGoalsOperator(task_id="x", project=str(connected.path))) == ["sketch", "stopped"]


def test_staging_of_a_run_stays_for_a_week(connected, shop):  # noqa: F811  # a fixture
    shop.user(1, "one@example.com")
    shop.event(1)
    folders = {}
    for days in (6, 8):
        summary = ran(shop, connected, "carts")
        ((staging,),) = shop.sql("select staging from audiences.run where id = %s", summary.run, on="ledger")
        folders[days] = Path(staging)
        folders[days].mkdir(parents=True, exist_ok=True)
        ended = datetime.now(UTC) - timedelta(days=days)
        shop.sql("update audiences.run set ended_at = %s where id = %s", ended, summary.run, on="ledger")
    assert run_of(TidyOperator(task_id="x", project=str(connected.path))) == {"removed": 1, "left": 1}
    assert {days: folder.exists() for days, folder in folders.items()} == {6: True, 8: False}


def test_a_batch_that_is_offered_again_gets_a_run_of_its_own(connected, live):  # noqa: F811  # a fixture
    live.campaign()
    live.now = datetime.now(UTC) - timedelta(minutes=1)
    live.poll()
    live.event(1, at=datetime.now(UTC))
    poller = Poller(Watch.of(live.specs.values(), stopped=(), broken=()))
    try:
        (first,) = poller.poll()["batches"]
        assert poller.poll()["batches"] == []
        live.shop.sql("update audiences.live_batch set offer_at = now()", on="ledger")
        (again,) = poller.poll()["batches"]
    finally:
        poller.close()
    batch = first["conf"]["batch"]
    assert (first["trigger_run_id"], again["trigger_run_id"]) == (
        f"live__carts__{batch}__1",
        f"live__carts__{batch}__2",
    )
    assert (again["trigger_dag_id"], again["conf"]) == ("carts", {"batch": batch, "events": 1, "try": 2})


def test_a_poll_over_a_ledger_that_was_migrated_meanwhile_writes_nothing_and_the_next_worker_goes_on(connected, live):  # noqa: F811
    live.campaign()
    live.now = datetime.now(UTC) - timedelta(minutes=1)
    live.poll()
    live.event(1, at=datetime.now(UTC))
    sql, poller = live.shop.sql, Poller(Watch.of(live.specs.values(), stopped=(), broken=()))
    try:
        (first,) = poller.poll()["batches"]
        live.event(2, at=datetime.now(UTC))
        sql("update audiences.live_batch set offer_at = now()", on="ledger")
        sql("update audiences.alembic_version set version_num = '9001'", on="ledger")
        for _ in range(2):
            with pytest.raises(LedgerNewerError, match="9001"):
                poller.poll()
        assert sql("select count(*) from audiences.live_event", on="ledger") == [(1,)]
        sql("update audiences.alembic_version set version_num = %s", NEWEST, on="ledger")
        (again,) = poller.poll()["batches"]
        assert again["conf"]["batch"] == first["conf"]["batch"]
    finally:
        sql("update audiences.alembic_version set version_num = %s", NEWEST, on="ledger")
        poller.close()


def test_without_a_live_campaign_there_is_nothing_to_look_for():
    assert Poller(None).poll() == {"batches": [], "said": "no live campaign is published"}


def trigger(folder, seen):
    return LiveEventsTrigger(watch=None, project=str(folder), seen=seen)


def test_where_the_triggerer_cannot_see_the_files_they_have_not_changed(tmp_path):
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "include").mkdir()
    (tmp_path / "campaigns" / "live.yml").write_text("name: live")
    seen = signature(tmp_path)
    assert not trigger(tmp_path / "nowhere", seen)._changed("")
    (tmp_path / "campaigns" / "live.yml").unlink()
    assert trigger(tmp_path, seen)._changed(seen), "it is there, and empty"


@pytest.mark.parametrize("name", ["campaigns/live.yml", "campaigns/other.yaml", "include/warehouse.yml"])
def test_a_file_that_live_campaigns_are_made_of_changes_the_signature(tmp_path, name):
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "include").mkdir()
    before = signature(tmp_path)
    assert not trigger(tmp_path, before)._changed(before)
    (tmp_path / name).write_text(CATALOG)
    assert trigger(tmp_path, before)._changed(before)
    after = signature(tmp_path)
    (tmp_path / "campaigns" / "notes.txt").write_text("no campaign")
    assert signature(tmp_path) == after


def test_live_campaigns_of_other_brands_are_watched_while_a_brands_folder_cannot_be_read(project):  # noqa: F811
    project.write(
        "campaigns/live.yml",
        "name: Live\nstatus: published\nqualification: live\nwhat: {audience: {create: {name: Live}}}\n"
        "when: {on: {event: Added To Cart}}\n",
    )
    whole = _watch(project.path)
    assert "some_unread" not in whole.model_dump(exclude_none=True), "an earlier version's triggerer does not know it"
    before = signature(project.path)
    (project.path / "campaigns/acme").symlink_to("/nowhere/acme")
    while_away = signature(project.path)
    assert _watch(project.path) == whole.model_copy(update={"some_unread": True})
    project.write("campaigns/live.yml", "name: [")
    assert len({before, while_away, signature(project.path)}) == 3


@pytest.mark.parametrize("tries", range(1, TRIES_OF_THE_UNKNOWN + 2))
def test_an_unknown_error_is_tried_again_as_often_as_stated(tries):
    found = ByErrorClass().evaluate(ValueError("x"), tries, 8).action.name
    assert found == ("RETRY" if tries <= TRIES_OF_THE_UNKNOWN else "FAIL")


def test_a_task_that_could_stage_on_another_machines_disk_is_refused_before_anything_is_done(connected, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    write(connected, "dahlia")
    spec = Project.load_campaign(connected.path, "dahlia").model_copy(update={"staging": None})
    run = SimpleNamespace(dag_id="dahlia", conf={}, run_type="manual", run_after=None)
    pushed = {}
    ti = SimpleNamespace(task_id="open_run", try_number=1, xcom_push=lambda key, value: pushed.update({key: value}))
    with pytest.raises(TaskFailed) as raised:
        OpenRunOperator(task_id="open_run", spec=spec, project=str(connected.path)).execute(
            {"dag_run": run, "ti": ti, "run_id": "manual__1"}
        )
    assert isinstance(raised.value.error, StagingNotSharedError)
    assert "CeleryExecutor" in pushed["failure"]
    decision = ByErrorClass().evaluate(raised.value, 1, 8)
    assert (decision.action.value, "may pass" in decision.reason) == ("fail", False)

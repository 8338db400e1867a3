"""Runs of one campaign that come in between each other's tasks, as `audiences run` may beside Airflow; and into none of them."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import DownstreamTasksSkipped
from tests.airflow.operators.conftest import opening
from tests.pipeline.conftest import CARTS, project, sandbox_server, shop  # noqa: F401  # fixtures

from audiences.airflow.failures import NotDoneError, TaskFailed
from audiences.airflow.operators import steps
from audiences.airflow.operators.sending import AddOperator, LinkAdSetsOperator, RemoveOperator
from audiences.airflow.operators.steps import CloseRunOperator, ExtractOperator, PlanOperator, SelectOperator
from audiences.campaign.project import Project
from audiences.ledger import campaigns
from audiences.ledger.campaigns import CampaignBusyError
from audiences.pipeline.preconditions.not_overtaken import OvertakenError
from audiences.sandbox import AD_SETS

pytestmark = pytest.mark.integration


@pytest.fixture
def carts(spec, project, shop):  # noqa: F811  # fixtures
    """A campaign over two users, each step of which is a task."""
    shop.now = datetime.now(UTC)
    for number in (1, 2):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    return edited(spec, project, "tasks: by_step\n")


def edited(spec, project, more, what=""):  # noqa: F811  # values, not the fixtures
    project.write("campaigns/carts.yml", CARTS.replace("guards:", f"{what}guards:") + more)
    return Project.load_campaign(project.path, "carts").model_copy(update={"staging": spec.staging})


def planned(run, spec, project):  # noqa: F811  # values, not the fixtures
    """The tasks up to the plan; gives the requests of each task that adds."""
    run.execute(opening(spec, project))
    for shard in run.execute(ExtractOperator(task_id="extract")):
        run.execute(SelectOperator(task_id="select", shard=shard))
    return run.execute(PlanOperator(task_id="plan"))


def test_no_other_run_begins_while_a_task_has_a_request_on_its_way(carts, project, shop, run, monkeypatch):  # noqa: F811
    ((requests,),) = [planned(run, carts, project)]
    waits = []

    def meanwhile(seconds):
        """Facebook has no time just now; before the next try somebody opts out, and another run wants to take them out."""
        waits.append(seconds)
        shop.sql("update users set opted_out = true where id = 1")
        with suppress(CampaignBusyError):
            shop.run(carts)

    shop.sandbox.admin.add_fault("transient_2", method="POST", path="*/users")
    with monkeypatch.context() as patch:
        patch.setattr(campaigns, "LOCK_WAIT", "50ms")
        patch.setattr(steps, "time", SimpleNamespace(sleep=meanwhile, perf_counter=time.perf_counter))
        run.execute(AddOperator(task_id="add", requests=requests))
    run.execute(CloseRunOperator(task_id="close_run"))
    assert len(waits) == 1
    summary = shop.run(carts)
    assert (summary.state, summary.outcomes["removed"]) == ("success", 1)
    assert shop.members(summary.audience.id) == {shop.row_of("user2@example.com", None)}


def test_a_task_sends_nothing_more_once_another_run_has_begun_and_the_run_is_closed_with_the_reason(
    carts,
    project,  # noqa: F811
    shop,  # noqa: F811
    run,
):
    ((requests,),) = [planned(run, carts, project)]
    shop.sql("update users set opted_out = true where id = 1")
    other = shop.run(carts)
    sent = len(shop.uploads())
    for task in (RemoveOperator(task_id="remove"), AddOperator(task_id="add", requests=requests)):
        with pytest.raises(TaskFailed, match="another run of `carts` has begun since run 1 found its users") as raised:
            run.execute(task)
        assert isinstance(raised.value.error, OvertakenError)
    with pytest.raises(TaskFailed, match="another run changed the audience") as closed:
        run.execute(CloseRunOperator(task_id="close_run"))
    assert isinstance(closed.value.error, NotDoneError)
    assert len(shop.uploads()) == sent
    assert shop.members(other.audience.id) == {shop.row_of("user2@example.com", None)}


@pytest.mark.parametrize("ago", ["1 minute", "2 days"])
def test_a_failed_task_that_is_cleared_alone_goes_on_soon_or_not_at_all(carts, project, shop, run, ago):  # noqa: F811
    """Airflow's `Clear only failed tasks` leaves the first task out; who was found two days ago may have bought since."""
    ((requests,),) = [planned(run, carts, project)]
    shop.sandbox.admin.add_fault("expired_token", method="POST", path="*/users")
    add, close = AddOperator(task_id="add", requests=requests), CloseRunOperator(task_id="close_run")
    for task in (add, close):
        with pytest.raises(TaskFailed, match="token has expired"):
            run.execute(task)
    shop.sql("update audiences.run set ended_at = now() - %s::interval", ago, on="ledger")
    ((audience,),) = shop.sql("select facebook_id from audiences.audience", on="ledger")
    if ago == "1 minute":
        run.execute(add)
        run.execute(close)
        assert len(shop.members(audience)) == 2
        return
    for task in (add, close):
        with pytest.raises(TaskFailed, match=r"only some tasks of run 1 were cleared.*Clear the whole run"):
            run.execute(task)
    assert shop.members(audience) == set()


def test_ad_sets_of_a_run_that_failed_stay_as_the_next_one_left_them(carts, project, shop, run):  # noqa: F811
    linking = edited(carts, project, "tasks: by_step\n", f'ad_sets: ["{AD_SETS[0]}"], ')
    ((requests,),) = [planned(run, linking, project)]
    run.execute(AddOperator(task_id="add", requests=requests))
    with pytest.raises(TaskFailed, match="was not seen to"):
        run.execute(CloseRunOperator(task_id="close_run"))
    assert shop.run(carts).state == "success"
    with pytest.raises(TaskFailed, match="has begun since run 1"):
        run.execute(LinkAdSetsOperator(task_id="link_ad_sets"))
    found = next(one for one in shop.sandbox.admin.state(members=False)["ad_sets"] if one["id"] == AD_SETS[0])
    assert found["targeting"].get("custom_audiences", []) == []


def test_ad_sets_stay_as_the_newer_run_left_them_which_knew_the_file_as_edited(carts, project, shop, run):  # noqa: F811
    linking = edited(carts, project, "tasks: by_step\n", f'ad_sets: ["{AD_SETS[0]}"], ')
    ((requests,),) = [planned(run, linking, project)]
    with suppress(DownstreamTasksSkipped):
        run.execute(RemoveOperator(task_id="remove"))
    run.execute(AddOperator(task_id="add", requests=requests))
    assert shop.run(carts).state == "success"
    with pytest.raises(TaskFailed, match="has begun since run 1"):
        run.execute(LinkAdSetsOperator(task_id="link_ad_sets"))
    found = next(one for one in shop.sandbox.admin.state(members=False)["ad_sets"] if one["id"] == AD_SETS[0])
    assert found["targeting"].get("custom_audiences", []) == []


def test_tasks_of_one_run_do_their_work_side_by_side(carts, project, shop, run, monkeypatch):  # noqa: F811
    run.execute(opening(carts, project))
    (shard,) = run.execute(ExtractOperator(task_id="extract"))
    monkeypatch.setattr(campaigns, "LOCK_WAIT", "50ms")
    ((campaign,),) = shop.sql("select id from audiences.campaign", on="ledger")
    with shop.resources(carts) as other, campaigns.locked(other.ledger, campaign, "carts", shared=True):
        assert run.execute(SelectOperator(task_id="select", shard=shard))
        busy = pytest.raises(CampaignBusyError, match="by another process; nothing was done here")
        with shop.resources(carts) as third, busy, third.working():
            pass

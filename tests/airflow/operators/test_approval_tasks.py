"""The tasks that ask, as the DAG has them, and what becomes of Airflow's answers; real Airflow answers in `test_approval.py`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import TaskDeferred
from tests.pipeline.conftest import project, sandbox_server, shop  # noqa: F401  # fixtures
from tests.pipeline.steps.test_ask import asked, fill  # noqa: F401  # a fixture

from audiences.airflow.campaign_dag import campaign_dag
from audiences.airflow.failures import TaskFailed
from audiences.airflow.operators.approval_tasks import ApproveOperator
from audiences.airflow.operators.upgrading import MOST_PAUSES
from audiences.campaign.project import Project
from audiences.ledger import approvals
from audiences.ledger.migrate import NEWEST

pytestmark = pytest.mark.integration
LIVE = """
name: Live
status: published
approval: required
qualification: live
what: {audience: {create: {name: Live}}, keep_for: 30 days}
when: {on: {event: Added To Cart}}
"""


@pytest.fixture
def connected(project, shop, monkeypatch):  # noqa: F811  # fixtures
    for name, value in project.environment.items():
        if name.startswith("AIRFLOW_CONN"):
            monkeypatch.setenv(name, value)
    project.write("campaigns/carts.yml", project.text("campaigns/carts.yml") + "approval: {approvers: [anna, ben]}\n")
    return project


def spec_of(connected, name="carts"):
    return Project.load_campaign(connected.path, name)


def test_the_question_comes_before_the_plan_and_is_asked_once_with_no_answer_by_default(connected):
    dag = campaign_dag(spec_of(connected), connected.path)
    approve = dag.get_task("approve")
    assert dag.get_task("ask").upstream_task_ids == {"select"}
    assert approve.upstream_task_ids == {"ask"}
    assert dag.get_task("plan").upstream_task_ids == {"approve"}
    assert (approve.retries, approve.defaults, approve.ignore_downstream_trigger_rules) == (0, None, True)
    assert list(approve.template_fields) == [], "no text of a campaign file is ever rendered by Jinja"


def test_a_campaign_without_an_approval_has_no_task_for_it(connected):
    connected.write("campaigns/carts.yml", connected.text("campaigns/carts.yml").partition("approval:")[0])
    dag = campaign_dag(spec_of(connected), connected.path)
    assert not {"ask", "approve"} & set(dag.task_ids)
    assert dag.get_task("plan").upstream_task_ids == {"select"}


def test_a_live_campaign_asks_in_the_one_task_that_exports(connected):
    connected.write("campaigns/live.yml", LIVE)
    dag = campaign_dag(spec_of(connected, "live"), connected.path)
    (task,) = dag.tasks
    assert (task.task_id, task.task_type, task.retries) == ("run_batch", "ApprovedBatchOperator", 0)


@pytest.fixture
def approve(connected, shop, asked):  # noqa: F811  # fixtures
    """The operator of a run that has asked, and what it pushed."""
    fill(shop, 1)
    shop.now = datetime.now(UTC)
    spec = spec_of(connected)
    run = asked(spec)
    pushed = {}
    ti = SimpleNamespace(
        task_id="approve",
        xcom_pull=lambda **_: run.run.model_dump(mode="json"),
        xcom_push=lambda key, value: pushed.update({key: value}),
    )
    return SimpleNamespace(
        operator=ApproveOperator(task_id="approve", spec=spec), run=run, spec=spec, context={"ti": ti}, pushed=pushed
    )


def event(option="Approve", user="anna", **more):
    by = {"id": user, "name": user} if user else None
    return {
        "chosen_options": [option],
        "params_input": {},
        "responded_at": datetime.now(UTC),
        "responded_by_user": by,
        **more,
    }


def state(approve):
    return approvals.of_run(approve.run.resources.ledger, approve.run.run.run).state


def test_a_yes_goes_on_record_and_is_no_permission_before_the_plan_has_verified_it(approve):
    approve.operator.execute_complete(approve.context, event())
    assert state(approve) == "approved"
    approve.run.send()
    assert state(approve) == "in_force"


def test_a_yes_of_somebody_who_is_not_among_the_approvers_sends_nothing(approve):
    """Airflow refuses it; in a mode in which everybody is one admin it does not."""
    approve.operator.execute_complete(approve.context, event(user="Anonymous"))
    approve.run.refused("Anonymous is not among the `approvers`")


@pytest.mark.parametrize(
    ("answer", "why", "became"),
    [
        ({"error": "time is up", "error_type": "timeout"}, "nobody answered before", "unanswered"),
        (event(user=None), "the answer came from nobody", "lapsed"),
    ],
)
def test_no_answer_and_one_of_nobody_end_the_run(approve, answer, why, became):
    with pytest.raises(TaskFailed):
        approve.operator.execute_complete(approve.context, answer)
    assert why in approve.pushed["failure"]
    assert state(approve) == became


def test_an_answer_after_the_file_was_edited_is_void(approve, connected):
    connected.write("campaigns/carts.yml", connected.text("campaigns/carts.yml") + "description: another one\n")
    today = ApproveOperator(task_id="approve", spec=spec_of(connected))
    with pytest.raises(TaskFailed):
        today.execute_complete(approve.context, event())
    assert "edited after the question was asked" in approve.pushed["failure"]
    assert state(approve) == "lapsed"


def at_revision(shop, revision):  # noqa: F811  # a value, not the fixture
    shop.sql("update audiences.alembic_version set version_num = %s", revision, on="ledger")


def test_in_the_middle_of_an_upgrade_neither_question_nor_answer_is_lost_and_nobody_is_asked_twice(approve, shop):  # noqa: F811
    """There is no second try of such a task, which would ask again."""
    at_revision(shop, "9001")
    given = event()
    try:
        with pytest.raises(TaskDeferred) as asks:
            approve.operator.execute(approve.context)
        assert (asks.value.method_name, asks.value.kwargs) == ("take_up", {"answer": None, "pauses": 1})
        with pytest.raises(TaskDeferred) as waits:
            approve.operator.execute_complete(approve.context, given)
        with pytest.raises(TaskDeferred) as again:
            approve.operator.take_up(approve.context, None, **waits.value.kwargs)
        assert again.value.kwargs == {"answer": given, "pauses": 2}
        with pytest.raises(TaskFailed, match="9001"):
            approve.operator.take_up(approve.context, None, answer=given, pauses=MOST_PAUSES)
    finally:
        at_revision(shop, NEWEST)
    approve.operator.take_up(approve.context, None, **again.value.kwargs)
    assert state(approve) == "approved"


@pytest.mark.parametrize(("option", "become"), [("Approve", ["approved", "in_force"]), ("Reject", ["rejected"])])
def test_an_answer_that_is_on_record_is_taken_once_more_after_a_pause(approve, option, become):
    """The pause may come as late as in the middle of what is sent by it."""
    given = event(option)
    for state_by_then in become:
        if state_by_then == "in_force":
            approve.run.send()
        for _ in range(2):
            approve.operator.execute_complete(approve.context, given)
            assert state(approve) == state_by_then
    with pytest.raises(TaskFailed, match="another process has gone on"):
        approve.operator.execute_complete(approve.context, event(option, user="ben"))


def test_an_answer_that_airflow_does_not_offer_is_no_yes(approve):
    with pytest.raises(ValueError, match="not in"):
        approve.operator.execute_complete(approve.context, event(option="Whatever"))
    assert state(approve) == "asked"


def test_an_answer_comes_too_late_by_the_time_of_the_answer(approve):
    late = approve.run.question.until + timedelta(seconds=1)
    approve.operator.execute_complete(approve.context, event(responded_at=late))
    approve.run.refused("came after the deadline")

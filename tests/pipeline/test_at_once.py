"""A small campaign from the extraction to the last removal in one go, as a task of Airflow does it, and does again."""

from __future__ import annotations

import pytest

from audiences.errors import WaitError
from audiences.ledger import chunks, members, run_timings
from audiences.pipeline import run as runs
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import Timings, export_at_once, is_small
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run

pytestmark = pytest.mark.integration


class Task:
    """A run that is open, and its task, which can be tried several times."""

    def __init__(self, shop, resources) -> None:
        self.shop, self.resources = shop, resources
        self.run = open_run(resources, RunRequest(external_id="r", at=shop.now))
        self.plans: list = []

    def extracted(self):
        return extract(self.resources, self.run)

    def attempt(self, on_planned=lambda _: None) -> Timings:
        timings = Timings(self.shop.wait, tries=1)

        def planned(plan) -> None:
            self.plans.append(plan)
            on_planned(plan)

        export_at_once(self.resources, self.run, self.extracted(), timings, on_planned=planned)
        return timings

    def close(self):
        return close_run(self.resources, self.run, self.plans[-1])


@pytest.fixture
def opened(shop):
    """Gives the task of a run of a campaign that finds three users."""
    for number in (1, 2, 3):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    open_ones = []

    def give(**campaign) -> Task:
        resources = shop.resources(shop.campaign(**campaign))
        open_ones.append(resources)
        return Task(shop, resources)

    yield give
    for resources in open_ones:
        resources.__exit__()


def all_three(shop):
    return {shop.row_of(f"user{number}@example.com", None) for number in (1, 2, 3)}


def test_the_plan_is_told_before_anything_is_sent_and_then_all_of_it_is_sent(opened, shop):
    task, sent = opened(), []
    timings = task.attempt(lambda _: sent.append(len(shop.uploads())))
    assert (sent, len(shop.uploads())) == ([0], 1)
    assert list(timings) == ["select", "plan", "remove", "add", "remove_late"]
    assert shop.members(task.run.facebook_id) == all_three(shop)
    assert task.close().outcomes["added"] == 3


def test_a_task_that_was_killed_while_a_request_was_under_way_ends_right_when_it_is_tried_again(opened, shop):
    """Facebook had carried the request out, and the process died before it had the answer."""
    task = opened()

    def die(_):
        (request,) = chunks.of_run(task.resources.ledger, task.run.run)
        chunks.sending(task.resources.ledger, request)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        task.attempt(die)
    shop.sql("delete from events where user_id = 3")
    task.attempt()
    assert shop.members(task.run.facebook_id) == {shop.row_of(f"user{number}@example.com", None) for number in (1, 2)}
    # The request of unknown fate went first, with all three; then who is not wanted any more was taken out.
    assert [(entry["method"], entry["rows"]) for entry in shop.uploads()] == [("POST", 3), ("DELETE", 1)]
    closed = task.close()
    assert (closed.state, closed.outcomes["added"], closed.outcomes["kept"]) == ("success", 2, 0)


def test_a_throttled_task_raises_its_wait_and_goes_on_when_it_is_tried_again(opened, shop):
    shop.sandbox.admin.add_fault("throttle", path="*/users", minutes=1, block=True)
    task = opened()
    with pytest.raises(WaitError):
        task.attempt()
    assert shop.waited == [], "Airflow waits, and the worker is free meanwhile"
    shop.wait(61)
    task.attempt()
    assert shop.members(task.run.facebook_id) == all_three(shop)
    assert task.close().outcomes["added"] == 3


def test_a_campaign_is_small_by_who_qualifies_and_by_who_is_in(opened, monkeypatch):
    task = opened()
    found = task.extracted()
    assert is_small(task.resources, task.run, found)
    task.attempt()
    assert members.more_than(task.resources.ledger, task.run.audience, 2)
    assert not members.more_than(task.resources.ledger, task.run.audience, 3)
    few = found.model_copy(update={"shards": ()})
    monkeypatch.setattr(runs, "SMALL", 2)
    assert not is_small(task.resources, task.run, found)
    assert not is_small(task.resources, task.run, few)
    monkeypatch.setattr(runs, "SMALL", 3)
    assert is_small(task.resources, task.run, found)


def test_steps_that_are_to_be_apart_are_tasks_of_their_own_however_small_the_campaign_is(opened):
    task = opened()
    found, campaign = task.extracted(), task.resources.spec.campaign
    assert not is_small(task.resources, task.run.model_copy(update={"full_refresh": True}), found)
    for update in ({"tasks": "by_step"}, {"approval": object()}):
        task.resources.spec = task.resources.spec.model_copy(update={"campaign": campaign.model_copy(update=update)})
        assert not is_small(task.resources, task.run, found)


def test_the_seconds_of_steps_are_on_record_with_how_long_each_waited(opened):
    task = opened()
    ledger, run = task.resources.ledger, task.run.run
    run_timings.note(ledger, run, {"open_run": 0.5}, queued=2.25)
    ledger.sql.execute("update audiences.run set step_ended_at = now() - interval '10 seconds'")
    run_timings.note(ledger, run, {"extract": 4.0, "select": 3.0})
    run_timings.note(ledger, run, {"extract": 1.0})
    found = run_timings.of_run(ledger, run)
    assert (found["open_run"], found["open_run_queued"]) == (0.5, 2.25)
    assert (found["extract"], found["select"]) == (5.0, 3.0), "tries add up"
    assert found["extract_queued"] == pytest.approx(3.0, abs=1.0), "of ten seconds it worked for seven"
    task.attempt()
    assert task.close().timings == found, "closing keeps what the steps have put on record"
    assert "select_queued" not in found, "it followed in the same process"


def test_a_run_that_is_taken_up_again_is_timed_anew(opened, shop):
    task = opened()
    run_timings.note(task.resources.ledger, task.run.run, {"open_run": 0.5}, queued=9)
    assert open_run(task.resources, RunRequest(external_id="r", at=shop.now)).run == task.run.run
    assert run_timings.of_run(task.resources.ledger, task.run.run) == {}

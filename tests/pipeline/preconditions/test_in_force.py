"""The status of a campaign binds every run, and the ledger knows which runs of its schedule have been."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.pipeline.live.run_batch import run_due
from audiences.pipeline.preconditions.as_of import as_of
from audiences.pipeline.preconditions.in_force import NotInForceError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign

pytestmark = pytest.mark.integration
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LIFTED = frozenset({"status"})
ENDED = {"repeat": {"every": "1 day", "at": "09:00"}, "end": "2026-11-22"}  # the shop's day is the 23rd


@pytest.fixture(autouse=True)
def cart(shop):
    shop.user(1, "one@example.com")
    shop.event(1)


def having(shop, *, status="published", when=None):
    spec = shop.campaign(when=when)
    return spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"status": status})})


def refused(shop, spec, **more):
    with pytest.raises(NotInForceError) as caught:
        shop.run(spec, **more)
    assert caught.value.guard == "status"
    return str(caught.value)


@pytest.mark.parametrize("status", ["draft", "stopped"])
def test_a_draft_and_a_stopped_campaign_do_not_run_unless_allowed_to(shop, status):
    spec = having(shop, status=status)
    said = refused(shop, spec)
    assert status in said
    assert "audiences run carts --allow status" in said
    assert shop.sandbox.admin.requests() == []
    assert shop.run(spec, allow=LIFTED).outcomes["added"] == 1


def test_a_live_campaign_that_is_not_published_does_not_even_look_for_events(shop):
    spec = shop.campaign()
    live = spec.campaign.model_copy(update={"status": "stopped", "qualification": "live"})
    with shop.resources(spec.model_copy(update={"campaign": live})) as resources, pytest.raises(NotInForceError):
        run_due(resources, RunRequest(external_id="by hand", at=shop.now))


def test_a_campaign_whose_end_has_passed_does_not_run_by_hand_unless_allowed_to(shop):
    spec = having(shop, when=ENDED)
    assert "its end has passed" in refused(shop, spec)
    assert shop.run(spec, allow=LIFTED).outcomes["added"] == 1


def test_a_run_of_the_schedule_that_was_on_time_before_the_end_takes_place_and_one_that_was_held_over_it_does_not(shop):
    spec = having(shop, when={"cron": "55 23 * * *", "end": "2026-11-22"})
    due = shop.noon - 12 * HOUR - timedelta(minutes=5)
    shop.now = due + timedelta(minutes=8)
    with shop.resources(spec) as resources:
        request = RunRequest(external_id="last", at=as_of(resources, due), due=due)
        assert run_campaign(resources, request, sleep=shop.wait).state == "success"
    shop.now = due + 9 * HOUR
    assert "its end has passed" in refused(shop, spec, due=due)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"start": "2026-12-01"}, "the campaign starts on Tue 01 Dec 2026"),
        ({"end": "2026-11-22"}, "its end has passed"),
    ],
)
def test_what_it_runs_after_wakes_no_campaign_before_its_start_nor_after_its_end(shop, more, said):
    spec = having(shop, when={"after": "load_orders", **more})
    with shop.resources(spec) as resources, pytest.raises(NotInForceError, match=said):
        run_campaign(resources, RunRequest(external_id="woken", at=shop.now, woken=True), sleep=shop.wait)
    assert shop.uploads() == []


def test_what_it_runs_after_wakes_a_campaign_again_and_again_without_a_due_time(shop):
    spec = having(shop, when={"after": "load_orders", "start": "2026-11-01", "end": "2026-12-31"})
    for number in (1, 2):
        with shop.resources(spec) as resources:
            request = RunRequest(external_id=f"woken {number}", at=as_of(resources, None), woken=True)
            assert run_campaign(resources, request, sleep=shop.wait).state == "success"


def test_before_its_start_a_campaign_runs_by_hand_with_a_warning(shop):
    summary = shop.run(having(shop, when={"now": True, "start": "2026-12-01"}))
    assert (summary.state, summary.outcomes["added"]) == ("success", 1)
    assert summary.warnings == ("run by hand before the campaign's `start` on Tue 01 Dec 2026 at 00:00 UTC",)


def test_now_is_one_run_whatever_airflow_has_forgotten(shop):
    spec = having(shop)
    first = shop.run(spec, due=shop.now)
    for forgotten in (HOUR, 2 * DAY):
        shop.now += forgotten
        assert f"it was run {first.run}" in refused(shop, spec, due=shop.now)
    assert shop.run(spec, due=shop.now, again=True).state == "success"  # cleared on purpose
    assert shop.run(spec).state == "success"  # by hand
    assert shop.run(spec, due=shop.now, allow=LIFTED).state == "success"


def test_a_run_that_a_guard_stopped_does_not_count_as_the_one_of_now(shop):
    shop.sql("truncate events")
    spec = having(shop)
    assert shop.run(spec, due=shop.now).state == "stopped"
    shop.event(1)
    assert shop.run(spec, at=shop.now + HOUR, due=shop.now + HOUR).outcomes["added"] == 1


def test_a_run_by_hand_is_not_the_one_of_now(shop):
    shop.run(having(shop))
    assert shop.run(having(shop), at=shop.now + HOUR, due=shop.now + HOUR).state == "success"


@pytest.mark.parametrize(
    "when", [{"date": "2026-11-23 12:00"}, {"dates": ["2026-11-23 12:00", "2026-12-01"]}, {"cron": "0 12 * * *"}]
)
def test_each_time_of_a_schedule_is_run_once_whatever_airflow_has_forgotten(shop, when):
    spec = having(shop, when=when)
    first = shop.run(spec, due=shop.noon)
    shop.now += HOUR
    assert f"Mon 23 Nov 2026 at 12:00 UTC has taken place: run {first.run}" in refused(shop, spec, due=shop.noon)
    assert shop.run(spec, at=shop.noon + 8 * DAY, due=shop.noon + 8 * DAY).state == "success"


def test_ends_counts_the_runs_of_the_schedule_that_the_ledger_knows_and_no_others(shop):
    spec = having(shop, when={"cron": "0 12 * * *", "ends": {"after": 3}})
    for day in range(3):
        shop.now = shop.noon + day * DAY
        shop.run(spec, due=shop.now)
        if day < 2:  # by hand, and the same one cleared: no more than one of the schedule
            shop.run(spec)
        shop.run(spec, due=shop.now, again=True)
    shop.now += DAY
    assert "the campaign has had its last run, 3 of 3" in refused(shop, spec, due=shop.now)
    assert "it has had its last run" in refused(shop, spec)  # by hand
    assert shop.run(spec, allow=LIFTED).state == "success"


def test_with_a_start_ends_counts_planned_runs_and_the_last_one_takes_place(shop):
    spec = having(shop, when={"cron": "0 12 * * *", "start": "2026-11-22", "ends": {"after": 2}})
    assert shop.run(spec, due=shop.noon).state == "success"
    assert "it has had its last run" in refused(shop, spec)

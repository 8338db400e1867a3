"""Which events make it into batches: property filters, waits, limits, late ones, windows; and that the counts tell all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.pipeline.live.run_batch import run_due
from audiences.pipeline.results import RunRequest

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)


def test_an_event_leads_to_a_batch_and_its_user_into_the_audience(live):
    live.campaign()
    live.event(1, at=live.now - 61 * MINUTE)  # too old already when somebody begins to watch
    assert live.poll().new == 0
    live.event(2)
    live.event(3, "Charged")
    (summary,) = live.poll_and_run()
    assert (summary.state, summary.outcomes["added"], summary.batch.events) == ("success", 1, 1)
    assert live.members() == {2}
    assert live.states() == {"exported": 1}
    assert live.poll_and_run() == []


def test_what_is_not_too_old_when_the_campaign_is_published_counts(live):
    live.campaign(when={"unless": {"event": "Charged", "within": "30 minutes"}})
    for minutes in (10, 80, 95):
        live.event(minutes % 50, at=live.now - minutes * MINUTE)
    live.poll_and_run()
    assert live.members() == {30}
    assert live.states() == {"exported": 1, "waiting": 1}


def test_up_to_ten_triggers_each_with_its_own_property_filter(live):
    live.campaign(
        on=[
            {"event": "Added To Cart", "where": {"category": {"in": ["shoes"]}, "amount": {"at_least": 100}}},
            {"event": "Wishlisted"},
            {"event": "Charged", "where": {"not": {"category": "shoes"}}},
        ]
    )
    live.poll()
    live.event(1, category="shoes", amount=100)
    live.event(2, category="shoes", amount=99)
    live.event(3, category="bags", amount=500)
    live.event(4, "Wishlisted")
    live.event(5, "Charged", category="shoes")
    live.event(6, "Charged")  # no category is not shoes
    live.poll_and_run()
    assert live.members() == {1, 4, 6}


def test_an_inactive_user_is_added_and_one_who_acted_in_time_is_not(live):
    live.campaign(when={"unless": {"event": "Charged", "within": "30 minutes", "where": {"amount": {"more_than": 0}}}})
    live.poll()
    start = live.now
    for user in range(1, 7):
        live.event(user)
    live.event(1, "Charged", at=start + 30 * MINUTE, amount=5)  # just in time
    live.event(2, "Charged", at=start + 31 * MINUTE, amount=5)
    live.event(3, "Charged", at=start, amount=5)  # not after it
    live.event(4, "Charged", at=start + MINUTE, amount=0)  # not what `unless` means
    live.event(5, "Charged", at=start + MINUTE, amount=1)
    assert live.poll_and_run(29 * MINUTE) == []
    (batch,) = live.poll(3 * MINUTE).batches
    summary = live.run(batch, queued=2.5)
    assert live.members() == {2, 3, 4, 6}
    assert summary.batch.decided == {"excluded": 2, "exported": 4}
    assert summary.timings["open_run_queued"] == 2.5
    assert [step for step in summary.timings if step.endswith("_queued")] == ["open_run_queued"]
    assert summary.batch.lag_seconds == 120


def test_unless_waits_for_the_longer_of_within_and_after(live):
    live.campaign(when={"unless": {"event": "Charged", "within": "1 minute"}, "after": "10 minutes"})
    live.poll()
    live.event(1)
    live.event(2)
    live.event(2, "Charged", at=live.now + 5 * MINUTE)  # too late to keep the user out
    assert live.poll_and_run(9 * MINUTE) == []
    live.poll_and_run(2 * MINUTE)
    assert live.members() == {1, 2}


def test_what_comes_to_light_later_than_max_age_is_counted_as_late_and_not_sent(live):
    live.campaign(when={"after": "10 minutes", "max_age": "20 minutes"})
    live.poll()
    live.event(1, at=live.now - 31 * MINUTE, arrived=live.now)
    live.event(2, at=live.now - 29 * MINUTE, arrived=live.now)
    polled = live.poll()
    assert (polled.new, polled.late) == (2, 1)
    (summary,) = [live.run(batch) for batch in polled.batches]
    assert live.members() == {2}
    assert summary.batch.decided == {"exported": 1, "late": 1}


@pytest.mark.parametrize(("limit", "entries"), [("once", 1), ({"times": 2}, 2), (None, 3)])
def test_a_user_enters_as_often_as_the_limit_says_whatever_the_batches(live, limit, entries):
    live.campaign(when={"limit": limit} if limit else {})
    live.poll()
    live.event(1)
    live.poll_and_run()
    live.event(1)
    live.event(1, at=live.now + timedelta(seconds=1))
    live.event(2)
    live.poll_and_run()
    assert live.states() == {"exported": entries + 1, **({"limited": 3 - entries} if limit else {})}
    assert live.members() == {1, 2}


def test_once_per_interval_counts_from_the_last_entry(live):
    live.campaign(when={"limit": {"every": "2 hours"}})
    live.poll()
    live.event(1)
    live.event(1)
    live.poll_and_run()
    assert live.states() == {"exported": 1, "limited": 1}
    live.now += timedelta(minutes=119)
    live.event(1)
    live.poll_and_run()
    assert live.states() == {"exported": 1, "limited": 2}
    live.now += 2 * MINUTE
    live.event(1)
    live.poll_and_run()
    assert live.states() == {"exported": 2, "limited": 2}


def test_who_is_asked_again_at_the_export_and_who_fell_out_is_counted_and_may_enter_another_time(live):
    live.campaign(who={"did_not": {"event": "Charged"}, "control_group": {"system": False}}, when={"limit": "once"})
    live.poll()
    for user in (1, 2, 2, 99):  # 99 is nobody the warehouse knows
        live.event(user)
    (batch,) = live.poll().batches
    live.event(1, "Charged")
    summary = live.run(batch)
    assert summary.outcomes["qualified"] == summary.outcomes["added"] == 1
    assert summary.batch.decided == {"exported": 1, "limited": 1, "not_qualified": 2}
    assert live.members() == {2}
    live.shop.sql("delete from events where name = 'Charged'")
    live.event(1)
    live.poll_and_run()
    assert live.members() == {1, 2}


def test_control_groups_caps_and_properties_work_as_in_any_run(live):
    live.shop.sql("update users set tier = case when id <= 40 then 'gold' else 'tin' end, opted_out = id = 1")
    live.campaign(
        who={
            "with_properties": {"tier": "gold"},
            "control_group": {"percent": 50, "system": False},
            "target_cap": {"users": 12, "per": "total"},
        }
    )
    live.poll()
    targeted = 0
    for first in (1, 26):
        for user in range(first, first + 25):
            live.event(user)
        (summary,) = live.poll_and_run()
        targeted += summary.outcomes["added"]
        assert summary.outcomes["qualified"] == 25
        assert len(live.members()) == targeted
    assert targeted == 12
    assert summary.outcomes["filtered_out"] == 10
    assert summary.outcomes["control_campaign"] > 0
    assert summary.outcomes["over_cap"] > 0


def test_a_later_batch_takes_nobody_out(live):
    live.campaign()
    live.poll()
    for user in (1, 2, 3):
        live.event(user)
        (summary,) = live.poll_and_run()
        assert summary.outcomes["removed"] == 0
    assert live.members() == {1, 2, 3}


def test_buyers_can_be_taken_out_of_an_audience_as_they_buy(live):
    live.campaign()
    live.poll()
    for user in (1, 2, 3):
        live.event(user)
    (summary,) = live.poll_and_run()
    update = {"audience": {"update": {"id": summary.audience.id, "action": "remove_matching"}}}
    live.campaign("buyers", on={"event": "Charged"}, what=update)
    live.poll()
    for user in (2, 3):
        live.event(user, "Charged")
        live.poll_and_run()
    assert live.members() == {1}


def test_outside_the_windows_events_wait_or_are_dropped(live):
    night = {"from": "20:00", "to": "22:00"}
    live.campaign("holds", when={"windows": [night]})
    live.campaign("drops", when={"windows": [night], "outside": "drop"})
    live.poll()
    live.event(1)
    assert live.poll().dropped == 1
    assert (live.states("holds"), live.states("drops")) == ({"waiting": 1}, {"dropped": 1})
    assert [batch.campaign for batch in live.poll(timedelta(hours=8)).batches] == ["holds"]


def test_before_its_start_and_after_its_end_a_campaign_watches_for_nothing(live):
    live.campaign(when={"start": "2026-11-24", "end": "2026-11-24"})
    live.poll()
    live.event(1)
    live.poll()
    assert live.states() == {}
    live.poll(timedelta(hours=13))
    live.event(2)
    assert live.poll().new == 1
    live.poll(timedelta(days=1))
    live.event(3)
    assert live.poll().new == 0


def test_a_campaign_that_was_stopped_begins_anew(live):
    spec = live.campaign(when={"after": "1 hour"})
    live.campaign("other", on={"event": "Charged"})
    live.poll()
    live.event(1)
    live.poll()
    del live.specs["carts"]
    live.poll()
    live.event(2)
    live.specs["carts"] = spec
    live.poll(timedelta(hours=3))
    live.event(3)
    live.poll()
    live.poll_and_run(timedelta(hours=1))
    assert live.states() == {"dropped": 1, "exported": 1}
    assert live.members() == {3}


@pytest.mark.parametrize("away", [{"broken": ("carts",)}, {"some_unread": True}])
def test_a_campaign_whose_file_is_broken_or_away_for_a_while_misses_nothing(live, away):
    spec = live.campaign()
    live.campaign("other", on={"event": "Charged"})
    live.poll()
    del live.specs["carts"]
    live.event(1)
    live.poll(5 * MINUTE, **away)
    live.event(2)
    live.poll(5 * MINUTE, **away)
    assert live.shop.sql("select count(*) from audiences.live_campaign", on="ledger") == [(2,)], "it keeps its place"
    live.specs["carts"] = spec
    live.poll_and_run(5 * MINUTE)
    assert live.members() == {1, 2}


def test_a_time_in_the_future_counts_as_now(live):
    live.campaign(when={"after": "10 minutes"})
    live.poll()
    live.event(1, at=live.now + timedelta(days=400), arrived=live.now)
    live.poll()
    live.poll_and_run(11 * MINUTE)
    assert live.states() == {"exported": 1}


def test_without_an_arrival_time_events_are_found_by_their_own_until_they_are_too_old(live):
    del live.catalog["events"]["arrived_at"]
    live.campaign()
    live.poll()
    live.poll(timedelta(hours=2))
    live.event(1, at=live.now - 50 * MINUTE)
    live.poll_and_run(2 * MINUTE)
    assert live.members() == {1}


def test_what_came_in_at_the_very_moment_from_which_a_campaign_watches_counts(live):
    live.campaign()
    pause = timedelta(seconds=5)
    live.event(1, at=live.now + pause - 60 * MINUTE)
    live.event(2, at=live.now + pause - 60 * MINUTE - timedelta(microseconds=1))
    polled = live.poll(pause)
    assert (polled.new, polled.late, [batch.events for batch in polled.batches]) == (1, 0, [1])


def test_a_run_by_hand_looks_itself_and_has_the_times_of_its_steps_on_record(live):
    live.campaign()
    live.poll()
    live.event(1)
    with live.shop.resources(live.specs["carts"]) as resources:
        request = RunRequest(external_id="by hand", at=live.now + timedelta(seconds=5))
        summary = run_due(resources, request, sleep=live.shop.wait, queued=1.5)
    assert live.members() == {1}
    steps = ["open_run_queued", "open_run", "extract", "select", "plan", "add"]
    assert [step for step in steps if step not in summary.timings] == []
    ((timings,),) = live.shop.sql("select timings from audiences.run", on="ledger")
    assert (timings, timings["open_run_queued"]) == (summary.timings, 1.5)

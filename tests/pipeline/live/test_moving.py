"""A live campaign that becomes one of past behaviour, and the other way round: the same id, the same audience."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.pipeline.live.run_batch import run_batch
from audiences.pipeline.results import RunRequest

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)
LATELY = {"did": {"event": "Added To Cart", "within": "last 30 days"}}


def past(live):
    """The same campaign by a schedule."""
    return live.shop.campaign("carts", who=LATELY, what={"guards": {"max_removal": 100}}, catalog=live.catalog)


def test_its_members_carry_on_and_the_first_mirror_sends_only_the_difference(live):
    live.campaign()
    live.poll()
    for user in (1, 2):
        live.event(user)
    live.poll_and_run()
    assert live.members() == {1, 2}
    live.shop.sql("delete from events where user_id = 1")
    live.event(3)
    sent = len(live.shop.uploads())
    outcomes = live.shop.run(past(live), at=live.now).outcomes
    assert (outcomes["kept"], outcomes["added"], outcomes["removed"]) == (1, 1, 1)
    assert live.members() == {2, 3}
    assert [(entry["method"], entry["rows"]) for entry in live.shop.uploads()[sent:]] == [("DELETE", 1), ("POST", 1)]
    assert live.shop.sql("select count(*) from audiences.audience", on="ledger") == [(1,)]


def test_a_live_campaign_removes_none_of_the_members_that_it_takes_over(live):
    for user in (1, 2):
        live.event(user)
    live.shop.run(past(live), at=live.now)
    live.campaign()
    live.poll_and_run()
    live.event(3)
    live.poll_and_run()
    assert live.members() == {1, 2, 3}


def test_what_it_still_waited_for_is_over_with_its_first_run_by_a_schedule(live):
    """Without another live campaign nobody else is there to notice."""
    live.campaign(when={"after": "1 hour"})
    live.poll()
    live.event(1)
    live.poll()
    live.shop.run(past(live), at=live.now)
    assert live.states() == {"dropped": 1}
    live.poll_and_run(timedelta(hours=2))
    assert live.states() == {"dropped": 1}


def test_the_only_live_campaign_begins_anew_as_well_after_it_was_stopped(live):
    spec = live.campaign(when={"after": "1 hour"})
    live.poll()
    live.event(1)
    live.poll()
    live.stop()
    live.poll()
    assert live.states() == {"dropped": 1}
    live.specs["carts"] = spec
    live.poll_and_run(timedelta(hours=3))
    live.event(2)
    live.poll()
    live.poll_and_run(timedelta(hours=1))
    assert live.states() == {"dropped": 1, "exported": 1}
    assert live.members() == {2}


def test_a_failed_batch_is_dropped_when_its_campaign_is_stopped(live):
    live.campaign()
    live.poll()
    live.event(1)
    live.shop.sandbox.admin.add_fault("expired_token", path="*/users", method="POST", times=None)
    (summary,) = live.poll_and_run()
    assert summary.state == "failed"
    live.shop.sandbox.admin.clear_faults()
    live.stop()
    live.poll()
    assert live.states() == {"batched": 1}  # its run may yet be on its way
    live.poll(MINUTE)
    assert live.states() == {"dropped": 1}
    with live.shop.resources(live.stopped[0]) as resources:
        assert run_batch(resources, summary.batch.id, RunRequest(external_id="late", at=live.now)) is None
    assert live.members() == set()


def test_a_run_that_is_on_its_way_as_its_campaign_ends_is_carried_through(live):
    live.campaign(when={"end": "2026-11-24 12:01"})
    live.poll()
    live.event(1)
    (batch,) = live.poll().batches
    live.poll(50 * timedelta(seconds=1))
    live.run(batch)
    live.poll(MINUTE)
    assert live.states() == {"exported": 1}
    assert live.members() == {1}

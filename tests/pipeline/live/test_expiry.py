from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.pipeline.upkeep.expire import expire

pytestmark = pytest.mark.integration


def test_members_of_a_live_campaign_leave_and_come_back_with_their_next_event(live):
    spec = live.campaign(what={"keep_for": "30 days"})
    live.poll()
    for user in (1, 2):
        live.event(user)
    live.poll_and_run()
    assert live.members() == {1, 2}
    live.now += timedelta(days=31)
    live.shop.now = live.now
    with live.shop.resources(spec) as resources:
        assert expire(resources, sleep=live.shop.wait).outcomes["removed"] == 2
    assert live.members() == set()
    live.event(2)
    live.poll_and_run()
    assert live.members() == {2}


def test_a_member_of_a_live_campaign_whose_time_is_up_stays_with_an_event_of_now(live):
    """Before the daily upkeep came by: to a live campaign every event is a qualification of its own."""
    live.campaign(what={"keep_for": "30 days"})
    live.poll()
    for user in (1, 2):
        live.event(user)
    live.poll_and_run()
    live.now += timedelta(days=31)
    live.event(2)
    (done,) = live.poll_and_run()
    assert done.outcomes["removed"] == 1
    assert live.members() == {2}

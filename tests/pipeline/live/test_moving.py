"""A live campaign that becomes one of past behaviour, and the other way round: the same id, the same audience."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration
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

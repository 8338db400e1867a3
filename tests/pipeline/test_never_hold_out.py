"""Users under `never_hold_out` are found however a file spells their ids, in every step that asks for them."""

from __future__ import annotations

import pytest

from audiences.pipeline.explain import explain

pytestmark = pytest.mark.integration
WHO = {"did": {"event": "Added To Cart"}, "control_group": {"percent": 99}}
LISTED = ["007", "+8", " 9"]


@pytest.fixture
def twenty(shop):
    for user in range(1, 21):
        shop.user(user, f"user{user}@example.com")
        shop.event(user)
    return shop


def targets(shop):
    return {user for (user,) in shop.sql("select user_id from audiences.assignment where arm = 'target'", on="ledger")}


def test_they_are_targets_in_a_preview_an_explanation_and_a_run_and_stay_so_off_the_list(twenty):
    held_out = twenty.run(twenty.campaign("without", who=WHO))
    assert held_out.outcomes["targeted"] <= 2
    spec = twenty.campaign("with", who={**WHO, "never_hold_out": LISTED})
    assert twenty.preview(spec).outcomes["targeted"] >= 3
    with twenty.resources(spec, read_only=True) as resources:
        assert explain(resources, " 7", twenty.now).outcome == "targeted"
    twenty.run(spec)
    assert targets(twenty) >= {"7", "8", "9"}
    off = twenty.run(twenty.campaign("with", who=WHO))
    assert off.outcomes["targeted"] == twenty.preview(spec).outcomes["targeted"]
    with twenty.resources(twenty.campaign("with", who=WHO), read_only=True) as resources:
        assert explain(resources, "7", twenty.now).outcome == "targeted"


def test_ids_of_nobody_are_told_and_stop_nothing(twenty):
    spec = twenty.campaign(who={**WHO, "never_hold_out": ["007", "tester"]})
    said = "1 of the 2 ids in `never_hold_out` is no user's: `tester`; they are compared with `users.key`, `id`"
    assert said in twenty.preview(spec).warnings
    twenty.run(spec)
    assert twenty.sql("select warnings from audiences.run", on="ledger") == [([said],)]
    nobody = twenty.campaign("nobody", who={**WHO, "never_hold_out": ["tester"]})
    assert twenty.preview(nobody).stopped is None
    twenty.run(nobody)

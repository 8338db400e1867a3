"""`keep_for`: members leave after that time, by the campaign's runs and by runs of their own in between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.ledger import expiry
from audiences.pipeline.explain import explain
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.upkeep.expire import expire

pytestmark = pytest.mark.integration
ALWAYS = {"did": {"event": "Added To Cart"}}
LATELY = {"did": {"event": "Added To Cart", "within": "last 7 days"}}
KEEP = {"keep_for": "30 days", "guards": {"allow_empty": True, "max_removal": 100}}


@pytest.fixture
def two(shop):
    for number in (1, 2):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    return shop


def later(shop, days):
    return shop.noon + timedelta(days=days)


def expired(shop, spec, days):
    shop.now = later(shop, days)
    with shop.resources(spec) as resources:
        return expire(resources, sleep=shop.wait)


def adding(shop, who=LATELY, **what):
    return shop.campaign(who=who, what={**KEEP, "audience": {"create": {"name": "carts", "action": "add"}}, **what})


def test_members_leave_when_their_time_is_up(two):
    spec = adding(two)
    audience = two.run(spec).audience.id
    assert two.run(spec, at=later(two, 29)).outcomes["removed"] == 0
    summary = two.run(spec, at=later(two, 30))
    assert (summary.outcomes["removed"], summary.state, two.members(audience)) == (2, "success", set())
    assert two.run(spec, at=later(two, 31)).requests == 0


def test_who_still_qualifies_leaves_too_and_comes_back_by_qualifying_anew(two):
    spec = two.campaign(who=ALWAYS, what=KEEP)
    audience = two.run(spec).audience.id
    for days in (31, 32):
        outcomes = two.run(spec, at=later(two, days)).outcomes
        assert (outcomes["qualified"], outcomes["targeted"], outcomes["over_cap"]) == (2, 0, 2)
        assert two.members(audience) == set()
    two.sql("delete from events where user_id = 1")
    two.run(spec, at=later(two, 33))
    two.event(1)
    outcomes = two.run(spec, at=later(two, 34)).outcomes
    assert (outcomes["added"], outcomes["over_cap"]) == (1, 1)
    assert two.members(audience) == {two.row_of("user1@example.com", None)}


def test_everybody_may_leave_at_once_whatever_the_removal_guard(two):
    spec = two.campaign(who=ALWAYS, what={"keep_for": "30 days", "guards": {"max_removal": 0}})
    two.run(spec)
    assert two.run(spec, at=later(two, 31)).state == "success"


def test_a_preview_says_who_would_leave_and_an_explanation_why(two):
    spec = two.campaign(who=ALWAYS, what=KEEP)
    two.run(spec)
    found = two.preview(spec, at=later(two, 31))
    assert (found.outcomes["removed"], found.changes.remove, found.outcomes["over_cap"]) == (2, 2, 2)
    with two.resources(spec, read_only=True) as resources:
        explained = explain(resources, "1", later(two, 31))
        assert explained.outcome == "over_cap"
        assert explained.because == (
            "the user's time in the audience is up, and they come back once they have ceased to qualify: "
            "in the audience for less than 30 days (time is up)"
        )
        assert explain(resources, "1", later(two, 3)).outcome == "targeted"


def test_between_runs_a_run_of_its_own_takes_out_whose_time_is_up_and_nobody_else(two):
    spec = two.campaign(who=LATELY, what=KEEP)
    audience = two.run(spec).audience.id
    two.user(3, "user3@example.com")
    two.event(3)
    two.run(spec, at=later(two, 5))
    summary = expired(two, spec, 31)
    assert (summary.state, summary.outcomes["removed"], summary.outcomes["qualified"]) == ("success", 2, 0)
    assert two.members(audience) == {two.row_of("user3@example.com", None)}
    assert expired(two, spec, 32) is None
    assert two.sql("select count(*) from audiences.run", on="ledger") == [(3,)]


def test_whom_a_run_of_its_own_took_out_is_not_added_again_while_qualifying(two):
    spec = two.campaign(who=ALWAYS, what=KEEP)
    audience = two.run(spec).audience.id
    expired(two, spec, 31)
    assert two.run(spec, at=later(two, 32)).outcomes["added"] == 0
    assert two.members(audience) == set()


def test_without_keep_for_nothing_is_remembered(two):
    spec = two.campaign(who=ALWAYS, what=KEEP)
    two.run(spec)
    two.run(spec, at=later(two, 31))
    endless = two.campaign(who=ALWAYS)
    assert expired(two, endless, 40) is None
    assert two.run(endless, at=later(two, 41)).outcomes["added"] == 2


def test_expiry_of_a_campaign_that_never_ran_does_nothing(two):
    assert expired(two, two.campaign(what=KEEP), 31) is None
    assert two.sandbox.admin.requests() == []


def test_expiry_leaves_a_run_that_is_under_way_alone(two):
    spec = adding(two)
    two.run(spec)
    two.sql("update audiences.run set state = 'running'", on="ledger")
    assert expired(two, spec, 31) is None


def test_expiry_leaves_a_run_alone_that_was_opened_while_it_looked(two, monkeypatch):
    """A run at the time of the daily upkeep would else be given up for dead, and fail with nothing sent."""
    spec = adding(two)
    two.run(spec)
    look = expiry.expiring

    def meanwhile(*args, **more):
        monkeypatch.setattr(expiry, "expiring", look)
        with two.resources(spec) as resources:
            open_run(resources, RunRequest(external_id="scheduled", at=two.now))
        return look(*args, **more)

    monkeypatch.setattr(expiry, "expiring", meanwhile)
    assert expired(two, spec, 31) is None
    assert two.sql("select external_id, state from audiences.run order by id", on="ledger") == [
        ("run1", "success"),
        ("scheduled", "running"),
    ]


def test_expiry_takes_out_of_a_replaced_audience_by_a_replace(two):
    spec = two.campaign(who=ALWAYS, what={**KEEP, "refresh": "replace"})
    audience = two.run(spec).audience.id
    two.user(3, "user3@example.com")
    two.event(3)
    two.run(spec, at=later(two, 5))
    assert expired(two, spec, 31).outcomes["removed"] == 2
    assert two.members(audience) == {two.row_of("user3@example.com", None)}
    assert two.uploads() == []


def test_a_row_that_another_campaign_holds_stays(two):
    spec = adding(two)
    audience = two.run(spec).audience.id
    two.run(two.campaign("all", who=ALWAYS, what={"audience": {"update": {"id": audience, "action": "add"}}}))
    summary = two.run(spec, at=later(two, 31))
    assert (summary.outcomes["removed"], summary.requests, len(two.members(audience))) == (2, 0, 2)


def test_expiry_by_a_replace_sends_nobody_anew_who_has_opted_out(two):
    spec = two.campaign(who=ALWAYS, what={**KEEP, "refresh": "replace"})
    audience = two.run(spec).audience.id
    for number in (3, 4):
        two.user(number, f"user{number}@example.com")
        two.event(number)
    two.run(spec, at=later(two, 5))
    two.sql("update users set opted_out = true where id = 3")
    summary = expired(two, spec, 31)
    assert (summary.state, summary.outcomes["removed"]) == ("success", 3)
    assert two.members(audience) == {two.row_of("user4@example.com", None)}

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audiences.errors import FacebookAccessError
from audiences.facebook import ad_set_targeting
from audiences.pipeline.preview import preview
from audiences.sandbox import ACCOUNT, AD_SETS, AUDIENCE

pytestmark = pytest.mark.integration
DAILY, LIFETIME = AD_SETS  # by budget; the second one has Advantage+ audience on and excludes AUDIENCE


@pytest.fixture(autouse=True)
def cart(shop):
    shop.at_the_real_time()
    shop.sandbox.admin.put_account(id=ACCOUNT, timezone_name="UTC")
    shop.user(1, "one@example.com")
    shop.event(1)


def ad_set(shop, number):
    return next(one for one in shop.sandbox.admin.state(members=False)["ad_sets"] if one["id"] == number)


def linked(shop, number, place="custom_audiences"):
    return [one["id"] for one in ad_set(shop, number)["targeting"].get(place, [])]


def writes(shop):
    return [ad_set(shop, number)["writes"] for number in AD_SETS]


def carts(shop, name="carts", when=None, **what):
    return shop.campaign(name, what=what, when=when)


def test_ad_sets_are_linked_and_excluded_once_and_nothing_else_in_their_targeting_changes(shop):
    before = [ad_set(shop, number)["targeting"] for number in AD_SETS]
    spec = carts(shop, ad_sets=[DAILY], exclude_from_ad_sets=[LIFETIME])
    audience = shop.run(spec).audience.id
    after = [ad_set(shop, number)["targeting"] for number in AD_SETS]
    assert after[0].pop("custom_audiences") == [{"id": audience}]
    assert linked(shop, LIFETIME, "excluded_custom_audiences") == [AUDIENCE, audience]
    after[1]["excluded_custom_audiences"] = before[1]["excluded_custom_audiences"]
    assert after == before
    assert shop.run(spec).state == "success"
    assert writes(shop) == [1, 1]


def test_what_the_file_drops_is_taken_back_and_what_a_person_linked_stays(shop):
    spec = carts(shop, ad_sets=[DAILY])
    audience = shop.run(spec).audience.id
    with shop.resources(spec) as resources:
        ad_set_targeting.put(resources.facebook, LIFETIME, audience, ad_set_targeting.TargetingList.INCLUDED)
    shop.run(carts(shop, ad_sets=[DAILY, LIFETIME]))
    assert (linked(shop, DAILY), linked(shop, LIFETIME)) == ([audience], [audience])
    shop.run(carts(shop))
    assert (linked(shop, DAILY), linked(shop, LIFETIME)) == ([], [audience])
    assert shop.sql("select count(*) from audiences.ad_set", on="ledger") == [(0,)]


def test_a_link_that_two_campaigns_want_stays_until_both_have_dropped_it(shop):
    update = {"audience": {"update": {"id": AUDIENCE, "action": "mirror"}}}
    one, two = (shop.campaign(name, what={**update, "ad_sets": [DAILY]}) for name in ("one", "two"))
    shop.run(one)
    shop.run(two)
    shop.run(shop.campaign("one", what=update))
    assert linked(shop, DAILY) == [AUDIENCE]
    shop.run(shop.campaign("two", what=update))
    assert linked(shop, DAILY) == []


def test_two_campaigns_that_contradict_each_other_do_not_take_turns(shop):
    update = {"audience": {"update": {"id": AUDIENCE, "action": "mirror"}}}
    shop.run(shop.campaign("one", what={**update, "ad_sets": [DAILY]}))
    summary = shop.run(shop.campaign("two", what={**update, "exclude_from_ad_sets": [DAILY]}))
    assert (summary.state, "another campaign has this audience included" in summary.error) == ("failed", True)
    assert linked(shop, DAILY) == [AUDIENCE]


def test_another_audience_takes_the_place_of_the_old_one(shop):
    shop.run(carts(shop, ad_sets=[DAILY]))
    assert linked(shop, DAILY) != []
    shop.run(carts(shop, audience={"update": {"id": AUDIENCE, "action": "mirror"}}, ad_sets=[DAILY]))
    assert linked(shop, DAILY) == [AUDIENCE]


def test_one_ad_set_that_cannot_be_linked_fails_the_run_and_undoes_neither_the_upload_nor_the_others(shop):
    shop.sandbox.admin.put_ad_set(id=LIFETIME, status="ARCHIVED")
    summary = shop.run(carts(shop, ad_sets=[LIFETIME, DAILY]))
    assert (summary.state, summary.outcomes["added"], summary.outcomes["failed"]) == ("failed", 1, 0)
    assert f"the upload is complete, but not the ad sets: ad set {LIFETIME}" in summary.error
    assert "is archived and can no longer be changed" in summary.in_words()
    assert linked(shop, DAILY) == [summary.audience.id]
    shop.sandbox.admin.put_ad_set(id=LIFETIME, status="ACTIVE")
    assert shop.run(carts(shop, ad_sets=[LIFETIME, DAILY])).state == "success"


def test_a_dropped_ad_set_that_is_gone_at_facebook_is_forgotten(shop):
    shop.run(carts(shop, ad_sets=[DAILY]))
    shop.sandbox.admin.put_ad_set(id=DAILY, status="ARCHIVED")
    assert shop.run(carts(shop)).state == "success"
    assert shop.sql("select count(*) from audiences.ad_set", on="ledger") == [(0,)]


def test_a_link_whose_answer_was_lost_with_the_process_is_still_ours_to_take_back(shop):
    spec = carts(shop, ad_sets=[DAILY])
    audience = shop.run(spec).audience.id
    shop.sql("update audiences.ad_set set made_by_us = null", on="ledger")  # as it is between the write and its record
    shop.run(spec)
    shop.run(carts(shop))
    assert linked(shop, DAILY) == []
    assert audience


def test_advantage_audience_is_a_warning_of_the_run(shop):
    summary = shop.run(carts(shop, ad_sets=[LIFETIME]))
    assert summary.state == "success"
    assert any("Advantage+ audience on" in warning for warning in summary.warnings)


def test_advantage_audience_is_told_even_where_the_schedule_cannot_be_pushed(shop):
    shop.sandbox.admin.put_ad_set(id=LIFETIME, lifetime_budget=None, daily_budget=500)
    when = {"now": True, "windows": [{"from": "09:00", "to": "18:00"}]}
    spec = carts(shop, when=when, ad_sets=[LIFETIME], schedule="campaign")
    summary = shop.run(spec, allow=frozenset({"windows"}))
    assert "has no lifetime budget" in summary.error
    assert any("Advantage+ audience on" in warning for warning in summary.warnings)


def test_a_throttle_is_waited_out_and_the_rest_is_linked(shop):
    shop.sandbox.admin.add_fault("throttle", path=f"/{LIFETIME}", method="POST", times=1, minutes=2)
    summary = shop.run(carts(shop, ad_sets=[DAILY, LIFETIME]))
    assert (summary.state, shop.waited) == ("success", [120])
    assert [linked(shop, number) for number in AD_SETS] == [[summary.audience.id]] * 2


def test_a_dry_run_has_every_change_validated_by_facebook_and_makes_none(shop):
    audience = shop.run(carts(shop)).audience.id
    shop.sandbox.admin.put_ad_set(id=LIFETIME, status="ARCHIVED")
    spec = carts(shop, ad_sets=[DAILY, LIFETIME])
    with shop.resources(spec, read_only=True) as resources:
        found = preview(resources, shop.now, ask_facebook=True)
    assert found.ad_sets[0] == f"ad set {DAILY}: the audience would be included"
    assert "is archived" in found.ad_sets[1]
    assert (linked(shop, DAILY), writes(shop)) == ([], [0, 0])
    assert shop.sql("select count(*) from audiences.ad_set", on="ledger") == [(0,)]
    shop.sandbox.admin.put_audience(id=audience, deleted=True)
    with shop.resources(spec, read_only=True) as resources:
        assert "was deleted" in preview(resources, shop.now, ask_facebook=True).ad_sets[0]


def test_the_campaigns_schedule_goes_onto_the_ad_set_and_is_not_written_twice(shop):
    end = (shop.now + timedelta(days=30)).date()
    when = {"now": True, "end": end, "windows": [{"days": ["mon", "tue"], "from": "09:00", "to": "18:00"}]}
    spec = carts(shop, when=when, ad_sets=[LIFETIME], schedule="campaign")
    for _ in range(2):
        assert shop.run(spec, allow=frozenset({"windows"})).state == "success"
    found = ad_set(shop, LIFETIME)
    midnight = datetime(end.year, end.month, end.day, tzinfo=UTC) + timedelta(days=1)
    assert (found["end_time"], found["pacing_type"], found["writes"]) == (midnight.timestamp(), ["day_parting"], 2)
    part = {"start_minute": 540, "end_minute": 1080, "days": [1, 2], "timezone_type": "ADVERTISER"}
    assert found["adset_schedule"] == [part]


def test_hours_that_facebook_cannot_keep_are_explained_and_the_link_stands(shop):
    when = {"now": True, "windows": [{"from": "09:00", "to": "18:00"}]}
    spec = carts(shop, when=when, ad_sets=[DAILY], schedule="campaign")
    summary = shop.run(spec, allow=frozenset({"windows"}))
    assert summary.state == "failed"
    assert "has no lifetime budget" in summary.error
    assert "Set a lifetime budget in Ads Manager" in summary.error
    assert linked(shop, DAILY) == [summary.audience.id]


HOURS = {"now": True, "windows": [{"from": "09:00", "to": "18:00"}]}
ANYTIME = frozenset({"windows"})


def test_hours_on_another_clock_than_the_ad_accounts_stop_the_run_before_anything_is_sent(shop):
    shop.sandbox.admin.put_account(id=ACCOUNT, timezone_name="Asia/Kolkata")
    spec = carts(shop, when=HOURS, ad_sets=[LIFETIME], schedule="campaign")
    with pytest.raises(
        FacebookAccessError, match=r"on the clock of UTC; .* on the clock of ad account act_1001, Asia/Kolkata"
    ):
        shop.run(spec, allow=ANYTIME)
    ((state, error),) = shop.sql("select state, error from audiences.run", on="ledger")
    assert (state, "Write the ad account's zone as `when.timezone`" in error) == ("failed", True)
    assert {entry["method"] for entry in shop.sandbox.admin.requests()} == {"GET"}
    assert writes(shop) == [0, 0]


def test_the_preview_says_so(shop):
    shop.sandbox.admin.put_account(id=ACCOUNT, timezone_name="Asia/Kolkata")
    spec = carts(shop, when=HOURS, ad_sets=[LIFETIME], schedule="campaign")
    found = shop.preview(spec)
    assert found.stopped.startswith("stopped before anything is sent: `schedule: campaign` gives ad sets the hours")
    assert "Asia/Kolkata" in found.stopped
    assert found.outcomes["qualified"] == 1
    assert "would be stopped before anything is sent" in found.in_words()
    shop.sandbox.admin.put_account(id=ACCOUNT, timezone_name="UTC")
    assert shop.preview(spec).stopped is None


def test_the_preview_says_when_facebook_does_not_tell_the_clock(shop):
    shop.sandbox.admin.add_fault("transient_2", path="/act_1001", times=None)
    found = shop.preview(carts(shop, when=HOURS, ad_sets=[LIFETIME], schedule="campaign"))
    assert found.stopped is None
    (line,) = found.ad_sets
    assert line.startswith("whether the ad account keeps the campaign's time zone is not known")


@pytest.mark.parametrize("zone", ["Etc/UTC", "Atlantic/Reykjavik"])
def test_two_names_of_one_clock_are_no_trouble(shop, zone):
    shop.sandbox.admin.put_account(id=ACCOUNT, timezone_name=zone)
    assert shop.run(carts(shop, when=HOURS, ad_sets=[LIFETIME], schedule="campaign"), allow=ANYTIME).state == "success"


@pytest.mark.parametrize("zone", ["Europe/London", "Mars/Olympus", ""])
def test_a_clock_that_differs_only_in_summer_or_is_unknown_is_another_one(shop, zone):
    shop.sandbox.admin.put_account(id=ACCOUNT, timezone_name=zone)
    with pytest.raises(FacebookAccessError, match=zone or "unknown"):
        shop.run(carts(shop, when=HOURS, ad_sets=[LIFETIME], schedule="campaign"), allow=ANYTIME)


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ({"now": True}, {"ad_sets": [LIFETIME], "schedule": "campaign"}),
        (HOURS, {"ad_sets": [LIFETIME]}),
        (HOURS, {"exclude_from_ad_sets": [LIFETIME], "schedule": "campaign"}),
    ],
)
def test_where_no_hours_go_onto_ad_sets_nobody_asks_for_the_clock(shop, when, what):
    shop.sandbox.admin.put_account(id=ACCOUNT, timezone_name="Asia/Kolkata")
    spec = carts(shop, when=when, **what)
    before = len(shop.sandbox.admin.requests())
    assert shop.preview(spec).stopped is None
    asked = [entry["path"] for entry in shop.sandbox.admin.requests()[before:]]
    assert [path for path in asked if not path.endswith("/customaudiences")] == []
    assert shop.run(spec, allow=ANYTIME).state == "success"

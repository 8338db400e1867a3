from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audiences.ledger import ended_campaigns, runs
from audiences.ledger.campaigns import CampaignBusyError
from audiences.pipeline.preconditions.in_force import why_over
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.upkeep.end_campaign import DELETED_AFTER, MOST_TRIES, deleted_campaigns, end_campaign
from audiences.sandbox import AD_SETS, AUDIENCE

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
SHARED = {"audience": {"update": {"id": AUDIENCE, "action": "mirror"}}}


@pytest.fixture(autouse=True)
def carts(shop):
    shop.at_the_real_time()
    for number, tier in ((1, "Gold"), (2, "Silver")):
        shop.user(number, f"user{number}@example.com", tier=tier)
        shop.event(number)


def campaign(shop, name="carts", *, on_end="empty", status="published", when=None, **more):
    spec = shop.campaign(name, when={"now": True, "on_end": on_end, **(when or {})}, **more)
    return spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"status": status})})


def end(shop, spec, at=None, **more):
    shop.now = at or shop.now
    with shop.resources(spec) as resources:
        return end_campaign(resources, sleep=shop.wait, **more)


def linked(shop, number=AD_SETS[0]):
    found = next(one for one in shop.sandbox.admin.state(members=False)["ad_sets"] if one["id"] == number)
    return [one["id"] for one in found["targeting"].get("custom_audiences", [])]


def held(shop):
    return shop.sql("select count(*) from audiences.member where removed_run is null", on="ledger")[0][0]


def test_emptying_takes_out_whom_the_campaign_held_once_and_on_record(shop):
    audience = shop.run(campaign(shop)).audience.id
    stopped = campaign(shop, status="stopped", what={"guards": {"max_removal": 0}})
    ended = end(shop, stopped)
    assert (ended.reason, ended.removed, ended.error) == ("it is stopped", 2, None)
    assert (shop.members(audience), held(shop)) == (set(), 0)
    assert shop.sql(
        "select state, outcomes ->> 'removed' from audiences.run order by id desc limit 1", on="ledger"
    ) == [("success", "2")]
    sent = len(shop.sandbox.admin.requests())
    assert end(shop, stopped, shop.now + DAY) is None
    assert len(shop.sandbox.admin.requests()) == sent


def test_members_that_another_campaign_holds_stay(shop):
    gold = {"with_properties": {"tier": "Gold"}}
    shop.run(campaign(shop, what=SHARED))
    shop.run(campaign(shop, "gold", who=gold, what=SHARED))
    assert end(shop, campaign(shop, status="stopped", what=SHARED)).removed == 2
    assert shop.members(AUDIENCE) == {shop.row_of("user1@example.com", None)}


def test_a_campaign_that_is_published_again_adds_its_users_anew_and_can_end_again(shop):
    spec = campaign(shop)
    audience = shop.run(spec).audience.id
    stopped = campaign(shop, status="stopped")
    end(shop, stopped)
    assert shop.run(spec).outcomes["added"] == len(shop.members(audience)) == 2
    assert end(shop, stopped, shop.now + DAY).removed == 2


def test_unlinking_takes_back_our_links_and_keeps_the_members(shop):
    what = {"ad_sets": [AD_SETS[0]]}
    audience = shop.run(campaign(shop, on_end="unlink", what=what)).audience.id
    assert linked(shop) == [audience]
    ended = end(shop, campaign(shop, on_end="unlink", status="stopped", what=what))
    assert (ended.error, linked(shop), len(shop.members(audience))) == (None, [], 2)
    shop.run(campaign(shop, on_end="unlink", what=what))
    assert linked(shop) == [audience]


def test_keeping_changes_nothing_at_facebook(shop):
    audience = shop.run(campaign(shop, on_end="keep")).audience.id
    before = len(shop.sandbox.admin.requests())
    assert end(shop, campaign(shop, on_end="keep", status="stopped")).error is None
    assert len(shop.sandbox.admin.requests()) == before
    assert len(shop.members(audience)) == 2


def test_an_audience_that_facebook_will_not_empty_is_tried_for_a_week_and_stays_on_record(shop):
    audience = shop.run(campaign(shop)).audience.id
    shop.sandbox.admin.add_fault("too_low", path="*/users", method="DELETE", times=None)
    stopped = campaign(shop, status="stopped")
    for day in range(MOST_TRIES):
        assert "too few people" in end(shop, stopped, shop.now + day * DAY).error
    assert end(shop, stopped, shop.now + MOST_TRIES * DAY) is None
    assert (len(shop.members(audience)), held(shop)) == (2, 2)


def test_an_audience_that_is_gone_at_facebook_is_told_and_not_made_anew(shop):
    audience = shop.run(campaign(shop)).audience.id
    shop.sandbox.admin.put_audience(id=audience, deleted=True)
    assert audience in end(shop, campaign(shop, status="stopped")).error


def test_a_run_under_way_goes_first(shop):
    shop.run(campaign(shop))
    shop.sql("update audiences.run set state = 'running'", on="ledger")
    assert end(shop, campaign(shop, status="stopped")) is None


def test_a_run_that_was_opened_while_the_upkeep_waited_goes_first_too(shop, monkeypatch):
    spec, stopped = campaign(shop), campaign(shop, status="stopped")
    audience = shop.run(spec).audience.id
    look = runs.under_way

    def meanwhile(ledger, number):
        found = look(ledger, number)
        monkeypatch.setattr(runs, "under_way", look)
        with shop.resources(spec) as resources:
            open_run(resources, RunRequest(external_id="by hand", at=shop.now))
        return found

    monkeypatch.setattr(runs, "under_way", meanwhile)
    with pytest.raises(CampaignBusyError, match="has begun just now"):
        end(shop, stopped)
    assert shop.sql("select state from audiences.run order by id", on="ledger") == [("success",), ("running",)]
    assert end(shop, stopped) is None
    assert len(shop.members(audience)) == 2


def test_a_campaign_that_never_ran_or_is_not_over_is_left_alone(shop):
    assert end(shop, campaign(shop, status="stopped")) is None
    shop.run(campaign(shop))
    assert end(shop, campaign(shop)) is None
    assert held(shop) == 2


@pytest.mark.parametrize(
    ("when", "at", "over"),
    [
        ({"now": True, "end": "2026-12-01"}, "2026-12-01T22:59", None),
        ({"now": True, "end": "2026-12-01"}, "2026-12-01T23:00", "its end has passed"),
        ({"date": "2026-12-01"}, "2027-01-01T00:00", None),
        ({"cron": "0 9 * * *", "start": "2026-12-01", "ends": {"after": 3}}, "2026-12-03T07:59", None),
        (
            {"cron": "0 9 * * *", "start": "2026-12-01", "ends": {"after": 3}},
            "2026-12-03T08:00",
            "it has had its last run",
        ),
        ({"cron": "0 9 * * *", "ends": {"after": 5}}, "2026-12-03T08:00", None),
        ({"cron": "0 9 * * *", "ends": {"after": 4}}, "2026-12-03T08:00", "it has had its last run"),
    ],
)
def test_a_campaign_is_over_by_its_own_clock(shop, when, at, over):
    spec = shop.campaign(when=when, timezone="Europe/Berlin")
    assert why_over(spec, datetime.fromisoformat(at).replace(tzinfo=UTC), scheduled=4) == over


def test_a_draft_is_never_over(shop):
    assert why_over(campaign(shop, status="draft", when={"end": "2026-12-01"}), shop.now + 99 * DAY, 0) is None


def test_a_file_must_be_gone_for_a_day_to_count_as_deleted(shop):
    spec = campaign(shop)
    audience = shop.run(spec).audience.id
    with shop.resources(spec) as resources:

        def gone(after, *present):
            return deleted_campaigns(resources.ledger, set(present), shop.now + after)

        assert gone(0 * DAY, "another") == []
        assert gone(DELETED_AFTER / 2, "carts") == []  # it came back
        assert gone(DELETED_AFTER, "another") == []
        assert gone(3 * DELETED_AFTER) == []  # no file at all is rather a folder that is not there
        assert gone(2 * DELETED_AFTER, "another") == ["carts"]
        assert ended_campaigns.last_config(resources.ledger, "carts")["when"]["on_end"] == "empty"
    assert end(shop, spec, shop.now + 2 * DELETED_AFTER, deleted=True).reason == "its file was deleted"
    assert shop.members(audience) == set()
    with shop.resources(spec) as resources:
        assert deleted_campaigns(resources.ledger, {"another"}, shop.now + 3 * DELETED_AFTER) == []


def test_only_runs_of_the_schedule_are_counted(shop):
    spec = campaign(shop)
    shop.run(spec, due=shop.noon)
    shop.run(spec)
    with shop.resources(spec) as resources:
        assert runs.of_schedule(resources.ledger, resources.campaign().id, shop.noon + DAY).others == 1
        assert runs.of_schedule(resources.ledger, resources.campaign().id, shop.noon).others == 0


def test_the_set_that_is_left_in_an_audience_in_doubt_has_nobody_who_has_opted_out(shop):
    audience = shop.run(campaign(shop)).audience.id
    for number in (3, 4):
        shop.user(number, f"user{number}@example.com", tier="Gold")
        shop.event(number, "Charged")
    buyers = {"did": {"event": "Charged"}}
    what = {"audience": {"update": {"id": audience, "action": "add"}}}
    shop.run(campaign(shop, "buyers", on_end="keep", who=buyers, what=what))
    shop.sql("update users set opted_out = true where id = 3")
    shop.sql("update audiences.audience set in_doubt = 'changed by hand', in_doubt_since = now()", on="ledger")
    assert end(shop, campaign(shop, status="stopped")).error is None
    assert shop.members(audience) == {shop.row_of("user4@example.com", None)}

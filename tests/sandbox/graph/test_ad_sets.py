"""Ad sets: targeting is replaced whole, schedules have rules, nothing is written by a dry run."""

from __future__ import annotations

import pytest

from audiences.sandbox import AD_SETS, AUDIENCE

pytestmark = pytest.mark.integration

DAILY, LIFETIME = AD_SETS
NINE_TO_SIX = {"start_minute": 540, "end_minute": 1080, "days": [1, 2, 3, 4, 5], "timezone_type": "USER"}


def targeting(graph, ad_set=DAILY):
    return graph.get(f"/{ad_set}", fields="targeting").json()["targeting"]


def writes(admin, ad_set=DAILY):
    return next(one["writes"] for one in admin.state(members=False)["ad_sets"] if one["id"] == ad_set)


def test_an_ad_set_has_targeting_that_clients_do_not_know(graph):
    known = targeting(graph)
    assert known["contextual_moment_spec"] == {"moments": [{"key": "m-7", "weight": 0.25}], "mode": "ANY"}
    assert known["targeting_automation"] == {"advantage_audience": 0}


def test_linked_audiences_come_back_with_their_names(graph):
    assert targeting(graph, LIFETIME)["excluded_custom_audiences"] == [{"id": AUDIENCE, "name": "Existing buyers list"}]


def test_an_update_replaces_the_targeting_as_a_whole(graph, admin):
    audience = graph.create("Linked")
    assert graph.post(f"/{DAILY}", targeting={"custom_audiences": [{"id": audience}]}).json() == {"success": True}
    assert targeting(graph) == {"custom_audiences": [{"id": audience, "name": "Linked"}]}
    assert writes(admin) == 1


def test_reading_and_writing_back_changes_nothing_but_the_time(graph, admin):
    before = targeting(graph)
    first = graph.get(f"/{DAILY}", fields="updated_time").json()["updated_time"]
    admin.advance(60)
    graph.call("POST", f"/{DAILY}", json={"targeting": before})
    assert targeting(graph) == before
    assert graph.get(f"/{DAILY}", fields="updated_time").json()["updated_time"] > first


def test_validate_only_checks_and_keeps_nothing(graph, admin, error_of):
    before = targeting(graph)
    dry = {"execution_options": ["validate_only"]}
    assert graph.post(f"/{DAILY}", targeting={"age_min": 30}, **dry).json() == {"success": True}
    assert targeting(graph) == before
    assert writes(admin) == 0
    assert error_of(graph.post(f"/{DAILY}", targeting={"custom_audiences": [{"id": "1"}]}, **dry)) == (100, 1487301)


@pytest.mark.parametrize(
    ("state", "numbers"),
    [({"operation_status": 471}, (100, 1713230)), ({"disabled": True}, (100, 1870065)), ({}, (100, 1487366))],
)
def test_an_audience_that_cannot_be_used_cannot_be_linked(graph, admin, error_of, state, numbers):
    audience = graph.create("Trouble")
    if state:
        admin.put_audience(id=audience, **state)
    else:
        graph.call("DELETE", f"/{audience}")
    for key in ("custom_audiences", "excluded_custom_audiences"):
        assert error_of(graph.post(f"/{DAILY}", targeting={key: [{"id": audience}]})) == numbers
    assert writes(admin) == 0


def test_an_audience_of_another_account_cannot_be_linked(graph, admin, error_of):
    admin.put_account(id="act_2002")
    foreign = admin.put_audience(account="act_2002", name="Foreign")["id"]
    assert error_of(graph.post(f"/{DAILY}", targeting={"custom_audiences": [{"id": foreign}]})) == (100, 1487301)


def test_missing_terms_block_targeting_with_audiences_only(graph, admin, error_of):
    admin.settings(accounts={"act_1001": {"tos_accepted": False}})
    assert error_of(graph.post(f"/{DAILY}", targeting={"custom_audiences": [{"id": AUDIENCE}]})) == (200, 1870034)
    assert graph.post(f"/{DAILY}", targeting={"age_min": 30}).ok


def test_more_than_500_audiences_are_refused(graph, error_of):
    assert error_of(graph.post(f"/{DAILY}", targeting={"custom_audiences": [{"id": AUDIENCE}] * 501})) == (100, None)


def test_a_flagged_audience_may_be_refused_or_let_in_with_issues(graph, admin, error_of):
    audience = graph.create("Flagged")
    admin.put_audience(id=audience, operation_status=471)
    asked = {"custom_audiences": [{"id": audience}]}
    assert error_of(graph.post(f"/{DAILY}", targeting=asked)) == (100, 1713230)
    admin.settings(flagged_in_ad_sets="allowed")
    assert graph.post(f"/{DAILY}", targeting=asked).ok
    assert graph.get(f"/{DAILY}", fields="effective_status").json()["effective_status"] == "WITH_ISSUES"


def test_an_ad_set_with_a_blocked_audience_has_issues(graph, admin):
    audience = graph.create("Soon blocked")
    graph.post(f"/{DAILY}", targeting={"custom_audiences": [{"id": audience}]})
    assert graph.get(f"/{DAILY}", fields="effective_status").json()["effective_status"] == "ACTIVE"
    admin.put_audience(id=audience, operation_status=471)
    answer = graph.get(f"/{DAILY}", fields="effective_status,issues_info").json()
    assert answer["effective_status"] == "WITH_ISSUES"
    assert answer["issues_info"][0]["error_code"] == 1713230


def test_day_parting_needs_a_lifetime_budget(graph, admin, error_of):
    parted = {"pacing_type": ["day_parting"], "adset_schedule": [NINE_TO_SIX]}
    assert error_of(graph.post(f"/{DAILY}", **parted)) == (100, None)
    assert graph.post(f"/{LIFETIME}", **parted).ok
    assert graph.get(f"/{LIFETIME}", fields="adset_schedule").json()["adset_schedule"] == [NINE_TO_SIX]


def test_a_lifetime_budget_of_the_campaign_is_as_good(graph, admin):
    campaign = admin.put_campaign(account="act_1001", name="With budget", lifetime_budget=100_000)["id"]
    ad_set = admin.put_ad_set(account="act_1001", campaign=campaign)["id"]
    parted = {"pacing_type": ["day_parting"], "adset_schedule": [NINE_TO_SIX], "end_time": "2099-01-01T00:00:00+0100"}
    assert graph.post(f"/{ad_set}", **parted).ok
    assert graph.get(f"/{ad_set}", fields="campaign{lifetime_budget}").json()["campaign"] == {
        "id": campaign,
        "lifetime_budget": "100000",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"start_minute": 545},
        {"end_minute": 1441},
        {"end_minute": 540},
        {"days": [7]},
        {"days": []},
        {"days": "12"},
        {"days": [[1]]},
        {"timezone_type": "MINE"},
        {"start_minute": None},
    ],
)
def test_a_schedule_has_whole_hours_and_real_days(graph, error_of, change):
    parted = {"pacing_type": ["day_parting"], "adset_schedule": [NINE_TO_SIX | change]}
    assert error_of(graph.post(f"/{LIFETIME}", **parted)) == (100, None)


def test_parts_of_a_schedule_may_not_overlap(graph, error_of):
    overlapping = [NINE_TO_SIX, NINE_TO_SIX | {"start_minute": 1020, "end_minute": 1200, "days": [5]}]
    assert error_of(graph.post(f"/{LIFETIME}", pacing_type=["day_parting"], adset_schedule=overlapping)) == (100, None)


def test_a_schedule_is_taken_off_together_with_its_pacing(graph, error_of):
    graph.post(f"/{LIFETIME}", pacing_type=["day_parting"], adset_schedule=[NINE_TO_SIX])
    assert error_of(graph.post(f"/{LIFETIME}", pacing_type=["standard"])) == (100, None)
    assert graph.post(f"/{LIFETIME}", pacing_type=["standard"], adset_schedule=[]).ok


def test_times_are_taken_as_iso_8601_or_unix_seconds(graph, error_of):
    assert graph.post(f"/{LIFETIME}", end_time="2099-03-01T00:00:00+05:30").ok
    assert graph.get(f"/{LIFETIME}", fields="end_time").json()["end_time"] == "2099-02-28T18:30:00+0000"
    assert graph.post(f"/{LIFETIME}", end_time=4_000_000_000).ok
    assert error_of(graph.post(f"/{LIFETIME}", end_time="2099-03-01T00:00:00")) == (100, None)
    assert error_of(graph.post(f"/{LIFETIME}", end_time="2020-01-01T00:00:00Z")) == (100, 1487033)
    assert error_of(graph.post(f"/{LIFETIME}", end_time=0)) == (100, None)


def test_of_a_deleted_ad_set_only_the_name_changes(graph, error_of):
    graph.post(f"/{DAILY}", status="DELETED")
    assert error_of(graph.post(f"/{DAILY}", status="ACTIVE")) == (100, 1487056)
    assert graph.post(f"/{DAILY}", name="Gone").ok


def test_ad_sets_are_listed_by_account_and_by_campaign(graph):
    ids = [one["id"] for one in graph.get("/act_1001/adsets", fields="name").json()["data"]]
    assert ids == list(AD_SETS)
    campaign = graph.get("/act_1001/campaigns", fields="name,status").json()["data"][0]["id"]
    assert [one["id"] for one in graph.get(f"/{campaign}/adsets").json()["data"]] == ids
    assert graph.get(f"/{campaign}", fields="name,objective").json()["objective"] == "OUTCOME_SALES"

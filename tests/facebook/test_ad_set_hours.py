from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.facebook.scripted import Answer, ScriptedGraph

from audiences.errors import FacebookAccessError
from audiences.facebook import ad_set_hours
from audiences.facebook.ad_set_hours import AdSetSchedule, DayPart, day_parts
from audiences.facebook.answers import ScheduleAnswer
from audiences.facebook.graph_errors import ScheduleError

if TYPE_CHECKING:
    from audiences.facebook.session import GraphSession

NOW = datetime(2026, 11, 23, tzinfo=UTC)
INDIA = ZoneInfo("Asia/Kolkata")
START = datetime(2026, 12, 1, tzinfo=INDIA)
END = datetime(2027, 3, 1, tzinfo=INDIA)
MORNINGS = DayPart((1, 2, 3, 4, 5), 540, 720)


def changes(found: dict[str, Any], wanted: AdSetSchedule, *, now: datetime) -> dict[str, Any]:
    return ad_set_hours.changes(ScheduleAnswer.model_validate(found), wanted, now=now)


def test_a_window_is_one_part() -> None:
    assert day_parts((5, 1), 540, 1080) == (DayPart((1, 5), 540, 1080),)


def test_a_window_over_midnight_becomes_two_parts_the_second_a_day_later() -> None:
    assert day_parts((5, 6), 1320, 120) == (DayPart((5, 6), 1320, 1440), DayPart((0, 6), 0, 120))


def test_a_window_until_midnight_is_one_part() -> None:
    assert day_parts((1,), 1320, 0) == (DayPart((1,), 1320, 1440),)
    assert day_parts((1,), 0, 1440) == (DayPart((1,), 0, 1440),)


@given(st.sets(st.integers(0, 6), min_size=1), st.integers(0, 23), st.integers(0, 23))
def test_parts_cover_exactly_the_hours_of_the_window(days: set[int], start: int, end: int) -> None:
    length = (end - start) % 24 or 24
    expected = {(day * 24 + start + hour) % 168 for day in days for hour in range(length)}
    covered = {
        day * 24 + hour
        for part in day_parts(tuple(days), start * 60, end * 60)
        for day in part.days
        for hour in range(part.start_minute // 60, part.end_minute // 60)
    }
    assert covered == expected


@pytest.mark.parametrize(("start", "end"), [(545, 720), (540, 725), (-60, 60), (60, 1500)])
def test_a_time_off_the_hour_is_explained(start: int, end: int) -> None:
    with pytest.raises(ScheduleError, match="full hour"):
        day_parts((1,), start, end)


def test_times_that_are_equal_in_another_zone_are_no_change() -> None:
    found = {"start_time": "2026-11-30T18:30:00+0000", "end_time": "2027-02-28T10:30:00-0800"}
    assert changes(found, AdSetSchedule(START, END), now=NOW) == {}


def test_start_end_and_hours_are_set() -> None:
    found = {"start_time": "2026-12-24T00:00:00+0000", "pacing_type": ["standard"]}
    assert changes(found, AdSetSchedule(START, END, (MORNINGS,)), now=NOW) == {
        "start_time": "2026-12-01T00:00:00+05:30",
        "end_time": "2027-03-01T00:00:00+05:30",
        "pacing_type": ["day_parting"],
        "adset_schedule": [
            {"start_minute": 540, "end_minute": 720, "days": [1, 2, 3, 4, 5], "timezone_type": "ADVERTISER"}
        ],
    }


def test_a_start_that_has_passed_is_left_alone() -> None:
    begun = {"start_time": "2026-11-01T00:00:00+0000"}
    assert changes(begun, AdSetSchedule(start=START), now=NOW) == {}
    assert changes({}, AdSetSchedule(start=datetime(2026, 11, 1, tzinfo=UTC)), now=NOW) == {}


def test_hours_that_are_gone_from_the_campaign_are_switched_off() -> None:
    found = {"pacing_type": ["day_parting"], "adset_schedule": [MORNINGS.as_json()]}
    assert changes(found, AdSetSchedule(), now=NOW) == {"pacing_type": ["standard"], "adset_schedule": []}


def test_hours_in_the_viewers_time_zone_are_replaced() -> None:
    found = {"pacing_type": ["day_parting"], "adset_schedule": [{**MORNINGS.as_json(), "timezone_type": "USER"}]}
    assert "adset_schedule" in changes(found, AdSetSchedule(parts=(MORNINGS,)), now=NOW)


@pytest.mark.parametrize("schedule_found", [None, "x", ["x"], [{}], [{"timezone_type": "ADVERTISER", "days": ["a"]}]])
@pytest.mark.parametrize(
    "time_found", [None, "", "soon", 0, "2026-12-01", "1969-12-31T16:00:00-0800", [], 10**18, -1, "9" * 30]
)
def test_an_ad_set_in_a_form_unknown_to_us_is_set_anew(schedule_found: Any, time_found: Any) -> None:
    found = {"end_time": time_found, "pacing_type": ["day_parting"], "adset_schedule": schedule_found}
    assert set(changes(found, AdSetSchedule(end=END, parts=(MORNINGS,)), now=NOW)) == {
        "end_time",
        "pacing_type",
        "adset_schedule",
    }


@pytest.mark.integration
def test_hours_without_a_lifetime_budget_are_explained_and_not_sent(
    scripted: ScriptedGraph, graph: GraphSession
) -> None:
    scripted.play(Answer(body={"id": "9", "lifetime_budget": "0"}))
    with pytest.raises(FacebookAccessError, match="lifetime budget"):
        ad_set_hours.push(graph, "9", AdSetSchedule(START, END, (MORNINGS,)), now=NOW)
    assert len(scripted.seen) == 1


@pytest.mark.integration
def test_the_lifetime_budget_may_be_the_facebook_campaign_s(scripted: ScriptedGraph, graph: GraphSession) -> None:
    found = {"id": "9", "lifetime_budget": "0", "campaign": {"id": "8", "lifetime_budget": "90000"}}
    scripted.play(Answer(body=found), Answer(body={"success": True}))
    assert ad_set_hours.push(graph, "9", AdSetSchedule(START, END, (MORNINGS,)), now=NOW).changed


@pytest.mark.integration
def test_a_lifetime_budget_needs_an_end(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body={"id": "9", "lifetime_budget": "50000"}))
    with pytest.raises(FacebookAccessError, match="no end"):
        ad_set_hours.push(graph, "9", AdSetSchedule(parts=(MORNINGS,)), now=NOW)


@pytest.mark.integration
def test_only_what_differs_is_sent(scripted: ScriptedGraph, graph: GraphSession) -> None:
    found = {"id": "9", "lifetime_budget": "50000", "end_time": "2027-02-28T18:30:00+0000"}
    scripted.play(Answer(body=found), Answer(body={"success": True}))
    assert ad_set_hours.push(graph, "9", AdSetSchedule(end=END, parts=(MORNINGS,)), now=NOW, dry_run=True).changed
    assert set(scripted.seen[1].json) == {"pacing_type", "adset_schedule", "execution_options"}

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.facebook.usage import Pace, Usage, pause, read_usage


def _business(entries: dict[str, Any]) -> dict[str, str]:
    return {"X-Business-Use-Case-Usage": orjson.dumps(entries).decode()}


def _entry(percent: int, minutes: int = 0, kind: str = "custom_audience") -> dict[str, Any]:
    return {
        "type": kind,
        "call_count": percent,
        "total_cputime": 1,
        "total_time": 2,
        "estimated_time_to_regain_access": minutes,
    }


def test_no_headers_mean_nothing_is_known() -> None:
    assert read_usage({}, "42") is None


def test_the_highest_percentage_of_all_headers_counts() -> None:
    headers = {
        **_business({"42": [_entry(28)]}),
        "X-App-Usage": '{"call_count":10,"total_time":64,"total_cputime":5}',
        "X-Ad-Account-Usage": '{"acc_id_util_pct":9.67,"reset_time_duration":100}',
    }
    assert read_usage(headers, "42") == Usage(64.0, 0.0)


def test_time_to_regain_access_is_in_minutes() -> None:
    assert read_usage(_business({"42": [_entry(100, minutes=7)]}), "42") == Usage(100.0, 420.0)


def test_a_full_account_score_says_when_it_resets_in_seconds() -> None:
    headers = {"X-Ad-Account-Usage": '{"acc_id_util_pct":100,"reset_time_duration":100}'}
    assert read_usage(headers, "42") == Usage(100.0, 100.0)


def test_another_account_s_quota_is_not_ours() -> None:
    assert read_usage(_business({"42": [_entry(5)], "43": [_entry(99, 30)]}), "42") == Usage(5.0, 0.0)


def test_a_business_speaks_for_its_accounts() -> None:
    assert read_usage(_business({"9000": [_entry(81)]}), "42") == Usage(81.0, 0.0)


def test_a_quota_of_another_kind_does_not_slow_us() -> None:
    assert read_usage(_business({"42": [_entry(99, 30, kind="ads_insights"), _entry(3)]}), "42") == Usage(3.0, 0.0)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "[]", "null", '{"42": 5}', '{"42": [5]}', '{"42":[{"type":[],"call_count":{}}]}', "{" * 500],
)
def test_malformed_headers_are_ignored(text: str) -> None:
    headers = {"X-Business-Use-Case-Usage": text, "X-App-Usage": text, "X-Ad-Account-Usage": text}
    usage = read_usage(headers, "42")
    assert usage is None or usage == Usage(0.0, 0.0)


@pytest.mark.parametrize("value", ["NaN", "-5", '"-5"', "1e999", "true", "null", '"nan"', '"inf"'])
def test_a_percentage_that_is_no_number_counts_as_zero(value: str) -> None:
    usage = read_usage({"X-App-Usage": f'{{"call_count":{value}}}'}, "42")
    assert usage is None or usage.percent == 0.0


@given(st.floats(0, 200), st.floats(0, 200))
def test_more_usage_never_means_a_shorter_pause(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert 0 <= pause(low) <= pause(high) <= 15


def test_below_three_quarters_nothing_slows_down() -> None:
    assert pause(74.9) == 0
    assert pause(75) == 0.5
    assert pause(90) == 4


class _Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_turns_are_spaced_over_all_senders() -> None:
    pace = Pace(clock=_Clock())
    assert [pace.take_turn() for _ in range(3)] == [0, 0, 0]
    pace.observe(Usage(90.0))
    assert [pace.take_turn() for _ in range(3)] == [0, 4, 8]


def test_a_block_without_a_time_doubles_up_to_an_hour_and_starts_again_after_success() -> None:
    clock = _Clock()
    pace = Pace(clock=clock)
    waits = []
    for _ in range(6):
        waits.append(pace.block())
        clock.now += waits[-1]
    assert waits == [300, 600, 1200, 2400, 3600, 3600]
    pace.observe(Usage(100.0))
    clock.now += pace.block()
    assert pace.block() == 3600, "usage that is stated along with a refusal is no success"
    clock.now += 3600
    pace.observe(Usage(99.9))
    assert pace.block() == 300


def test_calls_refused_while_blocked_already_do_not_lengthen_the_block() -> None:
    pace = Pace(clock=_Clock())
    assert pace.block() == 300
    assert pace.block() == 300


def test_a_longer_stated_block_wins() -> None:
    clock = _Clock()
    pace = Pace(clock=clock)
    pace.block(600)
    pace.block(60)
    assert pace.blocked_for() == 600
    clock.now += 601
    assert pace.blocked_for() == 0


def test_a_block_of_absurd_length_is_cut_to_a_day() -> None:
    assert Pace(clock=_Clock()).block(1e6) == 86400

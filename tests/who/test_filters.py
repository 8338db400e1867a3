"""What the operators mean over frames: nulls, numbers, dates, ages, countries, versions, lists."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.campaign.catalog import Catalog
from audiences.campaign.properties import PropertyTree
from audiences.who.filters import matches

AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # already the 24th in Kolkata
ARROW = {
    "string": pa.string(),
    "version": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us", tz="UTC"),
    "list": pa.list_(pa.string()),
}


def passing(
    tree: dict[str, Any],
    values: list[Any],
    kind: str = "string",
    *,
    zone: str = "UTC",
    at: datetime = AT,
    **declared: Any,
) -> list[Any]:
    """The values of a property `p` of this type that a tree lets through."""
    given = {"column": "p", "type": kind, **declared}
    catalog = Catalog.model_validate({"users": {"relation": "users", "key": "id", "properties": {"p": given}}})
    frame = pd.DataFrame({"c": pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, ARROW[kind])))})
    truth = matches(
        PropertyTree.model_validate(tree), frame, columns={"p": "c"}, catalog=catalog, at=at, zone=ZoneInfo(zone)
    )
    assert truth.dtype == bool
    return [value for value, passed in zip(values, truth, strict=True) if passed]


ZEROS = [0.0, -0.0]


@pytest.mark.parametrize(
    "condition", [{"equals": 0}, {"equals": -0.0}, {"in": [0, 7]}, {"between": [0, 1]}, {"at_most": -0.0}]
)
def test_a_zero_is_a_zero_whatever_its_sign(condition: dict[str, Any]) -> None:
    assert passing({"p": condition}, ZEROS, "number") == ZEROS
    assert passing({"not": {"p": condition}}, ZEROS, "number") == []


TWINS = [
    ("string", {"equals": "a"}, {"not_equals": "a"}, ["a", "b", None]),
    ("string", {"in": ["a", "c"]}, {"not_in": ["a", "c"]}, ["a", "b", None]),
    ("string", {"contains": "a"}, {"not_contains": "a"}, ["cab", "b", None]),
    ("integer", {"equals": 1}, {"not_equals": 1}, [1, 2, None]),
    ("number", {"in": [1, 2.5]}, {"not_in": [1, 2.5]}, [1.0, 2.5, 3.0, math.nan, None]),
    ("boolean", {"equals": True}, {"not_equals": True}, [True, False, None]),
    ("date", {"equals": "2026-11-23"}, {"not_equals": "2026-11-23"}, [date(2026, 11, 23), date(2026, 11, 24), None]),
    ("version", {"equals": "3.10"}, {"not_equals": "3.10"}, ["3.10.0", "3.1", "--", None]),
]


@pytest.mark.parametrize(("kind", "positive", "negative", "values"), TWINS)
def test_a_null_matches_no_positive_condition_and_always_its_negative_twin(
    kind: str, positive: dict[str, Any], negative: dict[str, Any], values: list[Any]
) -> None:
    yes, no = passing({"p": positive}, values, kind), passing({"p": negative}, values, kind)
    assert None not in yes
    assert None in no
    assert sorted(map(str, yes + no)) == sorted(map(str, values))


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("string", {"starts_with": ""}),
        ("string", {"ends_with": ""}),
        ("string", {"contains": ""}),
        ("string", {"matches": ".*"}),
        ("integer", {"at_least": -(2**63)}),
        ("number", {"at_most": math.inf}),
        ("date", {"within": "ever"}),
        ("datetime", {"within": "ever"}),
        ("version", {"at_least": "0"}),
        ("list", {"contains_any": ["a"]}),
        ("list", {"contains_all": ["a"]}),
    ],
)
def test_a_null_matches_not_even_the_widest_condition_but_its_plain_negation(
    kind: str, condition: dict[str, Any]
) -> None:
    assert passing({"p": condition}, [None], kind) == []
    assert passing({"not": {"p": condition}}, [None], kind) == [None]


def test_not_around_a_tree_is_plain_negation_of_its_truth() -> None:
    assert passing({"not": {"p": {"not_equals": "a"}}}, ["a", "b", None]) == ["a"]
    assert passing({"not": {"any": [{"p": "a"}, {"p": "b"}]}}, ["a", "b", "c", None]) == ["c", None]


def test_conditions_of_one_level_must_all_hold() -> None:
    tree = {"p": {"starts_with": "a", "not_equals": "ab"}, "any": [{"p": {"contains": "c"}}, {"p": {"contains": "d"}}]}
    assert passing(tree, ["ab", "ac", "ad", "ae", "c"]) == ["ac", "ad"]


@pytest.mark.parametrize("kind", list(ARROW))
def test_an_empty_frame_and_one_of_nulls_alone_are_no_special_case(kind: str) -> None:
    for values in ([], [None, None]):
        assert passing({"p": {"is_set": True}}, values, kind) == []
        assert passing({"p": {"is_set": False}}, values, kind) == values


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"equals": "a.b"}, ["a.b"]),
        ({"contains": "."}, ["a.b"]),
        ({"contains": "%"}, ["50%"]),
        ({"starts_with": "a"}, ["a.b", "axb", "a\nb"]),
        ({"ends_with": "b"}, ["a.b", "axb", "a\nb"]),
        ({"ends_with": "B"}, ["AB"]),
        ({"ends_with": ".b"}, ["a.b"]),
        ({"ends_with": "xa.b"}, []),
        ({"matches": "a.b"}, ["a.b", "axb", "a\nb"]),
        ({"matches": "^A"}, ["AB"]),
        ({"matches": "(?i)^a"}, ["a.b", "axb", "AB", "a\nb"]),
        ({"matches": "b$"}, ["a.b", "axb", "a\nb"]),
        ({"matches": r"\\"}, ["\\"]),
        ({"in": ["", "AB"]}, ["AB", ""]),
    ],
)
def test_text_is_compared_letter_by_letter_and_patterns_are_searched(
    condition: dict[str, Any], wanted: list[str]
) -> None:
    assert passing({"p": condition}, ["a.b", "axb", "AB", "50%", "\\", "", "a\nb", None]) == wanted


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"at_least": 2.5}, [3, 2**63 - 1]),
        ({"more_than": 2}, [3, 2**63 - 1]),
        ({"at_most": 2.5}, [-(2**63), 2]),
        ({"less_than": 3}, [-(2**63), 2]),
        ({"between": [1.5, 3]}, [2, 3]),
        ({"equals": 2.0}, [2]),
        ({"equals": 2.5}, []),
        ({"in": [2.5, 3]}, [3]),
        ({"more_than": 1e30}, []),
        ({"less_than": -1e30}, []),
        ({"at_most": 1e30}, [-(2**63), 2, 3, 2**63 - 1]),
        ({"equals": 2**63 - 1}, [2**63 - 1]),
        ({"more_than": 2**63 - 2}, [2**63 - 1]),
        ({"more_than": 2**63 - 1}, []),
    ],
)
def test_whole_numbers_are_compared_exactly_with_any_number(condition: dict[str, Any], wanted: list[int]) -> None:
    assert passing({"p": condition}, [-(2**63), 2, 3, 2**63 - 1, None], "integer") == wanted


def test_nan_is_null_and_infinity_a_number() -> None:
    values = [math.nan, math.inf, -math.inf, 1.0]
    assert passing({"p": {"at_least": 0}}, values, "number") == [math.inf, 1.0]
    assert passing({"p": {"is_set": True}}, values, "number") == [math.inf, -math.inf, 1.0]
    assert len(passing({"p": {"not_equals": 1}}, values, "number")) == 3


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        ("today", date(2026, 11, 24), date(2026, 11, 24)),
        ("last 1 days", date(2026, 11, 23), date(2026, 11, 24)),
        ("exactly 1 days ago", date(2026, 11, 23), date(2026, 11, 23)),
        ("this month", date(2026, 11, 1), date(2026, 11, 30)),
        ("previous year", date(2025, 1, 1), date(2025, 12, 31)),
        ({"between": ["2026-11-01", "2026-11-02"]}, date(2026, 11, 1), date(2026, 11, 2)),
    ],
)
def test_days_fall_in_windows_cut_in_the_campaigns_zone(window: Any, first: date, last: date) -> None:
    days = [first - timedelta(days=1), first, last, last + timedelta(days=1), None]
    assert set(passing({"p": {"within": window}}, days, "date", zone="Asia/Kolkata")) == {first, last}


def test_windows_of_properties_reach_past_the_run_except_for_last() -> None:
    tomorrow = AT + timedelta(days=1)
    assert passing({"p": {"within": "this month"}}, [tomorrow], "datetime") == [tomorrow]
    assert passing({"p": {"after": "2026-11-01"}}, [tomorrow], "datetime") == [tomorrow]
    assert passing({"p": {"within": "last 30 days"}}, [AT, AT + timedelta(microseconds=1)], "datetime") == [AT]
    assert passing({"p": {"within": "last 30 days"}}, [AT.date(), tomorrow.date()], "date") == [AT.date()]


def test_before_and_after_leave_the_day_itself_out() -> None:
    days = [date(2026, 11, day) for day in (1, 2, 3)]
    assert passing({"p": {"before": "2026-11-02"}}, days, "date") == days[:1]
    assert passing({"p": {"after": "2026-11-02"}}, days, "date") == days[2:]
    assert passing({"p": {"between": ["2026-11-01", "2026-11-02"]}}, days, "date") == days[:2]
    times = [
        datetime(2026, 11, 2, tzinfo=UTC),
        datetime(2026, 11, 2, 23, 59, tzinfo=UTC),
        datetime(2026, 11, 3, tzinfo=UTC),
    ]
    assert passing({"p": {"equals": "2026-11-02"}}, times, "datetime") == times[:2]
    assert passing({"p": {"after": "2026-11-02"}}, times, "datetime") == times[2:]


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        (date(2000, 2, 29), date(2026, 2, 28), 25),
        (date(2000, 2, 29), date(2026, 3, 1), 26),
        (date(2000, 2, 29), date(2028, 2, 28), 27),
        (date(2000, 2, 29), date(2028, 2, 29), 28),
        (date(2000, 12, 31), date(2026, 12, 30), 25),
        (date(2000, 12, 31), date(2026, 12, 31), 26),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_age_grows_on_the_birthday_and_of_29_february_on_1_march(born: date, today: date, age: int) -> None:
    at = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    assert passing({"p": age}, [born, None], "date", at=at, derive="age") == [born]


def test_age_is_that_of_the_campaigns_local_day() -> None:
    born = date(2000, 11, 24)
    assert passing({"p": {"at_least": 26}}, [born], "date", derive="age", zone="Asia/Kolkata") == [born]
    assert passing({"p": {"at_least": 26}}, [born], "date", derive="age", zone="UTC") == []


def test_countries_compare_by_name_and_code_alike() -> None:
    values = ["United States", "US", "usa", "USA ", "Germany", "Atlantis", "", None]
    american = ["United States", "US", "usa", "USA "]
    for written in ("United States", "us", "USA"):
        assert passing({"p": written}, values, derive="country") == american
    assert passing({"p": {"not_in": ["US", "Deutschland", "de"]}}, values, derive="country") == ["Atlantis", "", None]
    assert passing({"p": {"in": ["Atlantis"]}}, values, derive="country") == ["Atlantis"]
    assert passing({"p": {"starts_with": "U"}}, values, derive="country") == ["United States", "US", "USA "]


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"more_than": "3.9"}, ["3.10", "v4", "4.0.0"]),
        ({"at_most": "3.9"}, ["3.9-beta", "3.9", "3.9.0"]),
        ({"equals": "3.9"}, ["3.9", "3.9.0"]),
        ({"less_than": "3.9"}, ["3.9-beta"]),
        ({"in": ["4", "3.10.0"]}, ["3.10", "v4", "4.0.0"]),
        ({"between": ["3.9-alpha", "3.10"]}, ["3.9-beta", "3.9", "3.9.0", "3.10"]),
    ],
)
def test_versions_compare_by_component(condition: dict[str, Any], wanted: list[str]) -> None:
    values = ["3.9-beta", "3.9", "3.9.0", "3.10", "v4", "4.0.0", "", "?", None]
    assert passing({"p": condition}, values, "version") == wanted


def test_lists_hold_any_or_all_of_some_values() -> None:
    values = [[], ["a"], ["a", "b"], ["b", None], None, ["c", "b", "a"], ["1"]]
    assert passing({"p": {"contains_any": ["a", "x"]}}, values, "list") == [["a"], ["a", "b"], ["c", "b", "a"]]
    assert passing({"p": {"contains_all": ["a", "b"]}}, values, "list") == [["a", "b"], ["c", "b", "a"]]
    assert passing({"p": {"contains_any": [1]}}, values, "list") == [["1"]]
    assert passing({"p": {"is_set": True}}, values, "list") == [value for value in values if value is not None]


@given(
    values=st.lists(st.sampled_from(["3.9", "US", "", None, "a", "v3.10"]), max_size=12),
    seed=st.randoms(use_true_random=False),
)
def test_the_answer_for_a_row_does_not_depend_on_the_rows_around_it(values: list[str | None], seed: Any) -> None:
    shuffled = list(values)
    seed.shuffle(shuffled)
    for kind, declared, tree in (
        ("version", {}, {"p": {"at_least": "3.9"}}),
        ("string", {"derive": "country"}, {"p": {"not_equals": "us"}}),
    ):
        together = passing(tree, values, kind, **declared)
        assert sorted(map(str, together)) == sorted(map(str, passing(tree, shuffled, kind, **declared)))
        assert together == [value for value in values if passing(tree, [value], kind, **declared)]


def test_the_index_of_the_frame_is_kept_and_slices_and_chunks_do_not_matter() -> None:
    catalog = Catalog.model_validate(
        {"users": {"relation": "u", "key": "id", "properties": {"p": {"column": "p", "type": "list"}}}}
    )
    chunks = pa.chunked_array([[["a"], ["b"]], [], [["b", "a"], None, ["a"]]], pa.list_(pa.string()))
    frame = pd.DataFrame({"c": pd.Series(pd.arrays.ArrowExtensionArray(chunks))}).set_index([[7, 7, 3, 1, 0]]).iloc[1:]
    tree = PropertyTree.model_validate({"p": {"contains_any": ["a"]}})
    truth = matches(tree, frame, columns={"p": "c"}, catalog=catalog, at=AT, zone=ZoneInfo("UTC"))
    assert truth.to_list() == [False, True, False, True]
    assert truth.index.to_list() == [7, 3, 1, 0]

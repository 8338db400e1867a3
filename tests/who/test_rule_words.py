"""Rules and conditions in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from audiences.campaign.properties import PropertyTree
from audiences.campaign.rules import Did
from audiences.who.rule_words import did_words, tree_words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"event": "Buy"}, "Buy, ever"),
        ({"any_of": ["A", "B"], "within": "last 2 weeks"}, "A or B, last 2 weeks"),
        ({"all_of": ["A", "B"], "within": "today", "count": {"equals": 2}}, "A and B, today, exactly 2 times"),
        (
            {
                "event": "A",
                "time_of_day": ["22:00", "06:00"],
                "day_of_week": ["mon", "sunday"],
                "count": {"between": [1, 4]},
            },
            "A, ever, from 22:00 to 06:00, on mon, sun, between 1 and 4 times",
        ),
        (
            {"event": "A", "first_time": "today", "last_time": "ever", "or_never": True, "where": {"x": 1}},
            "A, ever, for the first time today, for the last time ever, or never, where x is `1`",
        ),
        ({"event": "A", "time_of_day": ["12:30:15", "12:30:16"]}, "A, ever, from 12:30:15 to 12:30:16"),
        ({"event": "A", "average": {"of": "x", "less_than": 5}}, "A, ever, average of x less than 5"),
    ],
)
def test_rules_over_events(rule: dict[str, Any], words: str) -> None:
    assert did_words(Did.model_validate(rule)) == words


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"a": {"in": [1, 2]}, "b": True}, "a is one of `1`, `2` and b is `true`"),
        ({"a": {"at_least": 1, "less_than": 5}}, "a is at least `1` and a is less than `5`"),
        (
            {"any": [{"a": 1, "b": 2}, {"c": {"within": "last 3 days"}}]},
            "((a is `1` and b is `2`) or c is within last 3 days)",
        ),
        ({"not": {"any": [{"a": {"is_set": True}}]}}, "not (a is set)"),
        (
            {"all": [{"a": {"contains_any": ["x"]}}, {"b": {"between": [1, 2]}}]},
            "a holds any of `x` and b is between `1` and `2`",
        ),
    ],
)
def test_property_filters(tree: dict[str, Any], words: str) -> None:
    assert tree_words(PropertyTree.model_validate(tree)) == words

"""Conditions in canonical form, and what cannot be one."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import StrictBool

from audiences.campaign.operators import BY_TYPE, OPERATORS, Pair, Values
from audiences.campaign.properties import Condition
from audiences.campaign.windows import Window
from audiences.query.conditions import NOTHING, Clause, Moment, OneOf, OperatorError, Range, clauses

MOMENT = Moment(datetime(2026, 11, 23, tzinfo=UTC), ZoneInfo("UTC"))
SAMPLES: dict[str, Any] = {
    "string": "a", "integer": 1, "number": 1.5, "boolean": True, "date": "2026-11-23", "datetime": "2026-11-23 10:00",
    "version": "3.1", "list": "a",
}  # fmt: skip


def read(condition: Any, kind: str) -> tuple[Clause, ...]:
    return clauses(Condition.model_validate(condition), kind, MOMENT)


@pytest.mark.parametrize("kind", list(BY_TYPE))
def test_every_operator_that_validation_allows_is_understood(kind: str) -> None:
    value = SAMPLES[kind]
    written = {Values: [value], Pair: [value, value], StrictBool: True, Window: "today"}
    for operator in BY_TYPE[kind]:
        try:
            assert read({operator: written.get(OPERATORS[operator].value, value)}, kind)
        except OperatorError:
            pytest.fail(
                f"`{operator}` is allowed for {kind}, and audiences/query/conditions.py does not know how to read it"
            )


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("string", {"at_least": 1}),
        ("string", {"within": "today"}),
        ("list", "a"),
        ("boolean", 1),
        ("boolean", {"in": [True, "no"]}),
        ("integer", "many"),
        ("integer", True),
        ("number", {"between": [1, "x"]}),
        ("number", 10**400),
        ("date", "soon"),
        ("date", {"in": ["2026-01-01"]}),
        ("version", {"contains": "3"}),
        ("datetime", {"at_least": "2026-01-01"}),
    ],
)
def test_what_does_not_fit_the_type_is_refused(kind: str, condition: Any) -> None:
    with pytest.raises(OperatorError) as raised:
        read(condition, kind)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"more_than": 2.5}, Range(3, None)),
        ({"more_than": 3}, Range(4, None)),
        ({"less_than": 3}, Range(None, 2)),
        ({"at_most": -2.5}, Range(None, -3)),
        ({"between": [float("-inf"), 2]}, Range(-(2**63), 2)),
        ({"at_least": float("inf")}, NOTHING),
        ({"at_least": float("nan")}, NOTHING),
        ({"between": [3, 2]}, NOTHING),
        ({"in": [1, 1.5, 2.0, 2**63]}, OneOf((1, 2))),
    ],
)
def test_bounds_of_whole_numbers_are_whole_numbers_of_64_bits(condition: Any, wanted: Any) -> None:
    assert read(condition, "integer") == (Clause(wanted),)


def test_a_negative_operator_is_its_twin_denied() -> None:
    assert read({"not_in": ["a"], "is_set": False}, "string")[0] == Clause(OneOf(("a",)), negated=True)

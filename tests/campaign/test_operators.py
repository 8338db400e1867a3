"""The table of operators: what it says about each, what contradicts it, and what campaigns it must leave as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from audiences.campaign.catalog import PropertyType
from audiences.campaign.operator_table import Compares, Operator, table
from audiences.campaign.operators import BY_TYPE, COMPARISONS, OPERATORS, ensure_compared, ensure_evaluated
from audiences.campaign.properties import Condition
from audiences.campaign.rules import Aggregate, Comparison

LIKE, UNLIKE, SET = OPERATORS["contains"], OPERATORS["not_contains"], OPERATORS["is_set"]
# Digests of campaigns were made with these: none is ever added or taken away.
IN_ALL_DIGESTS = {
    *("equals", "not_equals", "in", "not_in", "contains", "not_contains", "starts_with", "matches", "between", "at_least"),
    *("at_most", "more_than", "less_than", "within", "before", "after", "contains_any", "contains_all", "is_set"),
}  # fmt: skip


def test_every_type_has_operators_and_every_operator_is_a_key_of_conditions() -> None:
    assert set(BY_TYPE) == set(get_args(PropertyType))
    assert {field.alias or name for name, field in Condition.model_fields.items()} == set(OPERATORS)


def test_a_new_operator_changes_no_digest_of_a_campaign_that_does_not_use_it() -> None:
    assert set(Condition.model_validate("a").model_dump(mode="json", by_alias=True)) == IN_ALL_DIGESTS
    for name in OPERATORS.keys() - IN_ALL_DIGESTS:
        given = Condition.model_construct(**{OPERATORS[name].field: "x"})
        assert given.model_dump(by_alias=True)[name] == "x"


@pytest.mark.parametrize(
    ("operators", "said"),
    [
        ((LIKE, LIKE), "`contains` is in the table more than once"),
        ((replace(LIKE, types=()),), "`contains` lacks its `types` or what it `means`"),
        ((replace(LIKE, means=""),), "`contains` lacks its `types` or what it `means`"),
        ((replace(LIKE, says="contains"),), "`contains`: `says` needs a {} for the value"),
        ((replace(SET, says_no=""),), "`is_set`: `says` needs a {} for the value; for a `presence`, `says_no` instead"),
        ((replace(LIKE, compares=Compares("", "{}")),), "`contains`: what `compares` says needs"),
        ((replace(LIKE, compares=Compares("More.", "more")),), "`contains`: what `compares` says needs"),
        ((UNLIKE,), "`not_contains` and `contains`, which it denies, differ in more than that"),
        ((LIKE, replace(UNLIKE, types=("list",))), "`not_contains` and `contains`, which it denies, differ"),
    ],
)
def test_a_table_that_contradicts_itself_cannot_be_imported(operators: tuple[Operator, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        table(operators)


def test_an_operator_that_an_engine_lacks_and_one_that_the_table_lacks_cannot_be_imported() -> None:
    with pytest.raises(
        LookupError, match=r"`contains` is in OPERATORS of .*, and pandas cannot evaluate it: add it to P"
    ):
        ensure_evaluated({}, "pandas", "P", (LIKE, UNLIKE, SET))
    with pytest.raises(LookupError, match=r"pandas evaluates `is_set` in P, .*: add it to OPERATORS"):
        ensure_evaluated({"contains", "is_set"}, "pandas", "P", (LIKE, UNLIKE, SET))


def test_every_operator_that_compares_numbers_is_a_key_of_rules_over_events_and_no_other_is() -> None:
    assert set(Comparison.model_fields) == {operator.field for operator in COMPARISONS.values()}
    assert set(Aggregate.model_fields) - {"of"} == set(Comparison.model_fields)


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_is_read_and_said_as_the_table_says(name: str) -> None:
    operator = COMPARISONS[name]
    assert operator.compares is not None
    value = [1, 4] if operator.pair else 3
    comparison = Comparison.model_validate({name: value})
    assert comparison.operator() == (name, (1, 4) if operator.pair else 3)
    assert comparison.words() == operator.compares.says.format(*(value if isinstance(value, list) else [value]))


def test_a_comparison_that_postgres_lacks_and_one_that_the_table_lacks_cannot_be_imported() -> None:
    with pytest.raises(
        LookupError, match=r"`equals` is in OPERATORS of .*, and Postgres cannot evaluate it: add it to P"
    ):
        ensure_compared({}, "Postgres", "P")
    with pytest.raises(LookupError, match=r"Postgres evaluates `contains` in P, which is no operator that compares"):
        ensure_compared({*COMPARISONS, "contains"}, "Postgres", "P")

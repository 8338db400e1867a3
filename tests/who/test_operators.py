"""Every operator of the table on every type that allows it, in pandas, in Postgres, in `explain` and in English.

What passes is what the naive evaluator says. Nothing here names an operator, so the next one is covered by itself; it needs a
meaning in tests/who/naive.py.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from pydantic import StrictBool
from tests.who import naive

from audiences.campaign.base import Scalar, Text
from audiences.campaign.catalog import Catalog
from audiences.campaign.operators import BY_TYPE, OPERATORS, Operator, Pair, Values
from audiences.campaign.phrases import bullets, conditions
from audiences.campaign.properties import PropertyTree
from audiences.campaign.windows import Day, Window
from audiences.query.conditions import Moment
from audiences.query.render import render
from audiences.query.sources import events_table
from audiences.query.where import where
from audiences.who.explanation import explain_filters
from audiences.who.filters import matches
from audiences.who.rule_words import condition_words

if TYPE_CHECKING:
    from collections.abc import Iterator

AT, ZONE = datetime(2026, 11, 23, 20, tzinfo=UTC), ZoneInfo("Asia/Kolkata")  # where the 24th has begun
CASES = [(name, kind) for kind, names in BY_TYPE.items() for name in names]
# By type: its column in Arrow and in Postgres, values that users have, and what campaigns compare them with, in order.
COLUMNS = {
    "string": (pa.string(), "text"),
    "integer": (pa.int64(), "bigint"),
    "number": (pa.float64(), "double precision"),
    "boolean": (pa.bool_(), "boolean"),
    "date": (pa.date32(), "date"),
    "datetime": (pa.timestamp("us", tz="UTC"), "timestamptz"),
    "version": (pa.string(), "text"),
    "list": (pa.list_(pa.string()), "text[]"),
}
VALUES: dict[str, list[Any]] = {
    "string": ["ab", "Ab", "AB", "abc", "cab", "cabc", "ab\n", "\nab", " ab ", "a.b", "axb", "50%", "%", "üb", "ü", "", None],
    "integer": [-(2**63), -3, 0, 2, 3, 4, 2**63 - 1, None],
    "number": [-1.5, 0.0, 2.4, 2.5, 3.0, 100.0, None],
    "boolean": [True, False, None],
    "date": [date(2025, 12, 31), *(date(2026, 11, day) for day in (19, 21, 22, 23, 24, 25)), None],
    "datetime": [
        *(datetime(2026, 11, day, hour, minute, tzinfo=UTC) for day in (21, 22, 23) for hour, minute in ((18, 29), (18, 30))),
        AT,
        datetime(2026, 11, 24, tzinfo=UTC),
        None,
    ],
    "version": ["3.9", "3.10", "3.10.0", "v4", "4.0-beta", "--", "", None],
    "list": [[], ["ab"], ["AB"], ["ab", "b"], ["b", "ü"], ["%"], None],
}  # fmt: skip
WRITTEN: dict[str, list[Any]] = {
    "string": ["%", "AB", "ab", "ü"],
    "integer": [-3, 2.5, 3],
    "number": [-1.5, 2.5, 3],
    "boolean": [False, True],
    "date": ["2026-11-21", "2026-11-23"],
    "datetime": ["2026-11-22", "2026-11-23 18:30:00+00:00"],
    "version": ["3.9", "3.10", "4"],
    "list": ["ab", "b", "ü"],
}
TEXTS = ["ab", "AB", "b", "a.b", "%", "ü", " "]


def asked(operator: Operator, kind: str) -> list[Any]:
    """Values behind the operator in a file, for a property of this type."""
    written = WRITTEN[kind]
    by_value: dict[Any, list[Any]] = {
        StrictBool: [True, False],
        Text: [*TEXTS] if operator.check == "pattern" else [*TEXTS, ""],
        Window: ["today", "yesterday", "last 2 days", "ever", "this year"],
        Day: ["2026-11-22", "2026-11-23"],
        Scalar: written,
        Values: [[each] for each in written] + [written[:2]],
        Pair: [[written[0], written[0]], written[:2], [written[0], written[-1]]],
    }
    assert operator.value in by_value, (
        f"`{operator.name}` takes values of a kind that tests/who/test_operators.py has none of"
    )
    return by_value[operator.value]


def trees(operator: Operator, kind: str) -> list[PropertyTree]:
    return [PropertyTree.model_validate({"p": {operator.name: value}}) for value in asked(operator, kind)]


def wanted(tree: PropertyTree, kind: str) -> list[bool]:
    """The answer of the naive evaluator for each of the values."""
    values = [None if kind == "version" and not naive._components(value or "") else value for value in VALUES[kind]]
    look = naive.Look(AT, ZONE)
    return [naive.tree_holds(tree, {"p": value}, {"p": kind}, look) for value in values]


def said(tree: PropertyTree) -> str:
    return str(tree.conditions["p"].operators())


def catalog(kind: str) -> Catalog:
    properties = {"p": {"column": "p", "type": kind}}
    users = {"relation": "valued", "key": "id", "properties": properties}
    events = {
        "relation": "valued",
        "id": "id",
        "user": "id",
        "name": "id",
        "occurred_at": "id",
        "properties": properties,
    }
    return Catalog.model_validate({"users": users, "events": events})


def frame(kind: str, values: list[Any]) -> pd.DataFrame:
    array = pa.array(values, COLUMNS[kind][0], from_pandas=False)
    return pd.DataFrame({"c": pd.Series(pd.arrays.ArrowExtensionArray(array))})


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_pandas_answers_as_the_operator_means(name: str, kind: str) -> None:
    column, told = frame(kind, VALUES[kind]), set()
    for tree in trees(OPERATORS[name], kind):
        found = matches(tree, column, columns={"p": "c"}, catalog=catalog(kind), at=AT, zone=ZONE).to_list()
        assert found == wanted(tree, kind), f"pandas, `{name}` of {kind}: {said(tree)}"
        told.update(passed for passed, value in zip(found, VALUES[kind], strict=True) if value is not None)
    assert told == {True, False} or name == "is_set", f"`{name}` of {kind}: the values show no difference"


@pytest.fixture(scope="module")
def postgres_values(who_database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(who_database) as connection:
        for kind, (_, column) in COLUMNS.items():
            connection.execute(f"CREATE TEMP TABLE of_{kind} (id int, p {column})".encode())
            connection.cursor().executemany(
                f"INSERT INTO of_{kind} VALUES (%s, %s)".encode(), list(enumerate(VALUES[kind]))
            )
        yield connection
        connection.rollback()


@pytest.mark.integration
@pytest.mark.parametrize(("name", "kind"), CASES)
def test_postgres_answers_as_the_operator_means(postgres_values: psycopg.Connection[Any], name: str, kind: str) -> None:
    events = catalog(kind).events
    assert events is not None
    events = events.model_copy(update={"relation": f"of_{kind}"})
    table, asked_trees = events_table(events), trees(OPERATORS[name], kind)
    answers = [where(tree, events.properties, table, Moment(AT, ZONE), "UTC").is_(sa.true()) for tree in asked_trees]
    labelled = [answer.label(f"answer_{number}") for number, answer in enumerate(answers)]
    query = sa.select(sa.column("id"), *labelled).select_from(table).order_by(sa.column("id"))
    rows = postgres_values.execute(render(query).encode()).fetchall()
    for number, tree in enumerate(asked_trees, start=1):
        assert [row[number] for row in rows] == wanted(tree, kind), f"SQL, `{name}` of {kind}: {said(tree)}"


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_explain_says_whether_each_value_passes_and_in_the_words_of_the_operator(name: str, kind: str) -> None:
    tree = trees(OPERATORS[name], kind)[0]
    for value, passes in zip(VALUES[kind], wanted(tree, kind), strict=True):
        (step,) = explain_filters(
            tree, frame(kind, [value]), columns={"p": "c"}, catalog=catalog(kind), at=AT, zone=ZONE
        )
        assert step.passed == passes, f"explain, `{name}` of {kind}: {value!r}"
        assert step.text == condition_words("p", tree.conditions["p"])


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_condition_is_described_and_explained_with_its_values(name: str, kind: str) -> None:
    for tree, value in zip(trees(OPERATORS[name], kind), asked(OPERATORS[name], kind), strict=True):
        for sentence in sentences(tree):
            assert "{" not in sentence, f"the English of `{name}`: {sentence}"
            if OPERATORS[name].check not in ("presence", "window"):  # windows have words of their own
                for each in value if isinstance(value, list) else [value]:
                    assert str(each).strip().lower() in sentence.lower(), (
                        f"the English of `{name}` lacks {each!r}: {sentence}"
                    )


@pytest.mark.parametrize("kind", BY_TYPE)
def test_no_two_operators_read_alike(kind: str) -> None:
    owner: dict[str, str] = {}
    for name in BY_TYPE[kind]:
        for tree in trees(OPERATORS[name], kind):
            for sentence in sentences(tree):
                assert owner.setdefault(sentence, name) == name, (
                    f"`{name}` and `{owner[sentence]}` read alike: {sentence}"
                )


def sentences(tree: PropertyTree) -> tuple[str, str]:
    """The condition as descriptions of a campaign have it, and as `explain` does."""
    (line,) = bullets(conditions(tree))
    return line.removeprefix("- "), condition_words("p", tree.conditions["p"])

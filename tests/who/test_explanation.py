"""Explanations: which rule or filter decides about one user, in words, with what was found."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.who import draw, naive
from tests.who.conftest import Warehouse, a_spec

from audiences.campaign.catalog import Catalog
from audiences.campaign.identifiers import FIELDS
from audiences.campaign.properties import PropertyTree
from audiences.query.render import render
from audiences.who.explanation import RuleSteps, Step, deciding, explain_filters

if TYPE_CHECKING:
    from tests.who.conftest import Shop

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def explained(shop: Shop, rules: dict[str, Any], user: str, **given: Any) -> tuple[Step, ...]:
    steps = RuleSteps(shop.spec(rules, **given), AT, user)
    cursor = shop.connection.cursor(row_factory=psycopg.rows.dict_row)
    return steps.read(cursor.execute(render(steps.query).encode()).fetchone())


@pytest.mark.integration
def test_each_rule_says_what_it_asks_what_was_found_and_whether_it_holds(shop: Shop) -> None:
    shop.add("u", "Added To Cart", AT - timedelta(days=3), amount=10)
    shop.add("u", "Added To Cart", AT - timedelta(days=1), amount=2.5)
    shop.add("u", "Charged", AT - timedelta(hours=1))
    rules = {
        "all": [
            {"did": {"event": "Added To Cart", "within": "last 30 days", "sum": {"of": "amount", "at_least": 5}}},
            {"did_not": {"event": "Charged", "within": "last 30 days"}},
        ],
        "exclude_segment": "testers",
    }
    steps = explained(shop, rules, "u", zone="Asia/Kolkata", segments={"testers": {"users": ["x"]}})
    assert steps == (
        Step(
            "did Added To Cart, last 30 days, sum of amount at least 5",
            "2 such events, first 2026-11-20 15:00:00+05:30, last 2026-11-22 15:00:00+05:30, sum 12.5",
            True,
        ),
        Step(
            "did not do Charged, last 30 days",
            "1 such event, first 2026-11-23 14:00:00+05:30, last 2026-11-23 14:00:00+05:30",
            False,
        ),
        Step("not in segment testers", "not in it", True),
    )
    assert deciding(steps) == steps[1]
    assert deciding(steps[:1]) is None


@pytest.mark.integration
@pytest.mark.parametrize(
    ("kind", "seen"), [("timestamp", "2026-11-23 09:00:00+09:00"), ("date", "2026-11-23 00:00:00+09:00")]
)
def test_a_time_without_zone_is_shown_as_meant_in_the_catalogs_zone(shop: Shop, kind: str, seen: str) -> None:
    shop.add("u", "Buy", datetime(2026, 11, 23, 9, tzinfo=UTC))
    shop.execute(f"ALTER TABLE events ALTER at TYPE {kind} USING at AT TIME ZONE 'UTC'; SET TIME ZONE 'Asia/Tokyo'")
    (step,) = explained(shop, {"did": {"event": "Buy"}}, "u", zone="Asia/Tokyo")
    assert step.found == f"1 such event, first {seen}, last {seen}"


@pytest.mark.integration
def test_times_beyond_any_calendar_do_not_keep_a_user_from_being_explained(shop: Shop) -> None:
    for at in ("-infinity", "0044-03-15 12:00+00 BC", "2026-11-23 09:00+00"):
        shop.user("u")
        shop.execute(f"INSERT INTO events (user_id, name, at) VALUES ('u', 'Buy', '{at}')")
    (step,) = explained(shop, {"did": {"event": "Buy"}}, "u")
    assert step.found == "3 such events, last 2026-11-23 09:00:00+00:00"


@pytest.mark.integration
@pytest.mark.parametrize(("asked", "seen"), [("sum", "sum 0"), ("average", "average of nothing")])
def test_the_average_of_nothing_is_not_shown_as_0(shop: Shop, asked: str, seen: str) -> None:
    shop.add("u", "Buy", datetime(2026, 11, 23, 9, tzinfo=UTC))
    (step,) = explained(shop, {"did": {"event": "Buy", asked: {"of": "amount", "at_most": 0}}}, "u")
    assert step.found.endswith(seen)
    assert step.passed == (asked == "sum")


@pytest.mark.integration
def test_joints_and_saved_rules_show_what_they_are_made_of(shop: Shop) -> None:
    shop.user("u")
    never = {"did": {"event": "Buy", "average": {"of": "amount", "at_least": 1}}}
    rules = {"any": [{"segment": "s"}, {"not": {"did_not": {"event": "Look"}}}]}
    steps = explained(shop, rules, "u", segments={"s": {"rules": {"all": [never, {"did_not": {"event": "Buy"}}]}}})
    buy = Step("did Buy, ever, average of amount at least 1", "no such event", False)
    not_buy = Step("did not do Buy, ever", "no such event", True)
    not_look = Step("did not do Look, ever", "no such event", True)
    assert steps == (
        Step(
            "at least one of these",
            "",
            False,
            (Step("in segment s", "not in it", False, (buy, not_buy)), Step("not this", "", False, (not_look,))),
        ),
    )


@pytest.mark.integration
def test_who_is_not_in_the_warehouse_gives_no_row(shop: Shop) -> None:
    steps = RuleSteps(shop.spec({"did": {"event": "Buy"}}), AT, "stranger")
    assert shop.connection.execute(render(steps.query).encode()).fetchall() == []


@pytest.mark.integration
@settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
@given(drawn=draw.campaigns(), index=st.integers(0, 49))
def test_the_explanation_agrees_with_the_outcome(warehouse: Warehouse, drawn: dict[str, Any], index: int) -> None:
    spec = a_spec(drawn["who"], segments=drawn["segments"], timezone=drawn["zone"])
    user = list(warehouse.world.users)[index]
    steps = RuleSteps(spec, drawn["at"], user)
    row = warehouse.read(render(steps.query)).to_pylist()[0]
    look = naive.Look(drawn["at"], ZoneInfo(drawn["zone"]))
    assert (deciding(steps.read(row)) is None) == naive.rules_hold(spec.campaign.who, user, spec, warehouse.world, look)


CATALOG = Catalog.model_validate(
    {
        "users": {
            "relation": "users",
            "key": "id",
            "email": "mail",
            "properties": {
                "tier": {"column": "tier", "type": "string"},
                "age": {"column": "born", "type": "date", "derive": "age"},
                "mail": {"column": "mail", "type": "string"},
                "note": {"column": "note", "type": "string"},
                "tags": {"column": "tags", "type": "list"},
                "seen": {"column": "seen", "type": "datetime"},
            },
        }
    }
)


def filtered(tree: dict[str, Any], **values: Any) -> tuple[Step, ...]:
    types = {
        "tier": pa.string(),
        "age": pa.date32(),
        "mail": pa.string(),
        "note": pa.string(),
        "tags": pa.list_(pa.string()),
        "seen": pa.timestamp("us", "UTC"),
        "has_email": pa.bool_(),
    }
    table = pa.table({name: pa.array([values.get(name)], kind) for name, kind in types.items()})
    return explain_filters(
        PropertyTree.model_validate(tree),
        table.to_pandas(types_mapper=pd.ArrowDtype),
        columns={name: name for name in types},
        catalog=CATALOG,
        at=AT,
        zone=ZoneInfo("Asia/Kathmandu"),
    )


def test_values_are_shown_as_the_file_writes_them() -> None:
    tree = {name: {"is_set": True} for name in ("has_email", "tags", "seen")}
    shown = filtered(tree, has_email=True, tags=["a", "jo@example.com"], seen=datetime(2026, 11, 23, 20, tzinfo=UTC))
    assert [step.found for step in shown] == ["true", "a, j…", "2026-11-24 01:45:00+05:45"]
    assert filtered({"tags": {"is_set": True}}, tags=[])[0].found == "an empty list"


@pytest.mark.parametrize(
    ("microseconds", "shown"),
    [
        (-(10**17), "-1199-02-15 14:13:20.000000Z"),
        (253_402_300_799_999_999, "9999-12-31 23:59:59+00:00"),
        (6 * 10**17, "20983-03-30 10:40:00.000000Z"),
    ],
)
def test_a_time_beyond_any_calendar_is_shown_all_the_same(microseconds: int, shown: str) -> None:
    seen = pa.scalar(microseconds, pa.timestamp("us", "UTC"))
    assert filtered({"seen": {"is_set": True}}, seen=seen)[0].found == shown


def test_filters_show_the_value_that_decided() -> None:
    tree = {
        "tier": "Gold",
        "age": {"between": [25, 40]},
        "any": [{"tier": {"is_set": False}}, {"not": {"has_email": True}}],
    }
    steps = filtered(tree, tier="Gold", age=date(2006, 1, 1), has_email=True)
    assert [(step.text, step.found, step.passed) for step in steps] == [
        ("tier is `Gold`", "Gold", True),
        ("age is between `25` and `40`", "20", False),
        ("at least one of these", "", False),
    ]
    assert [step.text for step in steps[2].below] == ["tier is not set", "not this"]
    assert filtered({"tier": {"not_equals": "x"}})[0] == Step("tier is not `x`", "nothing", True)


def test_values_that_identify_a_person_are_masked() -> None:
    shown = filtered(
        {"mail": {"contains": "@"}, "note": {"is_set": True}}, mail="jo@example.com", note="ask jo@example.com"
    )
    assert [step.found for step in shown] == ["j…", "a…"]


MAY_BE_SHOWN = {"city", "region", "zip", "country", "date_of_birth", "gender"}


@pytest.mark.parametrize("name", FIELDS)
def test_an_identifier_is_masked_unless_it_is_one_of_those_that_may_be_shown(name: str) -> None:
    users = {"relation": "people", "key": "id", "email": "mail", name: "it"}
    properties = {"asked": {"column": "it", "type": "string"}}
    (step,) = explain_filters(
        PropertyTree.model_validate({"asked": {"is_set": True}}),
        pa.table({"asked": ["xyz"]}).to_pandas(types_mapper=pd.ArrowDtype),
        columns={"asked": "asked"},
        catalog=Catalog.model_validate({"users": {**users, "properties": properties}}),
        at=AT,
        zone=ZoneInfo("UTC"),
    )
    assert step.found == ("xyz" if name in MAY_BE_SHOWN else "x…")

"""Rules over events, compiled to SQL, against the naive evaluator, user by user."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from tests.who import draw, naive
from tests.who.conftest import Warehouse, a_spec

from audiences.who.compile import qualified
from audiences.who.render import pretty, render

pytestmark = pytest.mark.integration
_shared = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def check(warehouse: Warehouse, drawn: dict[str, Any]) -> None:
    spec = a_spec(drawn["who"], segments=drawn["segments"], timezone=drawn["zone"])
    query = render(qualified(spec, drawn["at"]))
    note(query)
    found = warehouse.read(query).column("user_id").to_pylist()
    assert len(found) == len(set(found))
    assert set(found) == naive.qualified(spec, warehouse.world, drawn["at"])


@settings(_shared, max_examples=250)
@given(drawn=draw.campaigns())
def test_random_rules_name_exactly_the_users_that_the_naive_evaluator_names(
    warehouse: Warehouse, drawn: dict[str, Any]
) -> None:
    check(warehouse, drawn)


@pytest.mark.long
@pytest.mark.timeout(3600)
@settings(_shared, max_examples=10_000)
@given(drawn=draw.campaigns())
def test_thousands_of_random_rules_agree(warehouse: Warehouse, drawn: dict[str, Any]) -> None:
    check(warehouse, drawn)


@settings(_shared, max_examples=40)
@given(drawn=draw.campaigns())
def test_sql_laid_out_for_people_finds_the_same_users(warehouse: Warehouse, drawn: dict[str, Any]) -> None:
    query = render(qualified(a_spec(drawn["who"], segments=drawn["segments"], timezone=drawn["zone"]), drawn["at"]))
    assert sorted(warehouse.read(pretty(query)).column("user_id").to_pylist()) == sorted(
        warehouse.read(query).column("user_id").to_pylist()
    )


@pytest.mark.parametrize("operator", ["contains", "not_contains", "starts_with", "matches"])
def test_every_text_operator_can_be_laid_out_for_people(warehouse: Warehouse, operator: str) -> None:
    spec = a_spec({"did": {"event": "Added To Cart", "where": {"category": {operator: "s"}}}})
    query = render(qualified(spec, datetime(2012, 3, 1, tzinfo=UTC)))
    assert set(warehouse.read(pretty(query)).column("user_id").to_pylist()) == set(
        warehouse.read(query).column("user_id").to_pylist()
    )

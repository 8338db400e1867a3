"""Rules over events, compiled to SQL, against the naive evaluator, user by user."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from tests.who import draw, naive
from tests.who.conftest import Warehouse, a_spec

from audiences.query.render import render
from audiences.who.compile import qualified

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

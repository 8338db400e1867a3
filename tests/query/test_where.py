"""Conditions on an event's properties in SQL, each on the value at its edge, its neighbour, and no value at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.who.conftest import Shop

pytestmark = pytest.mark.integration
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
PROPERTIES = {
    "amount": {"column": "amount", "type": "number"},
    "category": {"column": "category", "type": "string"},
    "tags": {"jsonb": "payload", "path": "tags", "type": "list"},
    "pieces": {"jsonb": "payload", "path": "pieces", "type": "integer"},
    "paid_at": {"jsonb": "payload", "path": "paid_at", "type": "datetime"},
    "version": {"jsonb": "payload", "path": "version", "type": "version"},
}


@pytest.fixture
def bought(shop: Shop) -> Shop:
    """One event of each user: `one` and `two` have every property, `none` has none."""
    shop.catalog["events"]["properties"] = PROPERTIES
    one = {"tags": ["red", "blue"], "pieces": 1, "paid_at": "2026-11-23T00:00:00Z", "version": "3.9"}
    two = {"tags": ["red"], "pieces": 2, "paid_at": "2026-11-22T23:59:59Z", "version": "3.10"}
    shop.add("one", "Buy", AT, amount=1, category="shoes", payload=one)
    shop.add("two", "Buy", AT, amount=2, category="Shoes and hats", payload=two)
    shop.add("none", "Buy", AT)
    return shop


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ({"amount": {"more_than": 1}}, {"two"}),
        ({"amount": {"at_least": 1}}, {"one", "two"}),
        ({"amount": {"less_than": 2}}, {"one"}),
        ({"amount": {"at_most": 2}}, {"one", "two"}),
        ({"amount": {"between": [1, 2]}}, {"one", "two"}),
        ({"amount": {"more_than": 1, "less_than": 2}}, set()),
        ({"pieces": {"more_than": 1}}, {"two"}),
        ({"pieces": {"more_than": 0.5, "less_than": 1.5}}, {"one"}),
        ({"pieces": {"in": [2, 3]}}, {"two"}),
        ({"pieces": {"not_in": [2, 3]}}, {"one", "none"}),
        ({"version": {"more_than": "3.9"}}, {"two"}),
        ({"category": "shoes"}, {"one"}),
        ({"category": {"not_equals": "shoes"}}, {"two", "none"}),
        ({"category": {"contains": "hats"}}, {"two"}),
        ({"category": {"not_contains": "hats"}}, {"one", "none"}),
        ({"category": {"starts_with": "Shoes"}}, {"two"}),
        ({"category": {"ends_with": "hats"}}, {"two"}),
        ({"category": {"ends_with": "oes"}}, {"one"}),
        ({"category": {"ends_with": "more than shoes"}}, set()),
        ({"category": {"matches": "^shoes$"}}, {"one"}),
        ({"category": {"is_set": True}}, {"one", "two"}),
        ({"category": {"is_set": False}}, {"none"}),
        ({"tags": {"contains_any": ["blue", "green"]}}, {"one"}),
        ({"tags": {"contains_all": ["red", "blue"]}}, {"one"}),
        ({"paid_at": {"within": "ever"}}, {"one", "two"}),
        ({"paid_at": {"within": "today"}}, {"one"}),
        ({"paid_at": {"within": "yesterday"}}, {"two"}),
        ({"amount": {"at_least": 1}, "category": "shoes"}, {"one"}),
        ({"all": [{"amount": {"at_least": 1}}, {"category": "shoes"}]}, {"one"}),
        ({"any": [{"amount": {"at_least": 2}}, {"category": "shoes"}]}, {"one", "two"}),
        ({"not": {"category": "shoes"}}, {"two", "none"}),
        ({"not": {"any": [{"category": "shoes"}, {"amount": {"more_than": 1}}]}}, {"none"}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else " and ".join(sorted(value)) or "nobody",
)
def test_a_condition_on_an_event_holds_for_the_values_that_it_says(bought: Shop, where: Any, wanted: set[str]) -> None:
    assert bought.who({"did": {"event": "Buy", "where": where}}, at=AT) == wanted

"""Which events a goal asks the warehouse for, on a table of a few rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.who import conftest as of_who
from tests.who.conftest import a_spec

from audiences.goal.goal_events import goal_events
from audiences.query.event_users import EventUsers
from audiences.query.render import render

if TYPE_CHECKING:
    from tests.who.conftest import Shop

who_database, shop = of_who.who_database, of_who.shop  # fixtures
pytestmark = pytest.mark.integration
NOON, TICK = datetime(2026, 11, 23, 12, tzinfo=UTC), timedelta(microseconds=1)
DAY = timedelta(days=1)


def found(shop: Shop, **goal: Any) -> list[tuple[Any, ...]]:
    campaign = {
        "name": "Carts",
        "who": {"did": {"event": "Cart"}},
        "what": {"audience": {"create": {"name": "Carts"}}},
        "when": {"now": True},
        "goal": {"event": "Buy", "within": "1 day", **goal},
    }
    spec = a_spec({}, catalog=shop.catalog, campaign=campaign)
    query = render(goal_events(spec, spec.campaign.goal, after=NOON, until=NOON + DAY, users=EventUsers()))
    return sorted(shop.connection.execute(query.encode()).fetchall())


def test_events_after_the_begin_and_up_to_the_end_are_read(shop: Shop) -> None:
    for user, at in {"begin": NOON, "first": NOON + TICK, "last": NOON + DAY, "later": NOON + DAY + TICK}.items():
        shop.add(user, "Buy", at, amount=1)
    shop.add("else", "Cart", NOON + TICK)
    assert [(user, at) for user, at, _ in found(shop)] == [("first", NOON + TICK), ("last", NOON + DAY)]


def test_amounts_are_read_where_the_goal_asks_for_them(shop: Shop) -> None:
    shop.add("a", "Buy", NOON + TICK, amount=2.5)
    shop.add("b", "Buy", NOON + TICK)
    assert [amount for *_, amount in found(shop)] == [None, None]
    assert [amount for *_, amount in found(shop, revenue="amount")] == [2.5, None]


def test_conditions_on_the_event_are_asked(shop: Shop) -> None:
    shop.add("a", "Buy", NOON + TICK, category="hats")
    shop.add("b", "Buy", NOON + TICK, category="shoes")
    assert [user for user, *_ in found(shop, where={"category": "hats"})] == ["a"]

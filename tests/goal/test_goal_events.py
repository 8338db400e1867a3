from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from audiences.campaign.project import Project
from audiences.demo.shop import load_shop
from audiences.goal.goal_events import goal_events
from audiences.query.event_users import EventUsers
from audiences.query.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.demo.postgres import Postgres

pytestmark = pytest.mark.integration
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CAMPAIGNS = {
    name: spec for name, spec in Project.load(Path(__file__).parents[2]).campaigns.items() if spec.campaign.goal
}


@pytest.fixture(scope="module")
def shop(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    postgres.create_database("shop_with_goals")
    load_shop(postgres.uri("shop_with_goals"), as_of=AT, users=20_000, events=200_000)
    with psycopg.connect(postgres.uri("shop_with_goals"), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE shop.events")
        yield connection


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.mark.parametrize("days", [5, 60])
@pytest.mark.parametrize("campaign", sorted(CAMPAIGNS))
def test_the_goals_events_are_read_through_the_index_on_name_time_and_user(shop, campaign, days):
    spec = CAMPAIGNS[campaign]
    query = render(goal_events(spec, spec.campaign.goal, after=AT - timedelta(days=days), until=AT, users=EventUsers()))
    plan = list(nodes(shop.execute(f"EXPLAIN (FORMAT JSON) {query}".encode()).fetchone()[0][0]["Plan"]))
    assert [node["Node Type"] for node in plan if node["Node Type"] == "Seq Scan"] == []
    assert "events_name_occurred_at_user_id_idx" in {node.get("Index Name") for node in plan}


def test_only_the_goals_events_of_the_time_are_read(shop):
    spec = CAMPAIGNS["abandoned_cart"]
    query = render(goal_events(spec, spec.campaign.goal, after=AT - timedelta(days=5), until=AT, users=EventUsers()))
    found = shop.execute(
        f"SELECT count(*), min(occurred_at), sum(amount)::numeric(12, 2) FROM ({query}) q".encode()
    ).fetchone()
    expected = shop.execute(
        "SELECT count(*), min(occurred_at), sum((properties ->> 'amount')::numeric) FROM shop.events"
        " WHERE name = 'Charged' AND occurred_at > %s",
        (AT - timedelta(days=5),),
    ).fetchone()
    assert found == expected
    assert found[0] > 100

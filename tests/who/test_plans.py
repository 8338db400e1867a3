"""Postgres plans the sample campaigns well at size: 2,000,000 users and 8,000,000 events."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from audiences.campaign.project import Project
from audiences.demo.shop import load_shop
from audiences.query.render import render
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.demo.postgres import Postgres

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(900)]
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
# A live campaign's query is about the few users of its events.
CAMPAIGNS = {name: spec for name, spec in Project.load(ROOT).campaigns.items() if spec.campaign.qualification != "live"}


@pytest.fixture(scope="module")
def shop(postgres: Postgres) -> Iterator[psycopg.Connection[Any]]:
    postgres.create_database("large_shop")
    load_shop(postgres.uri("large_shop"), as_of=AT, users=2_000_000, events=8_000_000)
    with psycopg.connect(postgres.uri("large_shop"), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE shop.events")
        yield connection


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.mark.parametrize("campaign", sorted(CAMPAIGNS))
def test_events_are_read_through_the_index_and_joined_without_loops(
    shop: psycopg.Connection[Any], campaign: str
) -> None:
    query = render(qualified(CAMPAIGNS[campaign], AT))
    plan = list(nodes(shop.execute(f"EXPLAIN (FORMAT JSON) {query}".encode()).fetchone()[0][0]["Plan"]))
    assert not [node for node in plan if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "events"]
    assert "events_name_occurred_at_user_id_idx" in {node.get("Index Name") for node in plan}
    # Events in a SubPlan, or a materialised inner side, are what an IN or EXISTS becomes that Postgres cannot hash. A SubPlan
    # that looks up a type, or takes a list apart, reads no events.
    assert not [node for node in plan if node.get("Parent Relationship") == "SubPlan" and events_in(node)]
    assert not [node for node in plan if node["Node Type"] == "Materialize"]


def events_in(plan: dict[str, Any]) -> bool:
    """Whether that part of a plan reads events, or what was made of them."""
    return any(node["Node Type"] == "CTE Scan" or node.get("Relation Name") == "events" for node in nodes(plan))

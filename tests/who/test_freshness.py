"""The newest event up to the run, by which `fresh_within` judges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from audiences.query.render import render
from audiences.who.freshness import newest_event

if TYPE_CHECKING:
    from tests.who.conftest import Shop

pytestmark = pytest.mark.integration
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def newest(shop: Shop) -> datetime | None:
    events = shop.spec({"did": {"event": "Buy"}}).catalog.events
    return shop.connection.execute(render(newest_event(events, AT)).encode()).fetchone()[0]


def test_events_after_the_run_are_not_news(shop: Shop) -> None:
    assert newest(shop) is None
    for minutes in (-90, 0, 5):
        shop.add("u", "Buy", AT + timedelta(minutes=minutes))
    assert newest(shop) == AT


def test_names_that_the_catalog_lists_are_asked_for_one_by_one(shop: Shop) -> None:
    shop.catalog["events"]["names"] = ["Buy", "Look", "O'Neil; --"]
    assert newest(shop) is None
    shop.add("u", "Unlisted", AT)
    shop.add("u", "Buy", AT - timedelta(hours=2))
    shop.add("u", "Look", AT - timedelta(hours=1))
    shop.add("u", "Look", AT + timedelta(hours=1))
    assert newest(shop) == AT - timedelta(hours=1)
    shop.execute("SET LOCAL enable_seqscan = off; CREATE INDEX ON events (name, at, user_id)")
    events = shop.spec({"did": {"event": "Buy"}}).catalog.events
    plan = shop.connection.execute(f"EXPLAIN {render(newest_event(events, AT))}".encode()).fetchall()
    assert "Seq Scan" not in str(plan)
    assert str(plan).count("Index Only Scan Backward") == 3


def test_a_time_without_zone_is_an_instant_in_the_sessions_zone(shop: Shop) -> None:
    shop.add("u", "Buy", AT)
    shop.execute("SET TIME ZONE 'Asia/Kathmandu'; ALTER TABLE events ALTER at TYPE timestamp")
    found = newest(shop)
    assert found == AT
    assert found.tzinfo is not None

"""Size, adds and removes by day, in the campaign's own time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from audiences.reporting.sizes import sizes

pytestmark = pytest.mark.integration


def ended(desk, run, at):
    desk.shop.sql("update audiences.run set ended_at = %s where id = %s", at, run, on="ledger")


@pytest.fixture
def three_runs(desk):
    """One late on the 20th by UTC, two on the 23rd; the last removes somebody."""
    ended(desk, desk.run("carts").run, "2026-11-20T20:00:00Z")
    desk.shop.user(5, "user5@example.com")
    desk.shop.event(5)
    ended(desk, desk.run("carts").run, "2026-11-23T08:00:00Z")
    desk.shop.sql("delete from events where user_id = 1")
    ended(desk, desk.run("carts").run, "2026-11-23T09:00:00Z")
    return desk


def by_day(desk, zone, days=5):
    found = sizes(
        desk.files(), desk.ledger, "carts", now=datetime(2026, 11, 24, 12, tzinfo=UTC), zone=ZoneInfo(zone), days=days
    )
    return {each.day: (each.size, each.runs, each.added, each.removed) for each in found.days}


def test_every_day_has_its_size_which_stands_until_the_next_run(three_runs):
    assert by_day(three_runs, "UTC") == {
        date(2026, 11, 20): (4, 1, 4, 0),
        date(2026, 11, 21): (4, 0, 0, 0),
        date(2026, 11, 22): (4, 0, 0, 0),
        date(2026, 11, 23): (4, 2, 1, 1),
        date(2026, 11, 24): (4, 0, 0, 0),
    }


def test_days_are_cut_in_the_time_zone_that_is_asked_for(three_runs):
    found = by_day(three_runs, "Asia/Kolkata")
    assert found[date(2026, 11, 20)] == (None, 0, 0, 0)
    assert found[date(2026, 11, 21)] == (4, 1, 4, 0)


def test_the_size_of_before_the_first_day_is_carried_over(three_runs):
    assert by_day(three_runs, "UTC", days=1) == {date(2026, 11, 24): (4, 0, 0, 0)}


def test_a_campaign_that_never_ran_has_no_days(desk):
    assert sizes(desk.files(), desk.ledger, "nobody", now=desk.shop.now, zone=ZoneInfo("UTC")).days == ()

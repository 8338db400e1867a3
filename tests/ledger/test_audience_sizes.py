"""Sizes by day and what came and went, as the ledger has them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from tests.ledger.records import start

from audiences.ledger import audience_sizes, runs
from audiences.ledger.audience_sizes import ChangesOfDay, SizesByDay

pytestmark = pytest.mark.integration


def ran(ledger, campaign, at: str, *, size=None, added=0, removed=0, name="r"):
    ended = datetime.fromisoformat(at).replace(tzinfo=UTC)
    run = start(ledger, campaign, f"{name} {at}")
    runs.end(ledger, run, state="success", outcomes={"added": added, "removed": removed}, size=size)
    ledger.sql.execute("update audiences.run set ended_at = %s where id = %s", (ended, run))
    return run


def by_day(ledger, *campaigns, first="2026-11-20", last="2026-11-23", zone="UTC"):
    first, last = date.fromisoformat(first), date.fromisoformat(last)
    return audience_sizes.by_day(ledger, campaigns, first=first, last=last, zone=zone)


def day(number: int) -> date:
    return date(2026, 11, number)


def test_a_day_has_the_size_of_its_last_run_and_a_day_without_one_that_of_before(ledger, campaign):
    ran(ledger, campaign, "2026-11-20T08:00", size=4)
    ran(ledger, campaign, "2026-11-20T09:00", size=5)
    ran(ledger, campaign, "2026-11-22T23:59:59", size=2)
    assert by_day(ledger, campaign) == [
        SizesByDay(campaign, (day(20), day(21), day(22), day(23)), (5, 5, 2, 2)),
    ]


def test_days_before_the_first_run_are_left_out_and_so_is_a_campaign_that_never_ran(ledger, campaign, other):
    ran(ledger, campaign, "2026-11-22T08:00", size=4)
    assert by_day(ledger, campaign, other) == [SizesByDay(campaign, (day(22), day(23)), (4, 4))]
    assert by_day(ledger, other) == []
    assert by_day(ledger) == []


def test_a_run_that_came_not_as_far_as_to_know_a_size_changes_none(ledger, campaign):
    ran(ledger, campaign, "2026-11-20T08:00", size=4)
    ran(ledger, campaign, "2026-11-21T08:00", size=None)
    (found,) = by_day(ledger, campaign)
    assert found.sizes == (4, 4, 4, 4)


def test_the_size_of_before_the_first_day_is_carried_over(ledger, campaign):
    ran(ledger, campaign, "2026-10-01T08:00", size=9)
    assert by_day(ledger, campaign, first="2026-11-23") == [SizesByDay(campaign, (day(23),), (9,))]


@pytest.mark.parametrize(
    ("zone", "days"), [("UTC", (22, 23)), ("Asia/Kolkata", (23,)), ("America/Los_Angeles", (22, 23))]
)
def test_days_end_at_midnight_of_the_zone(ledger, campaign, zone, days):
    """20:00 UTC is the next day in Kolkata."""
    ran(ledger, campaign, "2026-11-22T20:00", size=1)
    (found,) = by_day(ledger, campaign, zone=zone)
    assert found.days == tuple(map(day, days))
    changes = audience_sizes.changes(ledger, "abandoned_cart", first=day(20), zone=zone)
    assert [each.day for each in changes] == [day(days[0])]


def test_a_day_of_23_hours_ends_where_the_clock_says(ledger, campaign):
    """In Berlin the 29th of March 2026 begins at 23:00 UTC of the 28th and ends at 22:00 UTC."""
    ran(ledger, campaign, "2026-03-29T21:59", size=1)
    ran(ledger, campaign, "2026-03-29T22:01", size=2)
    (found,) = by_day(ledger, campaign, first="2026-03-29", last="2026-03-30", zone="Europe/Berlin")
    assert found.sizes == (1, 2)


def test_what_came_and_went_is_added_up_by_day_from_a_day_on(ledger, campaign, other):
    ran(ledger, campaign, "2026-11-19T23:00", added=100)
    ran(ledger, campaign, "2026-11-20T08:00", added=3, removed=1)
    ran(ledger, campaign, "2026-11-20T09:00", added=1)
    ran(ledger, campaign, "2026-11-22T09:00", removed=2)
    ran(ledger, other, "2026-11-20T09:00", added=50)
    assert audience_sizes.changes(ledger, "abandoned_cart", first=day(20), zone="UTC") == [
        ChangesOfDay(day(20), 2, 4, 1),
        ChangesOfDay(day(22), 1, 0, 2),
    ]
    assert audience_sizes.changes(ledger, "nobody", first=day(20), zone="UTC") == []


def test_a_run_that_failed_before_it_counted_anything_adds_nothing(ledger, campaign):
    run = start(ledger, campaign)
    runs.end(ledger, run, state="failed", error="no")
    (found,) = audience_sizes.changes(ledger, "abandoned_cart", first=day(20), zone="UTC")
    assert (found.runs, found.added, found.removed) == (1, 0, 0)

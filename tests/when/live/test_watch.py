from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audiences.when.live.watch import LiveCampaign

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def campaign(**when: Any) -> LiveCampaign:
    return LiveCampaign.model_validate(
        {"id": "carts", "timezone": "Asia/Kolkata", "when": {"on": {"event": "Added To Cart"}, **when}}
    )


@pytest.mark.parametrize(
    ("when", "wait"),
    [
        ({}, 0),
        ({"after": "10 minutes"}, 10),
        ({"unless": {"event": "Charged", "within": "30 minutes"}}, 30),
        ({"unless": {"event": "Charged", "within": "30 minutes"}, "after": "10 minutes"}, 30),
        ({"unless": {"event": "Charged", "within": "30 minutes"}, "after": "1 hour"}, 60),
    ],
)
def test_due_after_the_longer_of_the_two_waits_and_late_an_hour_after_that(when, wait):
    live = campaign(**when)
    due = live.due(NOON)
    assert due == NOON + wait * MINUTE
    assert not live.late(due, due + 60 * MINUTE)
    assert live.late(due, due + 61 * MINUTE)
    assert live.longest == (wait + 60) * MINUTE


def test_in_force_from_the_first_to_the_last_day_of_its_own_time_zone():
    live = campaign(start="2026-11-24", end="2026-11-25")
    begins, ends = datetime(2026, 11, 23, 18, 30, tzinfo=UTC), datetime(2026, 11, 25, 18, 30, tzinfo=UTC)
    moments = [begins - MINUTE, begins, ends - MINUTE, ends]
    assert [live.in_force(moment) for moment in moments] == [False, True, True, False]

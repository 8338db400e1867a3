"""Until when a scheduled run that was missed still takes place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.who.conftest import a_spec

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two
DAILY = {"repeat": {"every": "1 day", "at": "09:00"}}
DUE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def spec(when):
    campaign = {
        "name": "Carts",
        "who": {"did": {"event": "Added To Cart"}},
        "what": {"audience": {"create": {"name": "Carts"}}},
        "when": when,
    }
    return a_spec({}, campaign=campaign)


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        (timedelta(0), False),
        (timedelta(hours=6), False),
        (timedelta(hours=6, seconds=1), True),
        (timedelta(days=-1), False),
    ],
)
def test_a_run_that_was_due_up_to_six_hours_ago_still_takes_place(late, expected):
    from audiences.when.timetable import too_late

    assert too_late(spec(DAILY), DUE, DUE + late) is expected


def test_a_run_that_is_due_at_once_is_never_late():
    from audiences.when.timetable import too_late

    assert not too_late(spec({"now": True}), DUE, DUE + timedelta(days=30))

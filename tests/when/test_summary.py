from __future__ import annotations

from typing import Any

import pytest

from audiences.campaign.when import When
from audiences.when.recurrence import Recurrence
from audiences.when.summary import description, summary

DATES = [f"2026-12-{day:02} 09:00" for day in range(1, 13)]


def recurrence(when: Any, zone: str = "Asia/Kolkata") -> Recurrence:
    return Recurrence.of(When.model_validate(when), zone)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("now", "once, when published"),
        ({"date": "2026-12-01 09:00"}, "once on 1 Dec 2026 at 09:00 Asia/Kolkata"),
        ({"date": "2026-12-01"}, "once on 1 Dec 2026 at 00:00 Asia/Kolkata"),
        ({"date": "2026-12-01 09:00+00:00"}, "once on 1 Dec 2026 at 14:30 Asia/Kolkata"),
        (
            {"dates": ["2026-12-05 10:00", "2026-12-01 09:00"]},
            "on 1 Dec 2026 at 09:00, 5 Dec 2026 at 10:00 Asia/Kolkata",
        ),
        ({"dates": DATES}, "12 times from 1 Dec 2026 at 09:00 to 12 Dec 2026 at 09:00 Asia/Kolkata"),
        ({"repeat": {"every": "1 day", "at": ["18:00", "09:00"]}}, "every day at 09:00, 18:00 Asia/Kolkata"),
        (
            {"repeat": {"every": "2 weeks", "on": ["mon", "Friday"], "at": "09:00"}, "end": "2027-03-01"},
            "every 2 weeks on Mon, Fri at 09:00 Asia/Kolkata, until 1 Mar 2027",
        ),
        (
            {"repeat": {"every": "1 month", "on": [1, 15, "last", "first monday"], "at": "09:00:30"}},
            "every month on 1, 15, last, first Mon at 09:00:30 Asia/Kolkata",
        ),
        (
            {"repeat": {"every": "3 days", "at": "09:00"}, "ends": {"after": 10}},
            "every 3 days at 09:00 Asia/Kolkata, for 10 runs",
        ),
        ({"cron": "0 9 * * mon"}, "cron 0 9 * * mon Asia/Kolkata"),
        (
            {"cron": ["0 9 * * *", "0 18 * * 6"], "end": "2027-03-01 18:00"},
            "cron 0 9 * * * and 0 18 * * 6 Asia/Kolkata, until 1 Mar 2027 at 18:00",
        ),
    ],
)
def test_a_summary_reads_like_the_file(when: Any, said: str) -> None:
    assert summary(recurrence(when)) == said


def test_a_description_says_the_start_as_well() -> None:
    daily = recurrence({"repeat": {"every": "1 day", "at": "09:00"}, "start": "2026-12-01", "end": "2027-03-01"})
    assert description(daily) == "From 1 Dec 2026, every day at 09:00 Asia/Kolkata, until 1 Mar 2027"
    assert description(recurrence("now")) == "Once, when published"

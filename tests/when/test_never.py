from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.campaign.conftest import folder  # noqa: F401  # a fixture

from audiences.when.never import never, told_never

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.campaign.conftest import Folder

    from audiences.campaign.spec import CampaignSpec

DAILY = {"every": "1 day", "at": "09:00"}


@pytest.mark.parametrize(
    "when",
    [
        {"repeat": {"every": "1 month", "on": 31, "at": "09:00"}, "start": "2026-02-01", "end": "2026-02-28"},
        {"repeat": {"every": "1 week", "on": "mon", "at": "09:00"}, "start": "2026-12-01", "end": "2026-12-06"},
        {"repeat": DAILY, "start": "2026-12-01 10:00", "end": "2026-12-02 08:00"},
        {"cron": "0 9 29 2 *", "start": "2026-01-01", "end": "2027-12-31"},
        {"repeat": {"every": "12 months", "on": 30, "at": "09:00"}, "start": "2026-02-01"},
    ],
)
def test_a_schedule_without_a_time_between_its_days_never_runs(
    campaign: Callable[..., CampaignSpec], when: dict[str, Any]
) -> None:
    assert "so the campaign never runs" in str(never(campaign(when)))


@pytest.mark.parametrize(
    "when",
    [
        {"now": True, "start": "2026-12-01", "end": "2026-12-01"},
        {"date": "2026-12-01"},
        {"repeat": DAILY},
        {"repeat": DAILY, "end": "2020-01-01"},
        {"repeat": DAILY, "start": "2026-12-01", "end": "2026-12-01"},
        {"repeat": {"every": "1 month", "on": 31, "at": "09:00"}, "start": "2026-02-01"},
        {"repeat": DAILY, "windows": [{"from": "10:00", "to": "11:00"}]},
        {"repeat": DAILY, "windows": [{"from": "09:00", "to": "11:00"}], "outside": "drop"},
        {"on": {"event": "Charged"}, "start": "2026-12-01", "end": "2026-12-02"},
    ],
)
def test_whatever_runs_once_at_least_or_waits_for_events_is_no_such_schedule(
    campaign: Callable[..., CampaignSpec], when: dict[str, Any]
) -> None:
    assert never(campaign(when)) is None


def test_times_that_all_fall_outside_the_windows_never_send_when_such_runs_are_dropped(
    campaign: Callable[..., CampaignSpec],
) -> None:
    missed = {"repeat": DAILY, "windows": [{"from": "10:00", "to": "11:00"}], "outside": "drop"}
    assert "never sends anything" in str(never(campaign(missed)))


def test_validate_warns_at_the_line_and_says_nothing_of_what_is_stopped(folder: Folder) -> None:  # noqa: F811  # the fixture
    folder.when("{repeat: {every: 1 week, on: mon, at: '09:00'}, start: 2026-12-01, end: 2026-12-06}")
    (warning,) = told_never(folder.load())
    assert str(warning) == (
        "campaigns/test.yml:4:74: when.end: no time of this schedule falls between the start, `2026-12-01`, and the end, "
        "`2026-12-06`, so the campaign never runs"
    )
    text = Path(folder.root / "campaigns/test.yml").read_text()
    folder.campaign(text + "status: stopped\n")
    assert list(told_never(folder.load())) == []

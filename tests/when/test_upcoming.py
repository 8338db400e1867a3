from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from audiences.when.upcoming import next_sends, recurrence_of, run_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.campaign.spec import CampaignSpec

DAILY = {"repeat": {"every": "1 day", "at": "09:00"}, "end": "2026-12-03"}
BEFORE = datetime(2026, 12, 1, tzinfo=UTC)


def test_next_runs_are_in_utc_and_end_with_the_schedule(campaign: Callable[..., CampaignSpec]) -> None:
    assert list(islice(run_times(campaign(DAILY, "Asia/Kolkata"), BEFORE), 10)) == [
        datetime(2026, 12, day, 3, 30, tzinfo=UTC) for day in (1, 2, 3)
    ]


@pytest.mark.parametrize("status", ["draft", "stopped"])
def test_only_published_campaigns_run(campaign: Callable[..., CampaignSpec], status: str) -> None:
    assert list(islice(run_times(campaign(DAILY, status=status), BEFORE), 10)) == []


@pytest.mark.parametrize(("status", "runs"), [("draft", 3), ("published", 3), ("stopped", 0)])
def test_a_draft_can_be_asked_what_it_would_do(campaign: Callable[..., CampaignSpec], status: str, runs: int) -> None:
    assert len(list(islice(run_times(campaign(DAILY, status=status), BEFORE, if_published=True), 10))) == runs


def test_what_waits_for_events_has_no_schedule(campaign: Callable[..., CampaignSpec]) -> None:
    waiting = campaign({"on": {"event": "Charged"}})
    assert recurrence_of(waiting) is None
    assert list(islice(run_times(waiting, BEFORE, if_published=True), 10)) == []


OFFICE = {"windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"}]}


def test_a_time_at_which_the_windows_are_closed_is_told_as_the_opening_at_which_it_is_sent(
    campaign: Callable[..., CampaignSpec],
) -> None:
    early = {"repeat": {"every": "1 day", "at": "07:00"}, **OFFICE}
    saturday = datetime(2026, 12, 5, tzinfo=UTC)
    # The runs of Saturday, Sunday and Monday wait for the same opening.
    assert next_sends(campaign(early), saturday, 2) == [datetime(2026, 12, day, 9, tzinfo=UTC) for day in (7, 8)]


def test_every_minute_waits_for_monday_once(campaign: Callable[..., CampaignSpec]) -> None:
    found = next_sends(campaign({"cron": "* * * * *", **OFFICE}), datetime(2026, 12, 4, 18, tzinfo=UTC), 2)
    assert found == [datetime(2026, 12, 7, 9, 0, tzinfo=UTC), datetime(2026, 12, 7, 9, 1, tzinfo=UTC)]


def test_a_run_that_is_dropped_outside_the_windows_is_not_told(campaign: Callable[..., CampaignSpec]) -> None:
    twice = {"repeat": {"every": "1 day", "at": ["07:00", "10:00"]}, "outside": "drop", **OFFICE}
    assert next_sends(campaign(twice), datetime(2026, 12, 7, tzinfo=UTC), 1) == [datetime(2026, 12, 7, 10, tzinfo=UTC)]
    never = {"repeat": {"every": "1 week", "on": ["sunday"], "at": "10:00"}, "outside": "drop", **OFFICE}
    assert next_sends(campaign(never), BEFORE, 3) == []

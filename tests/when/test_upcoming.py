from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from audiences.when.upcoming import next_runs, recurrence_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.campaign.spec import CampaignSpec

DAILY = {"repeat": {"every": "1 day", "at": "09:00"}, "end": "2026-12-03"}
BEFORE = datetime(2026, 12, 1, tzinfo=UTC)


def test_next_runs_are_in_utc_and_end_with_the_schedule(campaign: Callable[..., CampaignSpec]) -> None:
    assert next_runs(campaign(DAILY, "Asia/Kolkata"), BEFORE, 10) == [
        datetime(2026, 12, day, 3, 30, tzinfo=UTC) for day in (1, 2, 3)
    ]


@pytest.mark.parametrize("status", ["draft", "stopped"])
def test_only_published_campaigns_run(campaign: Callable[..., CampaignSpec], status: str) -> None:
    assert next_runs(campaign(DAILY, status=status), BEFORE, 10) == []


@pytest.mark.parametrize(("status", "runs"), [("draft", 3), ("published", 3), ("stopped", 0)])
def test_a_draft_can_be_asked_what_it_would_do(campaign: Callable[..., CampaignSpec], status: str, runs: int) -> None:
    assert len(next_runs(campaign(DAILY, status=status), BEFORE, 10, if_published=True)) == runs


def test_what_waits_for_events_has_no_schedule(campaign: Callable[..., CampaignSpec]) -> None:
    waiting = campaign({"on": {"event": "Charged"}})
    assert recurrence_of(waiting) is None
    assert next_runs(waiting, BEFORE, 10, if_published=True) == []

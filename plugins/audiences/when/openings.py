"""Export windows: the weekdays and hours, on the campaign's wall clock, in which anything may be sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from audiences.campaign.rules import WEEKDAYS
from audiences.when.wallclock import first_instant, wall_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from audiences.campaign.when import ExportWindow

_DAYS_AHEAD = 15  # a week has every weekday; a second one, for a window that the clocks skip as a whole


def next_opening(at: datetime, windows: Sequence[ExportWindow], zone: ZoneInfo) -> datetime | None:
    """The instant, in UTC, at which the next window opens; None when one is open at `at`, or when there are none.

    A window is open from its `from` until just before its `to`; one whose `to` is not after its `from` ends on the next
    day and belongs to the day on which it opens. Both mean the first instant at which the clock shows that time or
    later, so on a day when the clocks change nothing opens twice.
    """
    yesterday = wall_time(at, zone).date() - timedelta(days=1)
    openings = []
    for ahead in range(_DAYS_AHEAD + 1):
        for opens, closes in _on_day(yesterday + timedelta(days=ahead), windows, zone):
            if opens <= at < closes:
                return None
            if at < opens < closes:
                openings.append(opens)
    return min(openings, default=None)


def opened(at: datetime, windows: Sequence[ExportWindow], zone: ZoneInfo) -> datetime | None:
    """The instant, in UTC, at which the window that is open at `at` opened, of several the first; None when none is."""
    today = wall_time(at, zone).date()
    days = (today - timedelta(days=1), today)
    return min(
        (opens for day in days for opens, closes in _on_day(day, windows, zone) if opens <= at < closes), default=None
    )


def _on_day(day: date, windows: Sequence[ExportWindow], zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    for window in windows:
        if WEEKDAYS[day.weekday()] in window.days:
            last_day = day if window.from_ < window.to else day + timedelta(days=1)
            opens, closes = datetime.combine(day, window.from_), datetime.combine(last_day, window.to)
            yield first_instant(opens, zone), first_instant(closes, zone)

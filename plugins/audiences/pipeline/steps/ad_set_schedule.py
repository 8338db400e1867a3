"""What `schedule: campaign` means for an ad set: the campaign's start, end and windows in Facebook's terms."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from audiences.campaign.rules import WEEKDAYS
from audiences.facebook.ad_set_hours import AdSetSchedule, DayPart, day_parts
from audiences.pipeline.preconditions.same_clock import ensure_same_clock
from audiences.when.wallclock import after_end_of, start_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import time

    from audiences.campaign.when import ExportWindow
    from audiences.pipeline.resources import CampaignResources

_HOUR = 60


def wanted_schedule(resources: CampaignResources) -> AdSetSchedule:
    """Start, end and hours of the campaign; an end that has passed is left out, since Facebook takes none.

    Raises ScheduleError for windows that are not on the full hour, FacebookAccessError when the ad account, on whose
    clock an ad set's hours are, keeps another time zone than the campaign.
    """
    spec, now = resources.spec, resources.now()
    when = spec.campaign.when
    parts = weekly_parts(when.windows)
    ensure_same_clock(resources)
    start = start_of(when.start, spec.zone) if when.start else None
    # Facebook knows whole seconds; the moment after a last one is a microsecond later.
    end = after_end_of(when.end, spec.zone).replace(microsecond=0) if when.end else None
    return AdSetSchedule(start=start, end=end if end and end > now else None, parts=parts)


def weekly_parts(windows: Sequence[ExportWindow]) -> tuple[DayPart, ...]:
    """The hours of the week in which any window is open, as parts that do not overlap; Facebook refuses those that do."""
    hours = {
        (day, hour)
        for window in windows
        for part in day_parts(
            tuple(_facebook_day(day) for day in window.days), _minutes(window.from_), _minutes(window.to)
        )
        for day in part.days
        for hour in range(part.start_minute // _HOUR, part.end_minute // _HOUR)
    }
    spans = sorted((span, day) for day in range(7) for span in _spans(sorted(h for d, h in hours if d == day)))
    return tuple(
        DayPart(tuple(day for _, day in same), first * _HOUR, after * _HOUR)
        for (first, after), same in groupby(spans, key=lambda found: found[0])
    )


def _spans(hours: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending hours as spans `(first, the one after the last)`."""
    for _, found in groupby(enumerate(hours), key=lambda numbered: numbered[1] - numbered[0]):
        run = [hour for _, hour in found]
        yield run[0], run[-1] + 1


def _facebook_day(day: str) -> int:
    """Facebook's week begins with Sunday, as 0."""
    return (WEEKDAYS.index(day) + 1) % 7


def _minutes(at: time) -> int:
    return at.hour * _HOUR + at.minute

"""Times on the wall of a named zone, and the instants they stand for on the days when the clocks change."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

TICK = timedelta(microseconds=1)  # the resolution of a datetime


def wall_time(instant: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall in `zone` shows at `instant`, without offset."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the clock shows `wall` or later.

    A time that occurs twice is the first of the two; a time that is skipped is the instant right after the gap.
    """
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if wall_time(instant, zone) == wall:
        return instant
    # Inside a gap, PEP 495 reads fold=1 with the offset after the gap, an instant before it, and fold=0 the other way
    # round. The clocks change somewhere between the two.
    before = wall.replace(tzinfo=zone, fold=1, microsecond=0).astimezone(UTC)
    seconds = range(int((instant - before).total_seconds()) + 1)
    return before + timedelta(
        seconds=bisect_left(
            seconds, True, key=lambda passed: wall_time(before + timedelta(seconds=passed), zone) >= wall
        )
    )


def every_instant(walls: Iterable[datetime], zone: ZoneInfo) -> Iterator[datetime]:
    """The instants, in order, at which the clock shows ascending wall times: none in a gap, two in a repeated hour."""
    again: list[datetime] = []
    for wall in walls:
        first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if first <= second:  # in a gap, PEP 495 puts fold=1 before fold=0
            if first == second:  # the repeated hour, if there was one, is over
                yield from again
                again.clear()
            else:
                again.append(second)
            yield first
    yield from again


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, or of a date and time of a campaign file; one without offset is local."""
    if not isinstance(day, datetime):
        return first_instant(datetime.combine(day, time()), zone)
    return day.astimezone(UTC) if day.tzinfo else first_instant(day, zone)


def after_end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant after a local day, or after a date and time; the day or time itself still belongs."""
    if isinstance(day, datetime):
        return start_of(day, zone) + TICK
    return start_of(day + timedelta(days=1), zone)

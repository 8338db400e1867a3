"""When a campaign is due, found out the slow way: every day and, where it matters, every minute is looked at.

Shares no code with the product and uses neither `dateutil` nor `croniter`.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Zones whose clocks change in different ways: by an hour, half an hour, two hours, at midnight, before midnight, by a
# whole day, or never.
ZONES = (
    "UTC", "Asia/Kolkata", "America/New_York", "Europe/Berlin", "Europe/London", "Australia/Lord_Howe",
    "America/St_Johns", "America/Havana", "America/Santiago", "Asia/Beirut", "Africa/Cairo", "Africa/Casablanca",
    "Antarctica/Troll", "Asia/Gaza", "Pacific/Apia", "Pacific/Chatham", "America/Nuuk", "Atlantic/Azores",
)  # fmt: skip
MINUTE = timedelta(minutes=1)


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def minutes(lower: datetime, upper: datetime) -> Iterator[datetime]:
    while lower < upper:
        yield lower
        lower += MINUTE


def instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """Every instant at which the clock shows `wall`: one, two, or none."""
    around = wall.replace(tzinfo=UTC)
    offsets = {(around + timedelta(hours=h)).astimezone(zone).utcoffset() for h in range(-36, 37)}
    candidates = sorted(around - offset for offset in offsets if offset is not None)
    return [instant for instant in candidates if shown(instant, zone) == wall]


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    if found := instants(wall, zone):
        return found[0]
    around = wall.replace(tzinfo=UTC)
    return next(
        m for m in minutes(around - timedelta(hours=27), around + timedelta(hours=27)) if shown(m, zone) >= wall
    )


def matches(day: date, unit: str, every: int, on: tuple[Any, ...], anchor: date) -> bool:
    """Whether a repetition counted from `anchor` has a run on `day`."""
    if unit == "day":
        return (day - anchor).days % every == 0
    if unit == "week":
        monday, other = (each - timedelta(days=each.weekday()) for each in (day, anchor))
        return (day - monday).days in [NAMES.index(n) for n in on or (NAMES[anchor.weekday()],)] and (
            (monday - other).days // 7 % every == 0
        )
    months = (day.year * 12 + day.month) - (anchor.year * 12 + anchor.month)
    if months % every:
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    said: set[Any] = {day.day, "last"} if day.day == length else {day.day}
    said.add(f"{('first', 'second', 'third', 'fourth', 'fifth')[(day.day - 1) // 7]} {NAMES[day.weekday()]}")
    if day.day + 7 > length:
        said.add(f"last {NAMES[day.weekday()]}")
    return bool(said & set(on or (anchor.day,)))


def repeated(
    zone: ZoneInfo,
    unit: str,
    every: int,
    on: tuple[Any, ...],
    at: list[time],
    anchor: date,
    after: datetime,
    until: datetime,
) -> list[datetime]:
    """The runs of a repetition later than `after` and before `until`."""
    day, found = after.date() - timedelta(days=2), set()
    while day <= until.date() + timedelta(days=2):
        if matches(day, unit, every, on, anchor):
            found |= {first_instant(datetime.combine(day, clock), zone) for clock in at}
        day += timedelta(days=1)
    return sorted(instant for instant in found if after < instant < until)


def fired(zone: ZoneInfo, minute: set[int], hour: set[int] | None, after: datetime, until: datetime) -> list[datetime]:
    """The runs of the cron line with these minutes and hours, every day; `hour` None is `*`."""
    if hour is None:
        return [m for m in minutes(after + MINUTE, until) if shown(m, zone).minute in minute]
    at = [time(h, m) for h in hour for m in minute]
    return repeated(zone, "day", 1, (), at, date(2024, 1, 1), after, until)

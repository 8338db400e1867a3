"""Whether the `when` of a campaign can come true: time zone, dates in order, days of the month, cron lines."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from audiences.campaign import cron
from audiences.campaign.checks.finding import Finding, Findings
from audiences.campaign.rules import WEEKDAYS
from audiences.campaign.when import Repeat, When
from audiences.campaign.wording import bare, did_you_mean, shown

_SOME_DATE = datetime(2000, 1, 1)  # noqa: DTZ001  # only whether the line has a next time is asked
_EVERY = ("*", "?")
_NTH, _NEAREST = re.compile(r"#|l", re.IGNORECASE), re.compile(r"w", re.IGNORECASE)  # `mon#2`, `L5`; `15W`
_MOST_RUNS = 10_000  # runs are counted anew at every look
_WEEKDAY = r"(mon|tue|wed|thu|fri|sat|sun|monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_ON_WEEK = re.compile(_WEEKDAY)
_ON_MONTH = re.compile(rf"last|(first|second|third|fourth|last) {_WEEKDAY}")


# Files that stand among the zones: the machine's own, those that count leap seconds, and placeholders.
_NO_ZONES = ("localtime", "posixrules", "Factory", "right/", "posix/")


def zone_findings(name: str) -> Findings:
    """Check the name of a time zone."""
    try:
        ZoneInfo(name)
        known = not name.startswith(_NO_ZONES)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = False
    if not known:
        near = did_you_mean(name, available_timezones()) or "; write a name such as `Asia/Kolkata`"
        yield Finding((), "unknown-time-zone", f"unknown time zone {shown(name)}{near}")


def when_findings(when: When, zone: ZoneInfo) -> Findings:
    """Check a schedule on its own, on the clock of the campaign's time zone."""
    yield from _order_findings(when, zone)
    if when.repeat:
        yield from (found.under("repeat") for found in _repeat_findings(when.repeat))
    for index, line in enumerate(when.cron or ()):
        if message := _cron_mistake(line):
            yield Finding(("cron", index), "bad-cron", message)
    if when.ends and not (when.repeat or when.cron):
        message = "counts the runs of `repeat` or `cron`; this schedule has its own end"
        yield Finding(("ends",), "wrong-schedule", message, key=True)
    if when.ends and when.ends.after > _MOST_RUNS:
        message = f"counts at most {_MOST_RUNS:,} runs, not {when.ends.after:,}; give an `end` instead"
        yield Finding(("ends", "after"), "out-of-range", message)
    for index, window in enumerate(when.windows):
        if window.from_ == window.to:
            message = f"is empty: it starts and ends at {window.to:%H:%M}; for the whole day leave `windows` out"
            yield Finding(("windows", index), "wrong-order", message)


def whole_hour_findings(when: When) -> Findings:
    """Check that windows can be given to ad sets, which have hours and no minutes."""
    for index, window in enumerate(when.windows):
        for key, at in (("from", window.from_), ("to", window.to)):
            if at.replace(hour=0) != time():
                message = f"`{at:%H:%M}` is not on the full hour, which `what.schedule: campaign` needs for ad sets"
                yield Finding(("windows", index, key), "not-allowed", message)


def _order_findings(when: When, zone: ZoneInfo) -> Findings:
    start = _moment(when.start, time.min, zone) if when.start else datetime.min  # noqa: DTZ901  # compared, not read
    end = _moment(when.end, time.max, zone) if when.end else datetime.max  # noqa: DTZ901  # compared, not read
    if start > end:
        yield Finding(("end",), "wrong-order", f"`{when.end}` is before the start, `{when.start}`")
        return
    dates = when.dates or ()
    runs = [(("date",), when.date)] if when.date else [(("dates", index), day) for index, day in enumerate(dates)]
    for path, day in runs:
        if _moment(day, time.max, zone) < start:
            yield Finding(path, "wrong-order", f"`{day}` is before the start, `{when.start}`, and would never run")
        if _moment(day, time.min, zone) > end:
            yield Finding(path, "wrong-order", f"`{day}` is after the end, `{when.end}`, and would never run")
    for index, day in enumerate(dates):
        if day in dates[:index]:
            yield Finding(("dates", index), "given-twice", f"`{day}` is given twice")


def _moment(day: date | datetime, otherwise: time, zone: ZoneInfo) -> datetime:
    """A day as a moment on the clock of the campaign's time zone."""
    if not isinstance(day, datetime):
        return datetime.combine(day, otherwise)
    return (day.astimezone(zone) if day.tzinfo else day).replace(tzinfo=None)


def _repeat_findings(repeat: Repeat) -> Findings:
    unit = repeat.every.unit
    for index, day in enumerate(repeat.on or ()):
        text = " ".join(day.lower().split()) if isinstance(day, str) else ""
        if unit == "day":
            yield Finding(("on",), "wrong-schedule", "chooses days of a week or month; this repeats every so many days")
            return
        if unit == "week" and not _ON_WEEK.fullmatch(text):
            message = f"{shown(day)} is not a weekday; allowed: {', '.join(WEEKDAYS)}{did_you_mean(day, WEEKDAYS)}"
            yield Finding(("on", index), "not-allowed", message)
        if unit == "month" and not (_ON_MONTH.fullmatch(text) or (isinstance(day, int) and 1 <= day <= 31)):
            message = f"{shown(day)} is not a day of a month; allowed: 1 to 31, `last`, `first monday` to `last sunday`"
            yield Finding(("on", index), "not-allowed", message)


def _cron_mistake(line: str) -> str:
    fields = line.split()
    if len(fields) != len(cron.FIELDS) or len(line) > 200:
        same = cron.NICKNAMES.get(line.strip().lower())
        more = f"; write `{same}`" if same else "; there is none for seconds or years" if len(fields) in (6, 7) else ""
        return f"{shown(line)} is not a cron line of five fields: {', '.join(cron.FIELDS)}{more}"
    if any(field.lower().startswith("r") for field in fields):  # croniter's `R` draws another time at every look
        return f"{shown(line)} asks for a time at random; write the time"
    for place, (name, field) in enumerate(zip(cron.FIELDS, fields, strict=True)):
        if message := _field_mistake(name, field, place):
            return f"{shown(line)} is not a cron line that ever fires: {message}"
    if message := _left_out(*fields[2::2]):
        return f"{shown(line)} {message}"
    if reason := _why_never(line):
        there_is_none = "no month that it names has such a day"
        return f"{shown(line)} is not a cron line that ever fires: {there_is_none if 'next date' in reason else reason}"
    return ""


def _field_mistake(name: str, field: str, place: int) -> str:
    """What is wrong with one field whatever the others are; empty if nothing is."""
    least, greatest = cron.FIELDS[name]
    if step := cron.too_far(field, name):
        return f"its {name}, {shown(field)}, has a step of {step}, which is more than there are; write the value that is meant"
    if not _why_never(" ".join(field if at == place else "*" for at in range(len(cron.FIELDS)))):
        return ""
    names = {"month": ", or `jan` to `dec`", "weekday": ", or `sun` to `sat`"}.get(name, "")
    return f"its {name}, {shown(field)}, is none; allowed: {least} to {greatest}{names}"


def _why_never(line: str) -> str:
    """What croniter has against a line; empty when it fires."""
    # Imported here for speed: few campaigns use it.
    from croniter import CroniterError  # type: ignore[import-untyped]  # has no type information

    try:
        cron.fields(line, _SOME_DATE).get_next()
    except (CroniterError, ValueError, KeyError, OverflowError) as error:
        return " ".join(str(error).split())[:120]
    return ""


def _left_out(day: str, weekday: str) -> str:
    """Of two fields for the day, croniter drops one where the other says more than a list of days; empty if none is."""
    if day in _EVERY or weekday in _EVERY:
        return ""
    special = next((field for field, found in ((weekday, _NTH), (day, _NEAREST)) if found.search(field)), None)
    if special is None:
        return ""
    return (
        f"has days of the month, {shown(day)}, beside weekdays, {shown(weekday)}, and one of the two would be left out in "
        f"silence, since {shown(special)} does not go together with other days; write two lines: "
        f'`cron: ["… {bare(day)} * *", "… * * {bare(weekday)}"]`'
    )

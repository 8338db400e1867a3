"""A schedule in words that read like the campaign file: `every 2 weeks on Mon, Fri at 09:00 Asia/Kolkata`."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from audiences.when.wallclock import start_of, wall_time

if TYPE_CHECKING:
    from datetime import time

    from audiences.campaign.when import Repeat, When
    from audiences.when.recurrence import Recurrence

_MANY = 4  # more dates than this are counted, not listed


def summary(recurrence: Recurrence) -> str:
    """What repeats and until when, for a narrow column."""
    when = recurrence.when
    said = "once, when published" if recurrence.is_now else f"{_times(recurrence)} {recurrence.zone.key}"
    if when.ends:
        said += f", for {when.ends.after} {'run' if when.ends.after == 1 else 'runs'}"
    if when.end:
        said += f", until {_day(when.end, recurrence)}"
    return said


def description(recurrence: Recurrence) -> str:
    """The summary as a sentence that also says when the schedule starts."""
    start = recurrence.when.start
    said = f"from {_day(start, recurrence)}, {summary(recurrence)}" if start else summary(recurrence)
    return said[0].upper() + said[1:]


def untimed_summary(when: When) -> str:
    """The same for a campaign without times: `when a user does Added To Cart, unless Charged follows within 30 minutes`.

    Or, where it runs after others: `after the DAG load_orders`.
    """
    if when.run_after:
        return str(when.run_after)
    said = f"when a user does {' or '.join(trigger.event for trigger in when.on or ())}"
    if when.unless:
        said += f", unless {when.unless.event} follows within {when.unless.within}"
    return f"{said}, {when.wait} later" if when.wait else said


def _times(recurrence: Recurrence) -> str:
    when = recurrence.when
    if when.repeat:
        return _repeat(when.repeat)
    if when.cron:
        return f"cron {' and '.join(when.cron)}"
    days = sorted(recurrence.dates, key=lambda day: start_of(day, recurrence.zone))
    if len(days) > _MANY:
        return f"{len(days)} times from {_moment(days[0], recurrence)} to {_moment(days[-1], recurrence)}"
    return f"{'once ' if len(days) == 1 else ''}on {', '.join(_moment(day, recurrence) for day in days)}"


def _repeat(repeat: Repeat) -> str:
    every = f"every {repeat.every.unit}" if repeat.every.amount == 1 else f"every {repeat.every}"
    on = f" on {', '.join(_on(day) for day in repeat.on)}" if repeat.on else ""
    return f"{every}{on} at {', '.join(_clock(at) for at in sorted(repeat.at))}"


def _on(day: int | str) -> str:
    """`mon` as `Mon`, `first monday` as `first Mon`, `15` and `last` as they are."""
    *which, name = str(day).lower().split()
    return " ".join((*which, name if name.isdigit() or name == "last" else name[:3].capitalize()))


def _day(day: date, recurrence: Recurrence) -> str:
    """A first or last day, or moment, of the schedule."""
    return _moment(day, recurrence) if isinstance(day, datetime) else f"{day.day} {day:%b} {day.year}"


def _moment(day: date, recurrence: Recurrence) -> str:
    """A run on the campaign's wall clock; without a time it is due as the day begins."""
    local = wall_time(start_of(day, recurrence.zone), recurrence.zone)
    return f"{local.day} {local:%b} {local.year} at {_clock(local.time())}"


def _clock(at: time) -> str:
    return at.isoformat(timespec="minutes" if not at.second else "seconds")

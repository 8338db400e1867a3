"""Cron lines of five fields, read as cron reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from croniter import croniter  # type: ignore[import-untyped]  # has no type information

FIELDS = {"minute": (0, 59), "hour": (0, 23), "day of month": (1, 31), "month": (1, 12), "weekday": (0, 7)}
"""The fields in their order, with the least and the greatest number of each; a weekday 7 is Sunday, as 0 is."""
NICKNAMES = {
    "@hourly": "0 * * * *",
    **dict.fromkeys(("@daily", "@midnight"), "0 0 * * *"),
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    **dict.fromkeys(("@yearly", "@annually"), "0 0 1 1 *"),
}
_STEP = re.compile(r"/(\d+)")
_RANGE = re.compile(r"\b(\w+)-(\w+)(/\d+)?\b")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NUMBERS = {name: number for number, name in (*enumerate(_MONTHS, 1), *enumerate(_WEEKDAYS))}


def fields(line: str, since: datetime) -> croniter:
    """The line with its times after `since`, a time on the wall. Raises what croniter raises for a line that is none."""
    # Imported here because it costs as much as all else that reads a campaign, and few campaigns use it.
    from croniter import croniter

    # Its name for what cron does: a day must be of both fields for days where one begins with `*`, as in `*/2`; else of either.
    return croniter(_RANGE.sub(_single, line), since, type(since), implement_cron_bug=True)


def too_far(field: str, name: str) -> int:
    """The step of a field that is greater than the number of its values, which makes it a list of one value; 0 without."""
    least, greatest = FIELDS[name]
    most = min(greatest, 6) - least + 1 if name == "weekday" else greatest - least + 1
    return next((step for step in map(int, _STEP.findall(field)) if step > most), 0)


def _single(found: re.Match[str]) -> str:
    """A range of one value as that value: croniter takes `5-5` for the whole field, and `fri-fri` for every day."""
    low, high, _ = found.groups()
    return low if _number(low) == _number(high) else found.group()


def _number(value: str) -> int | str:
    return int(value) if value.isdecimal() else _NUMBERS.get(value.lower(), value)

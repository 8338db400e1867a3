"""Cron lines of five fields, read as cron reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from croniter import croniter  # type: ignore[import-untyped]  # has no type information

FIELDS = ("minute", "hour", "day of month", "month", "weekday")
_RANGE = re.compile(r"\b(\w+)-(\w+)(/\d+)?\b")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NUMBERS = {name: number for number, name in (*enumerate(_MONTHS, 1), *enumerate(_WEEKDAYS))}


def fields(line: str, since: datetime) -> croniter:
    """The line with its times after `since`, a time on the wall. Raises what croniter raises for a line that is none."""
    # Imported here because it costs as much as all else that reads a campaign, and few campaigns use it.
    from croniter import croniter

    return croniter(_RANGE.sub(_single, line), since, type(since))


def _single(found: re.Match[str]) -> str:
    """A range of one value as that value: croniter takes `5-5` for the whole field, and `fri-fri` for every day."""
    low, high, _ = found.groups()
    return low if _number(low) == _number(high) else found.group()


def _number(value: str) -> int | str:
    return int(value) if value.isdecimal() else _NUMBERS.get(value.lower(), value)

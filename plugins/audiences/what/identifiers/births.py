"""Dates of birth, whole and in parts: only days that the calendar has, from 1900 up to today."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

from audiences.what.identifiers.outcome import Reason, RuleResult
from audiences.what.identifiers.text import ascii_digits

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

_EARLIEST_YEAR: Final = 1900  # Facebook's: "YYYY from 1900 to current year"

# The first three groups of digits, or the first group of eight. Letters between the groups would mean that a group is
# missing: in `5 Nov 1990 10:30` the third is the hour. Signs such as 年 and 월 may stand there.
_GROUPS: Final = re.compile(r"[^0-9]*([0-9]{1,4})[^0-9A-Za-z]{1,3}([0-9]{1,2})[^0-9A-Za-z]{1,3}([0-9]{1,4})(?![0-9])")
_EIGHT: Final = re.compile(r"[^0-9]*([0-9]{8})(?![0-9])")
_FLOAT_TAIL: Final = re.compile(r"\.0\Z")  # whole numbers that went through a float column

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES: Final = {
    **{month: number for number, month in enumerate(_MONTHS, start=1)},
    **{"january": 1, "february": 2, "march": 3, "april": 4, "june": 6, "july": 7, "august": 8},
    **{"sept": 9, "september": 9, "october": 10, "november": 11, "december": 12},
}


def date_of_birth(text: str, context: Context) -> RuleResult:
    """`YYYYMMDD` for a date in digits, whatever separates them and whatever follows it (a time, a remark).

    A date that can be read in two ways is read by `date_order`, one that the calendar allows in one way only is read
    that way. By `year_first`, a date of two readings in which the year does not come first has none. Years of two
    digits are refused: nothing says which century.
    """
    digits = ascii_digits(text)
    if eight := _EIGHT.match(digits):
        readings = _readings_of_eight(eight[1], context)
    elif groups := _GROUPS.match(digits):
        readings = _readings_of_groups(groups[1], groups[2], groups[3], context)
    else:
        readings = []
    # The first that the calendar has, though it lie in the future: another reading would only be a guess.
    born = next(filter(None, (_day(*reading) for reading in readings)), None)
    if born is None or born.year < _EARLIEST_YEAR or born > context.today:
        return Reason.NOT_A_DATE
    return f"{born:%Y%m%d}"


def _readings_of_eight(digits: str, context: Context) -> list[tuple[str, str, str]]:
    readings = [(digits[:4], digits[4:6], digits[6:])]
    if context.date_order == "month_first":
        readings.append((digits[4:], digits[:2], digits[2:4]))
    elif context.date_order == "day_first":
        readings.append((digits[4:], digits[2:4], digits[:2]))
    return readings


def _readings_of_groups(first: str, second: str, third: str, context: Context) -> list[tuple[str, str, str]]:
    if len(first) == 4:
        return [(first, second, third), (first, third, second)]
    if len(third) != 4:
        return []
    month_first, day_first = (third, first, second), (third, second, first)
    readings = [day_first, month_first] if context.date_order == "day_first" else [month_first, day_first]
    if context.date_order == "year_first" and len(set(filter(None, (_day(*each) for each in readings)))) > 1:
        return []
    return readings


def _day(year: str, month: str, day: str) -> date | None:
    if len(month) > 2 or len(day) > 2:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def year_of_birth(text: str, context: Context) -> RuleResult:
    """Four digits, from 1900 up to this year."""
    digits = _FLOAT_TAIL.sub("", ascii_digits(text))
    known = len(digits) == 4 and digits.isdecimal() and _EARLIEST_YEAR <= int(digits) <= context.today.year
    return digits if known else Reason.NOT_A_DATE


def month_of_birth(text: str, _: Context) -> RuleResult:
    """`01` to `12`, from a number or an English name."""
    number = _MONTH_NAMES.get(text.lower().removesuffix(".")) or _one_or_two_digits(text)
    return f"{number:02}" if 1 <= number <= 12 else Reason.NOT_A_DATE


def day_of_birth(text: str, _: Context) -> RuleResult:
    """`01` to `31`."""
    number = _one_or_two_digits(text)
    return f"{number:02}" if 1 <= number <= 31 else Reason.NOT_A_DATE


def _one_or_two_digits(text: str) -> int:
    digits = _FLOAT_TAIL.sub("", ascii_digits(text))
    return int(digits) if len(digits) <= 2 and digits.isdecimal() else 0

"""Text read as a value of a type; text that is none is null and never an error.

Only from version 16 on can Postgres be asked whether a text fits, so patterns do it here.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

Value = sa.ColumnElement[Any]
TIMESTAMP = sa.TIMESTAMP(timezone=True)
INTEGERS = (-(2**63), 2**63 - 1)

_TRUE = ("true", "t", "yes", "y", "on", "1")
_FALSE = ("false", "f", "no", "n", "off", "0")
_DIGITS = "^-?[0-9]+$"
_SURELY_BIGINT = 18  # characters
_INTEGER = r"^[+-]?[0-9]{1,40}([.]0{0,40})?$"
_NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$"
_LONGEST_NUMBER = 200  # characters; with an exponent of two digits it stays inside a double's range at both ends
_DATE = r"^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?)"
_OFFSET = r"( ?([Zz]|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?))"
_ELEMENT = r'("([^"\\]|\\.)*"|[^[:space:],{}"\\]([^,{}"\\]*[^[:space:],{}"\\])?)'
_ARRAY = rf"^[[:space:]]*\{{[[:space:]]*({_ELEMENT}([[:space:]]*,[[:space:]]*{_ELEMENT})*)?[[:space:]]*\}}[[:space:]]*$"


def nested(*steps: Value, then: Value) -> Value:
    """`then` where all steps hold, null elsewhere; a step is looked at only when those before it hold.

    `AND` gives no such promise, and the later steps are casts that fail on what the earlier ones keep away.
    """
    for step in reversed(steps):
        then = sa.case((step, then))
    return then


def boolean(text: Value) -> Value:
    """The words that Postgres writes and reads for true and false."""
    lower = sa.func.lower(text)
    return sa.case((lower.in_(_TRUE), sa.true()), (lower.in_(_FALSE), sa.false()))


def integer(text: Value) -> Value:
    """A whole number of 64 bits."""
    number = sa.cast(text, sa.Numeric)
    # Nearly all are so plain, and bounds in a pattern cost Postgres several times the time.
    plain = sa.and_(sa.func.length(text) <= _SURELY_BIGINT, text.op("~")(_DIGITS))
    other = nested(text.op("~")(_INTEGER), is_bigint(number), then=sa.cast(number, sa.BigInteger))
    return sa.case((plain, sa.cast(text, sa.BigInteger)), else_=other)


def is_bigint(number: Value) -> Value:
    """Whether a numeric is in the range of 64 bits."""
    smallest, largest = (sa.literal(bound, sa.Numeric) for bound in INTEGERS)
    return number.between(smallest, largest)


def number(text: Value, kind: sa.Double[Any] | sa.Numeric[Any], *, sure: Value | None = None) -> Value:
    """A number that a double can hold; `sure` is true of what is known to be one, whose pattern takes a third of the time."""
    short = sa.func.length(text) <= _LONGEST_NUMBER
    written: Value = text.op("~")(_NUMBER)
    if sure is not None:
        written = sa.or_(sure, written)
    return sa.case((sa.and_(short, written), sa.cast(text, kind)))


def date(text: Value) -> Value:
    """A day, with or without a time behind it."""
    written = text.op("~")(f"{_DATE}({_TIME}{_OFFSET}?)?$")
    return nested(written, _same_month(text), then=_day(text))


def datetime(text: Value, zone: str) -> Value:
    """An instant; without an offset it is meant in `zone`."""
    with_offset = text.op("~")(f"{_DATE}{_TIME}{_OFFSET}$")
    without = text.op("~")(f"{_DATE}{_TIME}?$")
    here = sa.func.timezone(zone, sa.cast(text, sa.TIMESTAMP))
    return sa.case(
        (with_offset, nested(_same_month(text), then=sa.cast(text, TIMESTAMP))),
        (without, nested(_same_month(text), then=here)),
    )


def is_array(text: Value) -> Value:
    """Whether it is an array of one dimension as Postgres writes it."""
    return text.op("~")(_ARRAY)


def _day(text: Value) -> Value:
    """The day that a text starts with; its last days of the month are reached from the first, which always exists."""
    first = sa.cast(sa.func.substr(text, 1, 7) + "-01", sa.Date)
    return first + (sa.cast(sa.func.substr(text, 9, 2), sa.Integer) - 1)


def _same_month(text: Value) -> Value:
    return sa.extract("month", _day(text)) == sa.cast(sa.func.substr(text, 6, 2), sa.Integer)

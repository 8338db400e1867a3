"""A column read as the type that the catalog declares; a value that does not fit is null, one row at a time.

The statement is made without asking the database for the column's own type, so each expression asks with `pg_typeof`: what
fits as it stands is cast, and all else is read as text. A column whose type cannot be cast at all stops the statement, as it
concerns every row.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from audiences.query import text_columns
from audiences.query.text_columns import TIMESTAMP, Value, nested

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.campaign.catalog import PropertyType

_WHOLE: Final = ("smallint", "integer", "bigint")
_DOUBLES: Final = ("real", "double precision")
_DAYS: Final = ("date", "timestamp", "timestamptz")
_ARRAYS: Final = ("text[]", "varchar[]", "bpchar[]", "name[]", "integer[]", "bigint[]", "uuid[]")  # the usual ones
_SMALLEST, _LARGEST = Decimal("1e-300"), Decimal("1e300")  # of what a double can hold, with room for rounding
# What Python and Arrow can say; Postgres knows years before Christ and such of six digits, and `infinity`.
_FIRST, _LAST = date.min, date.max


def string(column: Value) -> Value:
    """Any column as text."""
    return sa.cast(column, sa.Text)


def boolean(column: Value) -> Value:
    """True and false, also as words and as 1 and 0; of a column of that type nothing has to be read."""
    if isinstance(column.type, sa.Boolean):
        return column
    as_it_is = sa.cast(column, sa.Text) == "true"
    return sa.case((_is(column, "boolean"), as_it_is), else_=text_columns.boolean(_trimmed(column)))


def integer(column: Value) -> Value:
    """A whole number of 64 bits; fractions of a column of numbers are rounded."""
    rounded = sa.func.round(sa.cast(string(column), sa.Numeric))
    return sa.case(
        (_is(column, *_WHOLE), sa.cast(column, sa.BigInteger)),
        (
            _is(column, "numeric", *_DOUBLES),
            nested(_is_finite(column), text_columns.is_bigint(rounded), then=sa.cast(rounded, sa.BigInteger)),
        ),
        else_=text_columns.integer(_trimmed(column)),
    )


def number(column: Value) -> Value:
    """A number that a double can hold; neither NaN nor an infinity is one."""
    double = sa.cast(column, sa.Double)
    return sa.case(
        (_is(column, *_WHOLE), double),
        (_is(column, *_DOUBLES), sa.case((_between(double, sa.Double(), "-Infinity", "Infinity"), double))),
        (_is(column, "numeric"), nested(_fits_a_double(column), then=double)),
        else_=text_columns.number(_trimmed(column), sa.Double()),
    )


def exact_number(column: Value) -> Value:
    """The same numbers without rounding, so that a sum does not depend on the order of the rows."""
    numeric = sa.cast(column, sa.Numeric)
    return sa.case(
        (_is(column, *_WHOLE), numeric),
        (_is(column, "numeric", "money", *_DOUBLES), nested(_fits_a_double(column), then=numeric)),
        else_=text_columns.number(_trimmed(column), sa.Numeric()),
    )


def day(column: Value) -> Value:
    """A date; the time of day is cut off."""
    found = sa.cast(column, sa.Date)
    return sa.case(
        (_is(column, *_DAYS), sa.case((_in_calendar(found), found))), else_=text_columns.date(_dashed(_trimmed(column)))
    )


def datetime(column: Value, zone: str) -> Value:
    """An instant; a column without time zone is meant in the session's, text without an offset in `zone`."""
    days = sa.cast(column, sa.Date)
    return sa.case(
        (_is(column, *_DAYS), nested(_in_calendar(days), then=sa.cast(column, TIMESTAMP))),
        else_=text_columns.datetime(_dashed(_trimmed(column)), zone),
    )


def array(column: Value) -> Value:
    """A list of text: any array as it is, whatever its bounds, and text that is written like one."""
    found = sa.cast(column, ARRAY(sa.Text))
    return sa.case(
        (_is(column, *_ARRAYS), found),
        (_is(column, "text", "varchar"), nested(text_columns.is_array(string(column)), then=found)),
        (_is_array(column), found),
        else_=nested(text_columns.is_array(string(column)), then=found),
    )


def flat(array: Value) -> Value:
    """The list as one that begins at 1 and has one dimension: what Arrow reads. The elements and their order are the same."""
    element = sa.func.unnest(array).column_valued("element")
    plain = sa.or_(
        sa.func.cardinality(array) == 0, sa.and_(sa.func.array_ndims(array) == 1, sa.func.array_lower(array, 1) == 1)
    )
    elements = sa.func.array(sa.select(element).scalar_subquery(), type_=ARRAY(sa.Text))
    return sa.case((plain, array), (array.is_not(None), elements))


COLUMNS: Final[dict[PropertyType, Callable[[Value], Value]]] = {
    "string": string,
    "version": string,
    "boolean": boolean,
    "integer": integer,
    "number": number,
    "date": day,
    "list": array,
}


def _is(column: Value, *types: str) -> Value:
    """Whether it is a column of one of these types, which are our own words."""
    wanted: list[Any] = [sa.literal_column(f"CAST('{kind}' AS regtype)") for kind in types]
    return sa.func.pg_typeof(column).in_(wanted)


def _is_array(column: Value) -> Value:
    """Whether it is a column of any type of array, a domain over one as well."""
    types = sa.table("pg_type", sa.column("oid"), sa.column("typcategory"), schema="pg_catalog")
    category = sa.select(sa.cast(types.c.typcategory, sa.Text)).where(types.c.oid == sa.func.pg_typeof(column))
    # The column is that of the row which is read, however deep this stands in the statement.
    return category.correlate_except(types).scalar_subquery() == "A"


def _trimmed(column: Value) -> Value:
    return sa.func.btrim(string(column), " \t\n\r")


def _is_finite(column: Value) -> Value:
    """Of a number: `NaN`, `Infinity`."""
    return string(column).op("!~")("[NI]")


def _fits_a_double(column: Value) -> Value:
    numeric = sa.cast(column, sa.Numeric)
    near = _between(numeric, sa.Numeric(), -_LARGEST, _LARGEST)
    return sa.and_(near, sa.or_(numeric == 0, sa.func.abs(numeric) >= sa.literal(_SMALLEST, sa.Numeric)))


def _between(value: Value, kind: Any, lower: Any, upper: Any) -> Value:
    """Strictly; NaN is above everything."""
    return sa.and_(value > sa.cast(lower, kind), value < sa.cast(upper, kind))


def _in_calendar(days: Value) -> Value:
    return days.between(sa.literal(_FIRST, sa.Date), sa.literal(_LAST, sa.Date))


def _dashed(text: Value) -> Value:
    """`20260131` as `2026-01-31`."""
    return sa.func.regexp_replace(text, "^([0-9]{4})([0-9]{2})([0-9]{2})$", r"\1-\2-\3")

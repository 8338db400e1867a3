"""The catalog's relations and sources as SQL: where a value stands becomes an expression of its type.

A column is cast to its type; a value out of JSON that does not fit the type is null and never an error. (Only from
version 16 on can Postgres be asked whether a text fits, so patterns do it here.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from audiences.campaign.catalog import Catalog, EventProperty, Events, Property, PropertyType, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Value = sa.ColumnElement[Any]
TIMESTAMP = sa.TIMESTAMP(timezone=True)
LETTER_BY_LETTER = "C"
"""The collation under which text is what its bytes are."""

_NOT_BLANK = "[^[:space:]]"
_TRUE = ("true", "t", "yes", "y", "on", "1")
_FALSE = ("false", "f", "no", "n", "off", "0")
_INTEGER = r"^[+-]?[0-9]{1,40}([.]0{0,40})?$"
_INTEGERS = (-(2**63), 2**63 - 1)
_NUMBER = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,2})?$"
_LONGEST_NUMBER = 200  # characters; with an exponent of two digits it stays inside a double's range at both ends
_DATE = r"^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?)"
_OFFSET = r"( ?([Zz]|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?))"


def users_table(catalog: Catalog) -> sa.FromClause:
    """The users' relation as `u`, with every column that the catalog mentions."""
    users = catalog.users
    mapped = (source for name in type(users).model_fields if isinstance(source := getattr(users, name), Source))
    sources = [*mapped, *users.opt_out, *users.properties.values()]
    return _relation(users.relation, [users.key, *map(_column_of, sources)]).alias("u")


def events_table(events: Events) -> sa.FromClause:
    """The events' relation as `e`, with every column that the catalog mentions."""
    named = [events.id, events.user, events.name, events.occurred_at, *filter(None, [events.arrived_at])]
    return _relation(events.relation, [*named, *map(_column_of, events.properties.values())]).alias("e")


def named(events: Events, table: sa.FromClause, names: Sequence[str]) -> Value:
    """Whether an event is called one of these names, letter by letter."""
    column = table.c[events.name]
    return exactly(column == names[0] if len(names) == 1 else column.in_(names), column, names)


def exactly(found: Value, value: Value, texts: Sequence[str]) -> Value:
    """`found`, an equality that an index answers, for texts that are the same letter by letter as well.

    A column's own equality may look past letter case or accents (`citext`, a collation that is not deterministic). What is
    asked beside it stands in a CASE: to the planner a second equality would seem to leave a fraction of a fraction.
    """
    return sa.and_(found, sa.case((letter_by_letter(value).in_(texts), sa.true())))


def letter_by_letter(value: Value) -> Value:
    """The value as text that is equal to no other text."""
    return sa.collate(sa.cast(value, sa.Text), LETTER_BY_LETTER)


def _column_of(source: Source) -> str:
    return source.column or source.jsonb or ""


def _relation(name: str, columns: Iterable[str]) -> sa.TableClause:
    """A relation by its name in the catalog, `users` or `shop.users`."""
    schema, table = schema_and_name(name)
    return sa.table(table, *map(sa.column, dict.fromkeys(columns)), schema=schema)


def schema_and_name(relation: str) -> tuple[str | None, str]:
    """A relation's name in the catalog taken apart; None where it names no schema.

    Double quotes keep a dot inside a name, and two of them in there stand for one. A name that is none names no relation.
    """
    found = re.findall(r'"((?:[^"]|"")+)"|([^."]+)', relation)
    parts = [quoted.replace('""', '"') or plain for quoted, plain in found]
    return ".".join(parts[:-1]) or None, parts[-1] if parts else relation


def present(source: Source, table: sa.FromClause) -> Value:
    """Whether there is anything but a null, of whatever type."""
    if source.column is not None:
        return table.c[source.column].is_not(None)
    return sa.func.coalesce(_Json(source, table).kind != "null", sa.false())


def text(source: Source, table: sa.FromClause) -> Value:
    """The value as text; null where JSON holds a null, an object or an array."""
    if source.column is not None:
        return sa.cast(table.c[source.column], sa.Text)
    inside = _Json(source, table)
    return sa.case((inside.kind.in_(("string", "number", "boolean")), inside.text))


def boolean(source: Source, table: sa.FromClause) -> Value:
    """The value as a boolean."""
    if source.column is not None:
        # By way of text, because Postgres casts no bigint to boolean.
        return sa.cast(sa.cast(table.c[source.column], sa.Text), sa.Boolean)
    return _boolean(_Json(source, table))


def exact_number(source: EventProperty, table: sa.FromClause, zone: str) -> Value:
    """A number without rounding, so that a sum does not depend on the order of the rows; NaN is null."""
    if source.type == "integer":
        return typed(source, table, zone)
    if source.column is not None:
        return sa.func.nullif(sa.cast(table.c[source.column], sa.Numeric), "NaN")
    return _number(_Json(source, table), sa.Numeric())


def typed(source: Property | EventProperty, table: sa.FromClause, zone: str) -> Value:
    """A property as an expression of its type (see `Columns`); an age as the date of birth.

    `zone` is what a date and time without offset is meant in, and where a birth with a time falls on its day.
    """
    derive = source.derive if isinstance(source, Property) else None
    if derive == "is_set":
        return sa.func.coalesce(text(source, table).op("~", is_comparison=True)(_NOT_BLANK), sa.false())
    value = _typed(source, table, zone)
    if derive == "age" and source.type == "datetime":
        return sa.cast(sa.func.timezone(zone, value), sa.Date)
    return value


def _typed(source: Property | EventProperty, table: sa.FromClause, zone: str) -> Value:
    if source.type == "boolean":
        return boolean(source, table)
    if source.column is not None:
        return _COLUMNS[source.type](table.c[source.column])
    if source.type == "datetime":
        return _datetime(_Json(source, table), zone)
    return _JSON[source.type](_Json(source, table))


class _Json:
    """What stands under a path of keys in a JSON document: its kind, its text, itself."""

    def __init__(self, source: Source, table: sa.FromClause) -> None:
        document = table.c[source.jsonb or ""]
        path = sa.literal(list(source.path or ()), ARRAY(sa.Text))
        self.text: Value = document.op("#>>", return_type=sa.Text())(path)
        # A cast for the sake of columns of type `json`; it costs nothing where it is jsonb already.
        self.value: Value = sa.cast(document.op("#>")(path), JSONB)
        self.kind: Value = sa.func.jsonb_typeof(self.value)


def _nested(*steps: Value, then: Value) -> Value:
    """`then` where all steps hold, null elsewhere; a step is looked at only when those before it hold.

    `AND` gives no such promise, and the later steps are casts that fail on what the earlier ones keep away.
    """
    for step in reversed(steps):
        then = sa.case((step, then))
    return then


def _boolean(inside: _Json) -> Value:
    lower = sa.func.lower(inside.text)
    return sa.case((lower.in_(_TRUE), sa.true()), (lower.in_(_FALSE), sa.false()))


def _integer(inside: _Json) -> Value:
    number = sa.cast(inside.text, sa.Numeric)
    smallest, largest = (sa.literal(bound, sa.Numeric) for bound in _INTEGERS)
    return _nested(
        inside.text.op("~")(_INTEGER),
        number.between(smallest, largest),
        then=sa.cast(number, sa.BigInteger),
    )


def _number(inside: _Json, kind: sa.Double[Any] | sa.Numeric[Any]) -> Value:
    short = sa.func.length(inside.text) <= _LONGEST_NUMBER
    # JSON's own numbers are the usual case, and the pattern takes a third of the time.
    written = sa.or_(inside.kind == "number", inside.text.op("~")(_NUMBER))
    return sa.case((sa.and_(short, written), sa.cast(inside.text, kind)))


def _day(inside: _Json) -> Value:
    """The day that a text starts with; its last days of the month are reached from the first, which always exists."""
    first = sa.cast(sa.func.substr(inside.text, 1, 7) + "-01", sa.Date)
    return first + (sa.cast(sa.func.substr(inside.text, 9, 2), sa.Integer) - 1)


def _same_month(inside: _Json) -> Value:
    return sa.extract("month", _day(inside)) == sa.cast(sa.func.substr(inside.text, 6, 2), sa.Integer)


def _date(inside: _Json) -> Value:
    written = inside.text.op("~")(f"{_DATE}({_TIME}{_OFFSET}?)?$")
    return _nested(written, _same_month(inside), then=_day(inside))


def _datetime(inside: _Json, zone: str) -> Value:
    with_offset = inside.text.op("~")(f"{_DATE}{_TIME}{_OFFSET}$")
    without = inside.text.op("~")(f"{_DATE}{_TIME}?$")
    here = sa.func.timezone(zone, sa.cast(inside.text, sa.TIMESTAMP))
    return sa.case(
        (with_offset, _nested(_same_month(inside), then=sa.cast(inside.text, TIMESTAMP))),
        (without, _nested(_same_month(inside), then=here)),
    )


def _list(inside: _Json) -> Value:
    elements = sa.func.jsonb_array_elements_text(inside.value).table_valued("value").alias("element")
    present = sa.select(elements.c.value).where(elements.c.value.is_not(None)).correlate_except(elements)
    return sa.case((inside.kind == "array", sa.func.array(present.scalar_subquery(), type_=ARRAY(sa.Text))))


def _finite(value: Value) -> Value:
    """Postgres' `infinity` is no date that anything else could hold."""
    return sa.case((sa.func.isfinite(value), value))


_COLUMNS: dict[PropertyType, Callable[[Value], Value]] = {
    "string": lambda column: sa.cast(column, sa.Text),
    "version": lambda column: sa.cast(column, sa.Text),
    "integer": lambda column: sa.cast(column, sa.BigInteger),
    "number": lambda column: sa.func.nullif(sa.cast(column, sa.Double), "NaN"),
    "date": lambda column: _finite(sa.cast(column, sa.Date)),
    "datetime": lambda column: _finite(sa.cast(column, TIMESTAMP)),
    "list": lambda column: sa.cast(column, ARRAY(sa.Text)),
}
_JSON: dict[PropertyType, Callable[[_Json], Value]] = {
    "string": lambda inside: sa.case((inside.kind.in_(("string", "number", "boolean")), inside.text)),
    "version": lambda inside: sa.case((inside.kind.in_(("string", "number")), inside.text)),
    "integer": _integer,
    "number": lambda inside: _number(inside, sa.Double()),
    "date": _date,
    "list": _list,
}

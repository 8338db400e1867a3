"""The catalog's relations and sources as SQL: where a value stands becomes an expression of its type.

A value that does not fit its type is null and never an error, out of a column as out of JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from audiences.campaign.catalog import Catalog, EventProperty, Events, Property, PropertyType
from audiences.campaign.catalog_sources import IdentifierSource, Source
from audiences.query import casts, text_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from audiences.query.text_columns import Value

    Types = Mapping[str, sa.types.TypeEngine[Any]]

LETTER_BY_LETTER = "C"
"""The collation under which text is what its bytes are."""

_NOT_BLANK = "[^[:space:]]"
# What a text of type `json` may hold and no JSONB can: a NUL, half of a surrogate pair. (What is escaped itself is out by then.)
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_UNREADABLE = r"\\u(0000|[dD][89a-fA-F])"
# What a database of another encoding than UTF-8 cannot hold: known of the first two, of all others everything beyond ASCII.
_FOREIGN = {"LATIN1": r"\\u(?!00)", "WIN1252": r"\\u(?!00[0-7a-fA-F])", "": r"\\u(?!00[0-7])"}
_STRINGS = r'"([^"\\]|\\.)*"'
_HUGE = r"[eE][+-]?[0-9]{4,}|[0-9]{250}"


def users_table(catalog: Catalog, types: Types | None = None) -> sa.FromClause:
    """The users' relation as `u`, with every column that the catalog mentions; `types` are those known of columns."""
    users = catalog.users
    mapped = (source for name in type(users).model_fields if isinstance(source := getattr(users, name), Source))
    sources = [*mapped, *users.opt_out, *users.properties.values()]
    return _relation(users.relation, [users.key, *map(_column_of, sources)], types).alias("u")


def events_table(events: Events, types: Types | None = None) -> sa.FromClause:
    """The events' relation as `e`, with every column that the catalog mentions; `types` are those known of columns."""
    named = [events.id, events.user, events.name, events.occurred_at, *filter(None, [events.arrived_at])]
    return _relation(events.relation, [*named, *map(_column_of, events.properties.values())], types).alias("e")


def named(events: Events, table: sa.FromClause, names: Sequence[str]) -> Value:
    """Whether an event is called one of these names, letter by letter."""
    column = table.c[events.name]
    found = column == names[0] if len(names) == 1 else column.in_(names)
    return found if isinstance(column.type, sa.Text) else exactly(found, column, names)


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


def _relation(name: str, columns: Iterable[str], types: Types | None) -> sa.TableClause:
    """A relation by its name in the catalog, `users` or `shop.users`."""
    schema, table = schema_and_name(name)
    known = types or {}
    return sa.table(table, *(sa.column(each, known.get(each)) for each in dict.fromkeys(columns)), schema=schema)


def schema_and_name(relation: str) -> tuple[str | None, str]:
    """A relation's name in the catalog taken apart; None where it names no schema.

    Double quotes keep a dot inside a name, and two of them in there stand for one. A name that is none names no relation.
    """
    found = re.findall(r'"((?:[^"]|"")+)"|([^."]+)', relation)
    parts = [quoted.replace('""', '"') or plain for quoted, plain in found]
    return ".".join(parts[:-1]) or None, parts[-1] if parts else relation


def present(source: Source, table: sa.FromClause) -> Value:
    """Whether there is anything but a null, of whatever type; so of a document that cannot be read, which may hold anything."""
    if source.column is not None:
        return table.c[source.column].is_not(None)
    inside = _Json(source, table)
    return sa.func.coalesce(inside.kind != "null", inside.unreadable, sa.false())


def text(source: Source, table: sa.FromClause) -> Value:
    """The value as text; null where JSON holds a null, an object or an array."""
    if source.column is not None:
        return casts.string(table.c[source.column])
    inside = _Json(source, table)
    return sa.case((inside.kind.in_(("string", "number", "boolean")), inside.text))


def boolean(source: Source, table: sa.FromClause) -> Value:
    """The value as a boolean."""
    if source.column is not None:
        return casts.boolean(table.c[source.column])
    return text_columns.boolean(_Json(source, table).text)


def declined(source: Source, table: sa.FromClause) -> Value:
    """Whether a user has opted out: a value that is neither true nor false may well mean that."""
    if is_boolean(source, table):
        return boolean(source, table)
    return sa.func.coalesce(boolean(source, table), present(source, table))


def is_boolean(source: Source, table: sa.FromClause) -> bool:
    """Whether the value is known to be true, false or null."""
    return source.column is not None and isinstance(table.c[source.column].type, sa.Boolean)


def unread(source: Source, table: sa.FromClause) -> Value:
    """Whether there is something that is no text, as an identifier is, or for any other source neither true nor false."""
    there = present(source, table)
    if isinstance(source, IdentifierSource):
        return sa.and_(there, text(source, table).is_(None))
    nothing = sa.and_(there, boolean(source, table).is_(None))
    if source.column is None:
        return nothing
    # Most columns are of that type, and to look at each value again would take its time.
    of_type = sa.func.pg_typeof(table.c[source.column]) == sa.literal_column("CAST('boolean' AS regtype)")
    return sa.case((of_type, sa.false()), else_=nothing)


def exact_number(source: EventProperty, table: sa.FromClause, zone: str) -> Value:
    """A number without rounding, so that a sum does not depend on the order of the rows; NaN is null."""
    if source.type == "integer":
        return typed(source, table, zone)
    if source.column is not None:
        return casts.exact_number(table.c[source.column])
    return _number(_Json(source, table), sa.Numeric())


def can_misfit(source: Source) -> bool:
    """Whether there may be values that are none of the declared type: any column is text."""
    if isinstance(source, Property) and source.derive == "is_set":
        return False
    of_text = isinstance(source, IdentifierSource) or (
        isinstance(source, Property | EventProperty) and source.type in ("string", "version")
    )
    return source.column is None or not of_text


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
    if source.column is not None:
        column = table.c[source.column]
        if source.type == "datetime":
            return casts.datetime(column, zone)
        value = casts.COLUMNS[source.type](column)
        # Users' lists are read by Arrow; of events Postgres itself asks, whatever their bounds.
        return casts.flat(value) if source.type == "list" and isinstance(source, Property) else value
    if source.type == "datetime":
        return text_columns.datetime(_Json(source, table).text, zone)
    return _JSON[source.type](_Json(source, table))


class _Json:
    """What stands under a path of keys in a JSON document: its kind, its text, itself.

    A column of type `json` may hold what no JSONB can; such a document is `unreadable` as a whole, and all of it null. A number
    there that has thousands of digits is null by itself. `unreadable` is true as well of what is no null in a document.
    """

    def __init__(self, source: Source, table: sa.FromClause) -> None:
        document = table.c[source.jsonb or ""]
        path = sa.literal(list(source.path or ()), ARRAY(sa.Text))
        checked = _is_jsonb(document)
        readable = sa.or_(checked, _readable(sa.cast(document, sa.Text)))
        kept: Value = sa.case((readable, document))
        found: Value = kept.op("#>")(path)
        self.text: Value = kept.op("#>>", return_type=sa.Text())(path)
        # A cast for the sake of columns of type `json`; it costs nothing where it is jsonb already.
        small = sa.or_(checked, _small(sa.cast(found, sa.Text)))
        self.unreadable: Value = sa.or_(found.is_not(None), sa.and_(document.is_not(None), sa.not_(readable)))
        self.value: Value = sa.cast(sa.case((small, found)), JSONB)
        self.without_exponent: Value = sa.or_(checked, self.text.op("!~")("[eE]"))  # JSONB writes none
        self.kind: Value = sa.func.jsonb_typeof(self.value)


def document(column: Value) -> Value:
    """The whole document of a column of JSON, as JSONB; null where no JSONB can hold it."""
    written = sa.cast(column, sa.Text)
    held = sa.or_(_is_jsonb(column), sa.and_(_readable(written), _small(written)))
    return sa.cast(sa.case((held, column)), JSONB)


def _is_jsonb(column: Value) -> Value:
    return sa.func.pg_typeof(column) == sa.literal_column("CAST('jsonb' AS regtype)")


def _small(written: Value) -> Value:
    """Whether no number in a text of JSON is of thousands of digits."""
    numbers = sa.func.regexp_replace(written, _STRINGS, "", "g")
    return sa.or_(written.op("!~")(_HUGE), numbers.op("!~")(_HUGE))


def _readable(written: Value) -> Value:
    """Whether a text that Postgres took as `json` can be looked into."""
    escapes = sa.func.strpos(written, "\\u") > 0
    unescaped = sa.func.replace(written, "\\\\", "")  # an escaped backslash escapes nothing
    halves = sa.func.regexp_replace(unescaped, _PAIR, "", "g")
    encoding = sa.cast(sa.func.getdatabaseencoding(), sa.Text)
    foreign = sa.case(*((encoding == name, text) for name, text in _FOREIGN.items() if name), else_=_FOREIGN[""])
    held = sa.or_(encoding == "UTF8", unescaped.op("!~")(foreign))
    return sa.case((escapes, sa.and_(halves.op("!~")(_UNREADABLE), held)), else_=sa.true())


def _number(inside: _Json, kind: sa.Double[Any] | sa.Numeric[Any]) -> Value:
    return text_columns.number(inside.text, kind, sure=sa.and_(inside.kind == "number", inside.without_exponent))


def _list(inside: _Json) -> Value:
    elements = sa.func.jsonb_array_elements_text(inside.value).table_valued("value").alias("element")
    present = sa.select(elements.c.value).where(elements.c.value.is_not(None)).correlate_except(elements)
    return sa.case((inside.kind == "array", sa.func.array(present.scalar_subquery(), type_=ARRAY(sa.Text))))


_JSON: dict[PropertyType, Callable[[_Json], Value]] = {
    "boolean": lambda inside: text_columns.boolean(inside.text),
    "string": lambda inside: sa.case((inside.kind.in_(("string", "number", "boolean")), inside.text)),
    "version": lambda inside: sa.case((inside.kind.in_(("string", "number")), inside.text)),
    "integer": lambda inside: text_columns.integer(inside.text),
    "number": lambda inside: _number(inside, sa.Double()),
    "date": lambda inside: text_columns.date(inside.text),
    "list": _list,
}

"""Whether what the catalog says of one value, `{column: age, type: integer}`, fits what the warehouse holds.

The expressions are those of a run. Postgres says whether they can be evaluated at all, a sample of rows whether the
values are as declared. Nothing that a row holds is told, but for numbers and the like that a list of values lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import INET, INTERVAL, JSONB, MONEY
from sqlalchemy.dialects.postgresql.ranges import AbstractRange

from audiences.campaign.catalog import EventProperty, Property
from audiences.campaign.catalog_sources import IdentifierSource, Source
from audiences.campaign.wording import choice, did_you_mean, shown
from audiences.checklist import State
from audiences.query.render import quoted
from audiences.query.sources import boolean, can_misfit, document, present, text, typed
from audiences.warehouse.catalog.identifier_types import cannot_hold
from audiences.warehouse.catalog.reflect import Glance, Refusal
from audiences.warehouse.catalog.seen import some_of

if TYPE_CHECKING:
    from audiences.query.text_columns import Value
    from audiences.warehouse.catalog.relation import Column, Relation

SAMPLE = 10_000  # rows
_SHA256 = "^[0-9A-Fa-f]{64}$"
_FITTING: dict[str, tuple[type[Any], ...]] = {
    # An integer may be a code that nobody computes with.
    "string": (sa.String, sa.Enum, sa.Uuid, sa.Integer),
    "integer": (sa.Integer,),
    "number": (sa.Integer, sa.Numeric, sa.Float),
    "boolean": (sa.Boolean,),
    "date": (sa.Date,),
    "datetime": (sa.DateTime,),
    "version": (sa.String, sa.Enum),
    "list": (sa.ARRAY,),
}
FitResult = tuple[State, str, str]
"""State, what was found, what to do about it."""


def missing_column(name: str, relation: Relation) -> FitResult:
    """That a relation has no such column."""
    found = f"{shown(relation.name)} has no column {shown(name)}"
    return State.FAIL, found, f"Name one of its columns{choice(name, relation.columns)}"


def refused(refusal: Refusal, what: str, relation: Relation) -> FitResult:
    """That Postgres does not evaluate what a run would ask."""
    if refusal.sqlstate == "42501":
        return State.FAIL, refusal.words, f"GRANT SELECT ON {relation.sql_name} TO the warehouse connection's login."
    if refusal.sqlstate == "57014":
        return State.WARN, f"{what}: not known, since the question took too long", "Run the check again later."
    return (
        State.FAIL,
        f"{what}: {refusal.words}",
        "Change the type here, or map a view or a stored generated column of that type.",
    )


def fit(source: Source, table: sa.FromClause, relation: Relation, glance: Glance, zone: str) -> FitResult:
    """The verdict on a property, an identifier or an opt-out column; `zone` is the catalog's."""
    name = source.column or source.jsonb or ""
    if name not in relation.columns:
        return missing_column(name, relation)
    column, kind = relation.columns[name], _declared(source)
    what = f"{shown(name)} {column.words}"
    if source.jsonb:
        what += f", key {' in '.join(map(shown, reversed(source.path or ())))}" if source.path else ""
        if not isinstance(column.type, sa.JSON):
            return State.FAIL, f"{what}: is no column of JSON", "Write `column` instead of `jsonb` and `path`."
    table = some_of(table, relation)
    read = sa.select(present(source, table).label("present"), _expression(source, table, zone).label("read"))
    asked = read.select_from(table).limit(SAMPLE).subquery()
    seen = _counted(read.select_from(table), asked, glance)
    if isinstance(seen, Refusal):
        refusal = refused(seen, f"{what}, read as {kind}", relation)
        if source.column and isinstance(column.type, sa.JSON):
            return (*refusal[:2], f"A value inside of JSON is mapped as {{jsonb: {name}, path: […]}}.")
        if source.column and seen.sqlstate in ("42846", "42883") and (made := _made_in_a_view(column)):
            return (*refusal[:2], f"{refusal[2][:-1]}, such as {made[0]} declared as {made[1]}.")
        return refusal
    if source.jsonb and seen.rows and not seen.present:
        return _absent_key(source, table, glance, what, seen.rows)
    if misfits := seen.present - seen.fitting if can_misfit(source) else 0:
        found = f"{what}: {misfits:,} of {seen.present:,} values are no {kind}, among the {seen.rows:,} rows looked at"
        read_as = "missing" if isinstance(source, Property | EventProperty | IdentifierSource) else "opted out"
        return State.WARN, found, f"They count as {read_as}. Change the type here, or correct the values."
    if verdict := _of_values(source, asked, glance, what):
        return verdict
    if source.column and not isinstance(column.type, _FITTING.get(kind, (object,))):
        return State.WARN, f"{what}, declared {kind}", _advice(column, relation, kind)
    return State.OK, what, ""


def of_type(name: str, source: IdentifierSource, relation: Relation) -> FitResult | None:
    """That the column is of a type that can never hold the identifier; None when it can."""
    column = relation.columns.get(source.column or "")
    way_out = cannot_hold(name, column) if column else None
    if column is None or way_out is None:
        return None
    return State.FAIL, f"{shown(column.name)} {column.words}: such a column holds no {name.replace('_', ' ')}", way_out


def hashing(source: IdentifierSource, table: sa.FromClause, verdict: FitResult, glance: Glance) -> FitResult:
    """Whether an identifier that fits is hashed already if and only if the catalog says so."""
    read = sa.select(text(source, table).label("read")).select_from(table).limit(SAMPLE).subquery()
    hashed = read.c.read.op("~", is_comparison=True)(_SHA256)
    answer = glance.ask(sa.select(sa.func.count(read.c.read), sa.func.count().filter(hashed)))
    if isinstance(answer, Refusal) or not answer[0][0]:
        return verdict
    values, hashes = answer[0]
    if source.pre_hashed and hashes < values:
        found = f"{verdict[1]}: {values - hashes:,} of {values:,} values are no SHA-256 in hex"
        return State.FAIL, found, "They would be left out. Remove `pre_hashed`, or hash them by Facebook's rules."
    if not source.pre_hashed and hashes == values:
        return State.FAIL, f"{verdict[1]}: every value is a SHA-256 already", "Add `pre_hashed: true`."
    return verdict


def looked_at(table: sa.FromClause, relation: Relation, glance: Glance) -> str:
    """How many rows the verdicts are about, as the end of a sentence."""
    some = sa.select(sa.literal(1).label("row")).select_from(some_of(table, relation)).limit(SAMPLE).subquery()
    answer = glance.ask(sa.select(sa.func.count().label("rows")).select_from(some))
    if isinstance(answer, Refusal):
        return ""
    rows = answer[0].rows
    return (
        f"; looked at {rows:,} of them"
        if rows == SAMPLE or rows < (relation.rows or 0)
        else f"; looked at all {rows:,}"
    )


def _counted(read: sa.Select[Any], asked: sa.Subquery, glance: Glance) -> Any | Refusal:
    """Of the sample: how many `rows`, how many with anything `present`, how many `fitting` the type."""
    if isinstance(refusal := glance.ask(read.limit(0)), Refusal):  # also where there are no rows to fail on
        return refusal
    counts: tuple[sa.Label[Any], ...] = (
        sa.func.count().label("rows"),
        sa.func.count().filter(asked.c.present).label("present"),
        sa.func.count(asked.c.read).label("fitting"),
    )
    answer = glance.ask(sa.select(*counts))
    return answer if isinstance(answer, Refusal) else answer[0]


def _declared(source: Source) -> str:
    if isinstance(source, Property | EventProperty):
        return "text" if isinstance(source, Property) and source.derive == "is_set" else source.type
    return "text" if isinstance(source, IdentifierSource) else "boolean"


_NOUNS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date",
    "datetime": "a date and time",
    "list": "an array such as `{a,b}`",
}
_ADVICE = {
    "boolean": "0 and 1 are read as false and true; another value is neither.",
    "integer": "Fractions are rounded; `type: number` keeps them.",
    "date": "The time of day is cut off; `type: datetime` keeps it.",
    "datetime": "Every value is at midnight; `type: date` says so.",
    "version": "A number does not tell 3.1 from 3.10; map a column of text.",
}


# The types that a catalog can declare, and, of some that it cannot, what a view makes of them, and as what that is declared.
_DECLARABLE: tuple[type[Any], ...] = (sa.Integer, sa.Numeric, sa.Float, sa.Boolean, sa.Date, sa.DateTime, sa.ARRAY)
_IN_A_VIEW: tuple[tuple[type[Any], tuple[str, str]], ...] = (
    (INTERVAL, ("extract(epoch from {}) / 86400", "number")),  # days
    (AbstractRange, ("lower({})", "its own type")),
    (INET, ("host({})", "string")),
    (MONEY, ("{}::numeric", "number")),
)


def _advice(column: Column, relation: Relation, kind: str) -> str:
    """What to do about a column of another type than declared, which Postgres can read all the same."""
    if kind in _NOUNS and isinstance(column.type, sa.String):
        return f"A value that is not {_NOUNS[kind]} counts as missing; a column of the type itself holds no other."
    if kind not in _ADVICE and not isinstance(column.type, _DECLARABLE):
        return f"It is compared as the text that Postgres writes. {_view(column, relation)}"
    return _ADVICE.get(kind, "Declare the column's own type, so that campaigns compare it as what it is.")


def _view(column: Column, relation: Relation) -> str:
    """The view to be mapped in place of a relation with a column of a type that no catalog can declare."""
    value, declared = _made_in_a_view(column) or (f"{quoted(column.name)}::text", "string")
    view = f"CREATE VIEW … AS SELECT *, {value} AS … FROM {relation.sql_name}"  # noqa: S608  # quoted names, for people to run
    return f"No catalog can declare its own type; map a view, {view}, and declare the new column as {declared}."


def _made_in_a_view(column: Column) -> tuple[str, str] | None:
    """What a view makes of a column of such a type, in SQL, and as what that is declared; None where nothing is known."""
    made = next((made for type_, made in _IN_A_VIEW if isinstance(column.type, type_)), None)
    return (made[0].replace("{}", quoted(column.name)), made[1]) if made else None


def _expression(source: Source, table: sa.FromClause, zone: str) -> Value:
    if isinstance(source, Property | EventProperty):
        return text(source, table) if _declared(source) == "text" else typed(source, table, zone)
    return text(source, table) if isinstance(source, IdentifierSource) else boolean(source, table)


def _of_values(source: Source, asked: sa.Subquery, glance: Glance, what: str) -> FitResult | None:
    """What is not in the list; of text, which may say something about a person, warehouse.seen is asked."""
    if not isinstance(source, Property | EventProperty) or source.values is None or source.type in ("string", "list"):
        return None
    read = sa.cast(asked.c.read, sa.Text)
    listed = [str(value).lower() if isinstance(value, bool) else str(value) for value in source.values]
    unlisted = glance.ask(sa.select(read.label("value")).where(read.not_in(listed)).distinct().order_by(read).limit(3))
    if isinstance(unlisted, Refusal) or not unlisted:
        return None
    found = f"{what}: holds values that are not under `values`: {', '.join(shown(row.value) for row in unlisted)}"
    return State.WARN, found, "Add them, or campaigns that name them are refused."


def _absent_key(source: Source, table: sa.FromClause, glance: Glance, what: str, rows: int) -> FitResult:
    """What may have been meant by a key that no document has."""
    sample = sa.select(document(table.c[source.jsonb or ""]).label("document")).limit(SAMPLE).subquery()
    path = list(source.path or ())
    inside: Value = sample.c.document
    for key in path[:-1]:
        inside = inside.op("->", return_type=JSONB)(key)
    kept = sa.case((sa.func.jsonb_typeof(inside) == "object", inside))
    keys = glance.ask(sa.select(sa.func.jsonb_object_keys(kept).label("key")).distinct().limit(200))
    near = "" if isinstance(keys, Refusal) else did_you_mean(path[-1] if path else "", [row.key for row in keys])
    return State.WARN, f"{what}: in none of the first {rows:,} rows{near}", "Correct the path, if it is mistyped."

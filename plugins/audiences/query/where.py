"""Property filters on events, as SQL: the same checks as in `filters`, evaluated by Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import Grouping

from audiences.campaign.operators import ensure_evaluated
from audiences.campaign.patterns import postgres_pattern
from audiences.query import versions
from audiences.query.conditions import (
    AllOf,
    AnyOf,
    IsSet,
    Moment,
    OneOf,
    Range,
    Searched,
    ValueCheck,
    clauses,
)
from audiences.query.sources import LETTER_BY_LETTER, exactly, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from audiences.campaign.catalog import EventProperty
    from audiences.campaign.properties import Condition, PropertyTree
    from audiences.query.text_columns import Value

SEARCHES: Final[dict[str, Callable[[Value, str], Value]]] = {
    # In brackets, as it may be laid out as `POSITION(… IN …)`, where a bare COLLATE is a syntax error.
    "contains": lambda value, text: sa.func.strpos(Grouping(value), text) > 0,
    "starts_with": sa.func.starts_with,
    "ends_with": lambda value, text: sa.func.right(value, sa.func.length(text)) == text,
    "matches": lambda value, pattern: value.op("~", is_comparison=True)(postgres_pattern(pattern)),
}
"""How Postgres searches a text, which comes with a collation that tells all letters apart; by the operator's name."""

ensure_evaluated(SEARCHES, "Postgres", "SEARCHES of audiences/query/where.py")


def where(
    tree: PropertyTree, properties: Mapping[str, EventProperty], table: sa.FromClause, moment: Moment, zone: str
) -> Value:
    """The tree as one condition, true or not true; `zone` is what a date and time without offset is meant in."""

    def holds(name: str, condition: Condition) -> list[Value]:
        declared = properties[name]
        value = typed(declared, table, zone)
        if declared.type == "version":
            value = version_key(value)
        parts = []
        for clause in clauses(condition, declared.type, moment):
            passed = _passes(clause.check, value)
            parts.append(passed.is_not(sa.true()) if clause.negated else passed)
        return parts

    def truth(tree: PropertyTree) -> Value:
        parts = [part for name, condition in tree.conditions.items() for part in holds(name, condition)]
        parts.extend(truth(below) for below in tree.all or ())
        if tree.any:
            parts.append(sa.or_(*(truth(below) for below in tree.any)))
        if tree.not_:
            # Not `NOT`, under which a null would stay null.
            parts.append(truth(tree.not_).is_not(sa.true()))
        return sa.and_(*parts)

    return truth(tree)


def _passes(check: ValueCheck, value: Value) -> Value:
    """True where the value passes; false or null elsewhere."""
    match check:
        case IsSet():
            return value.is_not(None)
        case OneOf(values):
            return _one_of(value, values)
        case Range():
            return _in_range(check, value)
        case Searched(operator, text):
            return SEARCHES[operator](sa.collate(value, LETTER_BY_LETTER), text)
        case AnyOf(values):
            return value.op("&&", is_comparison=True)(_array(values))
        case AllOf(values):
            return value.op("@>", is_comparison=True)(_array(values))


def _one_of(value: Value, values: tuple[Any, ...]) -> Value:
    if not values:
        return sa.false()
    found = value.in_(values)
    return exactly(found, value, values) if isinstance(values[0], str) else found


def _in_range(check: Range, value: Value) -> Value:
    parts = [value.is_not(None)] if check.lower is None and check.upper is None else []
    if check.lower is not None:
        parts.append(value > check.lower if check.above else value >= check.lower)
    if check.upper is not None:
        parts.append(value < check.upper if check.below else value <= check.upper)
    return sa.and_(*parts)


def _array(values: tuple[str, ...]) -> Value:
    return sa.literal(list(values), ARRAY(sa.Text))


def version_key(value: Value) -> Value:
    """`versions.version_key` in SQL."""
    longest = sa.func.left(sa.collate(value, LETTER_BY_LETTER), versions.LONGEST)
    cleaned = sa.func.regexp_replace(longest, versions.NOISE, "", "g")
    component = sa.func.regexp_matches(cleaned, versions.COMPONENT, "g")
    found = component.table_valued("parts", with_ordinality="place").render_derived(name="component")
    part = sa.type_coerce(found.c.parts, ARRAY(sa.Text))[1]
    number = sa.func.ltrim(part, "0")
    length = sa.func.lpad(sa.cast(sa.func.length(number), sa.Text), 4, "0")
    key = sa.case((part.op("~")("^[0-9]"), "1" + length + number), else_="0" + sa.func.lower(part))
    joined = sa.func.string_agg(key, versions.SEPARATOR).aggregate_order_by(found.c.place)
    keys = sa.select(joined + f"{versions.SEPARATOR}{versions.END}").select_from(found)
    return sa.collate(keys.scalar_subquery(), LETTER_BY_LETTER)

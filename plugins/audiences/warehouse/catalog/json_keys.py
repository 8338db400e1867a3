"""The keys in a JSON column, from a sample of rows, each with the type that its values have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from psycopg import sql

from audiences.campaign.reserved import PREFIX
from audiences.query.render import render
from audiences.query.sources import document, schema_and_name
from audiences.warehouse.catalog.reflect import Glance, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.campaign.catalog import PropertyType
    from audiences.warehouse.catalog.relation import Relation

SAMPLE = 5_000  # rows
MOST_KEYS = 60  # of one object; documents whose keys are data, ids say, have no end of them
DEEPEST = 3
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"

_KEYS = sql.SQL("""
WITH {document} AS (SELECT given.document #> {path} AS inside FROM ({sample}) AS given),
     {entry} AS (
         SELECT key, jsonb_typeof(value) AS kind, value #>> '{{}}' AS written
         FROM {document}, jsonb_each(CASE WHEN jsonb_typeof(inside) = 'object' THEN inside END)
         WHERE jsonb_typeof(value) <> 'null'
     )
SELECT key, array_agg(DISTINCT kind) AS kinds, bool_and(written ~ '^-?[0-9]{{1,18}}$') AS whole,
       bool_and(written ~ {day}) AS day, bool_and(written ~ {time} OR written ~ {day}) AS time
FROM {entry} GROUP BY key ORDER BY count(*) DESC, key LIMIT {most}
""")


def keys_in(
    relation: Relation, column: str, glance: Glance, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], PropertyType]]:
    """Paths and types, the frequent ones first, inside of objects too; values of several kinds are text."""
    query = _KEYS.format(
        document=sql.Identifier(f"{PREFIX}document"),
        entry=sql.Identifier(f"{PREFIX}entry"),
        path=sql.Literal(list(path)) + sql.SQL("::text[]"),
        sample=sql.SQL(render(_documents(relation, column).limit(SAMPLE))),
        day=sql.Literal(_DAY),
        time=sql.Literal(_TIME),
        most=sql.Literal(MOST_KEYS),
    )
    answer = glance.ask(query.as_string(None))
    if isinstance(answer, Refusal):
        return
    if not answer and not path and _is_list(relation, column, glance):
        yield (), "list"
    for row in answer:
        if row.kinds == ["object"] and len(path) + 1 < DEEPEST:
            yield from keys_in(relation, column, glance, (*path, row.key))
        elif kind := _kind(row.kinds, whole=row.whole, day=row.day, time=row.time):
            yield (*path, row.key), kind


def _documents(relation: Relation, column: str) -> sa.Select[Any]:
    """The documents of a column, as JSONB; those that no JSONB can hold are null."""
    schema, name = schema_and_name(relation.name)
    table = sa.table(name, sa.column(column), schema=schema)
    return sa.select(document(table.c[column]).label("document")).select_from(table)


def _is_list(relation: Relation, column: str, glance: Glance) -> bool:
    some = _documents(relation, column).where(sa.column(column).is_not(None)).limit(SAMPLE).subquery("sample")
    answer = glance.ask(sa.select(sa.func.jsonb_typeof(some.c.document)).where(some.c.document.is_not(None)).limit(1))
    return not isinstance(answer, Refusal) and [row[0] for row in answer] == ["array"]


def _kind(kinds: list[str], *, whole: bool, day: bool, time: bool) -> PropertyType | None:
    match kinds:
        case ["array"]:
            return "list"
        case ["boolean"]:
            return "boolean"
        case ["number"]:
            return "integer" if whole else "number"
        case ["string"]:
            return "date" if day else "datetime" if time else "string"
    return None if {"array", "object"} & set(kinds) else "string"

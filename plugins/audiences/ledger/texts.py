"""Texts and documents in the ledger, which may name a person: a run's configuration, an error, a warning, a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiences.ledger.database import Ledger

COLUMNS = """
select c.table_name as table, c.column_name as column, c.data_type as type
from information_schema.columns c join information_schema.tables t
  on t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_type = 'BASE TABLE'
where c.table_schema = 'audiences' and c.data_type in ('text', 'jsonb', 'ARRAY') and c.udt_name in ('text', 'jsonb', '_text')
  and c.table_name <> 'alembic_version'
  and not exists (select 1 from information_schema.columns u
                  where u.table_schema = 'audiences' and u.table_name = c.table_name and u.column_name = 'user_id')
order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class _Column:
    table: str
    column: str
    type: str


@dataclass(frozen=True, slots=True)
class _Cell:
    """A text or document, and where its row is (`ctid`)."""

    place: str
    value: object


def naming(ledger: Ledger, user: str, likely: str, cleaned: Callable[[object], object]) -> dict[str, int]:
    """How many values name somebody, by table: those that `cleaned` would change.

    `likely` is a pattern of Postgres for texts that are worth a look; those with the user's id are looked at in any case.
    The rows of tables that know users by their ids are not looked at: they are deleted as a whole.
    """
    found: dict[str, int] = {}
    for table, _, _ in _changed(ledger, user, likely, cleaned):
        found[table] = found.get(table, 0) + 1
    return found


def clean(ledger: Ledger, user: str, likely: str, cleaned: Callable[[object], object]) -> dict[str, int]:
    """Write what `cleaned` makes of them; how many values were changed, by table."""
    changed: dict[str, int] = {}
    with ledger.sql.transaction():
        for table, update, parameters in _changed(ledger, user, likely, cleaned):
            ledger.sql.execute(update, parameters)
            changed[table] = changed.get(table, 0) + 1
    return changed


def _changed(
    ledger: Ledger, user: str, likely: str, cleaned: Callable[[object], object]
) -> Iterator[tuple[str, sql.Composed, tuple[object, ...]]]:
    for each in ledger.rows(_Column, COLUMNS):
        table, column = sql.Identifier("audiences", each.table), sql.Identifier(each.column)
        with ledger.sql.cursor(row_factory=class_row(_Cell)) as cursor:
            rows = cursor.execute(
                sql.SQL(
                    "select ctid::text as place, {column} as value from {table} where {column} is not null"
                    " and ({column}::text ~ %s or position(%s in {column}::text) > 0)"
                ).format(table=table, column=column),
                (likely, user),
            ).fetchall()
        update = sql.SQL("update {table} set {column} = %s where ctid = %s::tid").format(table=table, column=column)
        for row in rows:  # the next column is asked for after these were updated, which moves them
            value = cleaned(row.value)
            if value != row.value:
                yield each.table, update, (Jsonb(value) if each.type == "jsonb" else value, row.place)

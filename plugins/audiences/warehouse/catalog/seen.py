"""Which values a column or a JSON key holds, and how events are named: for hints, and for the catalog's lists of values.

Few rows are read, however many there are. Names are taken from an index that begins with them, one look-up per name; all
else comes from a sample of SAMPLE rows, of large tables from pages all over the table (TABLESAMPLE SYSTEM).

What may say something about a person is not told: nothing of the columns by which people are recognised, of columns with more
than MOST_VALUES different values, or of any that hold an @, a long number or a long text; and no value that fewer than
FEWEST_ROWS rows of the sample have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from audiences.campaign.identifiers import FIELDS
from audiences.campaign.reserved import PREFIX
from audiences.campaign.wording import LONGEST, did_you_mean, shown
from audiences.query.render import quoted
from audiences.query.sources import events_table, text, typed, users_table
from audiences.query.sources import named as is_called
from audiences.warehouse.catalog.reflect import Glance, Refusal

if TYPE_CHECKING:
    from audiences.campaign.catalog import Catalog, EventProperty, Events, Property
    from audiences.campaign.catalog_sources import Source
    from audiences.warehouse.catalog.structure import Structure

SAMPLE = 20_000
_AT_MOST = 2 * SAMPLE  # rows; a sample that were cut at its size would lack the last pages
MOST_VALUES = 60
MOST_NAMES = 200
MOST_NAMED = 20
FEWEST_ROWS = 5
_LIKE_PERSONAL_DATA = re.compile(r"@|(\d[ ()./-]*){7}")


@dataclass(frozen=True, slots=True)
class SeenValues:
    """Values, the most frequent first (names: in their order). `all`: whether there are no others as far as was looked."""

    values: tuple[str, ...]
    all: bool


def named(seen: SeenValues) -> str:
    """The values in words, of many the first."""
    told = ", ".join(map(shown, seen.values[:MOST_NAMED]))
    more = len(seen.values) - MOST_NAMED
    rest = f" and {more:,} more" if more > 0 else "" if seen.all else ", and others"
    return told + rest


def user_values(catalog: Catalog, declared: Property, relation: Structure, glance: Glance) -> SeenValues | None:
    """The values of a property of users; None when they are none of our business, or cannot be read."""
    if declared.type not in ("string", "list") or _is_personal(catalog, declared):
        return None
    return _sampled(declared, some_of(users_table(catalog), relation), glance)


def look_alike(catalog: Catalog, declared: Property, value: str, glance: Glance) -> str:
    """`; did you mean …?` with the value of some user that differs in letter case alone, of columns with many values too."""
    if declared.type != "string" or _is_personal(catalog, declared):
        return ""
    table = users_table(catalog)
    read = text(declared, table)
    answer = glance.ask(sa.select(read).select_from(table).where(sa.func.lower(read) == value.lower()).limit(1))
    if isinstance(answer, Refusal) or not answer or not _tellable(answer[0][0]):
        return ""
    return did_you_mean(value, [answer[0][0]])


def event_values(
    events: Events, declared: EventProperty, relation: Structure, glance: Glance, *, names: tuple[str, ...] = ()
) -> SeenValues | None:
    """The values of a property of events, or only of the events of these names; None as above."""
    if declared.type not in ("string", "list") or declared.column == events.user:
        return None
    table = events_table(events)
    if not names:
        return _sampled(declared, some_of(table, relation), glance)
    return _sampled(declared, table, glance, is_called(events, table, names))


def event_names(events: Events, relation: Structure, glance: Glance) -> SeenValues | None:
    """How the events are named, at most MOST_NAMES ways; None when there are more, so that names hold data."""
    by_index = events.name in relation.leading and relation.indexable and events.name not in relation.loose
    found = _from_index(events, relation, glance) if by_index else None
    if found is None:
        table = some_of(events_table(events), relation)
        some = sa.select(sa.cast(table.c[events.name], sa.Text).label("value")).select_from(table).limit(_AT_MOST)
        answer = glance.ask(_counted(some.subquery(), MOST_NAMES))
        if isinstance(answer, Refusal):
            return None
        found = [row.value for row in answer]
    if len(found) > MOST_NAMES:
        return None
    told = tuple(sorted(filter(_tellable, found)))
    return SeenValues(told, all=len(told) == len(found))


def _from_index(events: Events, relation: Structure, glance: Glance) -> list[str] | None:
    """Each name by one look-up of the next; None when that takes too long."""
    name, table = quoted(events.name), relation.sql_name
    answer = glance.ask(
        f"WITH RECURSIVE {PREFIX}seen AS ("  # noqa: S608  # quoted names
        f"(SELECT {name} AS name FROM {table} WHERE {name} IS NOT NULL ORDER BY {name} LIMIT 1) UNION ALL "
        f"SELECT (SELECT {name} FROM {table} WHERE {name} > {PREFIX}seen.name ORDER BY {name} LIMIT 1)"
        f" FROM {PREFIX}seen WHERE {PREFIX}seen.name IS NOT NULL"
        f") SELECT name::text FROM {PREFIX}seen WHERE name IS NOT NULL LIMIT {MOST_NAMES + 1}"
    )
    return None if isinstance(answer, Refusal) else [row[0] for row in answer if row[0].strip()]


def _sampled(
    declared: Property | EventProperty, table: sa.FromClause, glance: Glance, only: sa.ColumnElement[bool] | None = None
) -> SeenValues | None:
    read = typed(declared, table, "UTC") if declared.type == "list" else text(declared, table)
    some = sa.select(read.label("value")).select_from(table).limit(_AT_MOST)
    found = (some if only is None else some.where(only)).subquery()
    if declared.type == "list":
        found = sa.select(sa.func.unnest(found.c.value).label("value")).subquery()
    answer = glance.ask(_counted(found, MOST_VALUES))
    if isinstance(answer, Refusal) or len(answer) > MOST_VALUES or not all(_tellable(row.value) for row in answer):
        return None
    told = tuple(row.value for row in answer if row.rows >= FEWEST_ROWS)
    return SeenValues(told, all=len(told) == len(answer))


def _counted(found: sa.Subquery, most: int) -> sa.Select[Any]:
    """Values with the number of rows that have them, the frequent ones first, and one more than `most` at most."""
    rows = sa.func.count().label("rows")
    written = found.c.value.op("~", is_comparison=True)("[^[:space:]]")
    return (
        sa.select(found.c.value, rows)
        .where(written)
        .group_by(found.c.value)
        .order_by(rows.desc(), found.c.value)
        .limit(most + 1)
    )


def some_of(table: sa.FromClause, relation: Structure) -> sa.FromClause:
    """The relation, or, where it is large and has pages of its own, about SAMPLE rows from all over it."""
    if not relation.indexable or relation.rows is None or relation.rows <= SAMPLE:
        return table
    percent = 100 * SAMPLE / relation.rows
    return sa.tablesample(table.element, sa.func.system(percent), name=table.name, seed=sa.literal(0))  # type: ignore[attr-defined]  # an alias, which both tables are


def _is_personal(catalog: Catalog, declared: Source) -> bool:
    """Whether the property stands where the catalog maps something by which people are recognised."""
    if declared.column == catalog.users.key:
        return True
    mapped = catalog.users.identifiers().items()
    place = (declared.column, declared.jsonb, declared.path)
    return any(
        (source.column, source.jsonb, source.path) == place for name, source in mapped if not FIELDS[name].common
    )


def _tellable(value: str) -> bool:
    return len(value) <= LONGEST and value.isprintable() and not _LIKE_PERSONAL_DATA.search(value)

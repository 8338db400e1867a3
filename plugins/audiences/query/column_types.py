"""What is known of the types of columns before a statement is made, so that it need not ask it of each value.

The warehouse is asked in the transaction of the statement, and keeps the relations as they are until that ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from audiences.query.sources import events_table, users_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audiences.campaign.spec import CampaignSpec
    from audiences.query.sources import Types
    from audiences.query.text_columns import Value

_BOOLEAN: Final = "boolean"
_WHOLE: Final = ("smallint", "integer", "bigint")
_TEXTS: Final = ("pg_catalog.text", "pg_catalog.varchar")


@dataclass(frozen=True, slots=True)
class ColumnTypes:
    """The types of columns by their names, as far as they are known.

    Of users that is a key of whole numbers, and who opted out as a boolean; of events the name, where it is a text that is equal
    to itself alone.
    """

    users: Types = field(default_factory=dict)
    events: Types = field(default_factory=dict)
    whole_key: bool = False


UNKNOWN: Final = ColumnTypes()


@dataclass(frozen=True, slots=True)
class _Question:
    """Whether a column has a type."""

    of_users: bool
    column: str
    type: sa.types.TypeEngine[Any]
    asked: Value


def column_types(spec: CampaignSpec) -> sa.Select[Any]:
    """The question to the warehouse, answered by one row of booleans, for `types_of`."""
    return sa.select(*(each.asked.label(f"known_{number}") for number, each in enumerate(_questions(spec))))


def types_of(spec: CampaignSpec, answer: Mapping[str, Any]) -> ColumnTypes:
    """What the row says."""
    known = [each for number, each in enumerate(_questions(spec)) if answer[f"known_{number}"]]
    return ColumnTypes(
        users={each.column: each.type for each in known if each.of_users},
        events={each.column: each.type for each in known if not each.of_users},
        whole_key=spec.catalog.users.key in (each.column for each in known if each.of_users),
    )


def _questions(spec: CampaignSpec) -> Iterator[_Question]:
    """Of the columns that every statement for the campaign has, so that none is asked for that may not be there."""
    users, events = spec.catalog.users, spec.catalog.events
    table = users_table(spec.catalog)
    yield _Question(True, users.key, sa.BigInteger(), _is(table, users.key, *_WHOLE))
    for column in dict.fromkeys(source.column for source in users.opt_out if source.column is not None):
        if column != users.key:
            yield _Question(True, column, sa.Boolean(), _is(table, column, _BOOLEAN))
    if events is not None and _reads_events(spec):
        of_text = _is(events_table(events), events.name, *_TEXTS)
        yield _Question(False, events.name, sa.Text(), sa.and_(of_text, _equal_to_itself_alone()))


def _reads_events(spec: CampaignSpec) -> bool:
    saved = (segment.rules for segment in spec.segments.values() if segment.rules is not None)
    return any(did for rules in (spec.campaign.who, *saved) for did in rules.over_events())


def _is(table: sa.FromClause, column: str, *types: str) -> Value:
    # A query without rows gives a null, and a null has a type.
    found = sa.func.pg_typeof(sa.select(table.c[column]).limit(0).scalar_subquery())
    return found.in_([sa.literal_column(f"CAST('{kind}' AS regtype)") for kind in types])


def _equal_to_itself_alone() -> Value:
    """Whether a text of the database is equal to no other: its own collation always says so, others where they are made so."""
    collations = sa.table("pg_collation", sa.column("collisdeterministic"), schema="pg_catalog")
    return ~sa.exists().where(sa.not_(collations.c.collisdeterministic))

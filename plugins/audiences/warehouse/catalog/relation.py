"""A table or view of the warehouse as its own catalog describes it: columns, keys, what an index can be made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import dialect

from audiences.campaign.wording import shown
from audiences.query.render import quoted
from audiences.query.sources import schema_and_name

POSTGRES = dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it unannotated


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `type` is SQLAlchemy's, with `words` as Postgres writes it.

    `virtual`: it is computed when it is read, and no index can be made of it. `loose`: its own equality may look past letter
    case.
    """

    name: str
    type: sa.types.TypeEngine[Any]
    virtual: bool = False
    loose: bool = False

    @property
    def words(self) -> str:
        """The type as Postgres writes it."""
        if isinstance(self.type, sa.types.NullType):
            return "a type of its own"
        words = str(self.type.compile(dialect=POSTGRES))
        return words if isinstance(self.type, sa.Enum) else words.lower()


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view: `kind` in words, `rows` as Postgres estimates them (None: not known).

    `unique` has the sets of columns that a constraint or an index keeps unique, the primary key first; `refers` the
    relations and columns that foreign keys of one column lead to; `leading` the columns that an index begins with; `heirs`
    the tables that inherit from it, whose rows are among its own and which its indexes do not hold.
    """

    name: str
    kind: str
    rows: int | None
    columns: dict[str, Column]
    unique: tuple[frozenset[str], ...] = ()
    refers: dict[str, tuple[str, str]] = field(default_factory=dict)
    leading: frozenset[str] = frozenset()
    heirs: tuple[str, ...] = ()

    @property
    def sql_name(self) -> str:
        """The name as SQL that can be pasted: `shop."Users"`."""
        return ".".join(quoted(part) for part in schema_and_name(self.name) if part)

    @property
    def indexable(self) -> bool:
        """Whether Postgres makes indexes on it; not so on views and foreign tables."""
        return self.kind in ("table", "partitioned table", "materialized view")


def index_advice(relation: Relation, *columns: str, unique: bool = False) -> str:
    """What to do for an index on columns of the relation, as SQL for people to run."""
    made = "CREATE UNIQUE INDEX ON" if unique else "CREATE INDEX ON"
    listed = ", ".join(map(quoted, columns))
    # An index of a table does not hold the rows of those that inherit from it.
    statements = " ".join(f"{made} {name} ({listed});" for name in (relation.sql_name, *relation.heirs))
    if computed := [column for column in columns if relation.columns[column].virtual]:
        which = ", ".join(map(shown, computed))
        return (
            f"Postgres makes no index on a virtual generated column. Make {which} a stored one, GENERATED ALWAYS AS (…) STORED; "
            f"then {statements}"
        )
    return statements

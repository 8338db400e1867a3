"""A table or view of the warehouse as its own catalog describes it: columns, keys, what an index can be made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import dialect

from audiences.campaign.wording import shown
from audiences.query.render import quoted
from audiences.warehouse.catalog.structure import Structure

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation(Structure):
    """A relation with its columns; `refers` has the relations and columns that foreign keys of one column lead to."""

    columns: dict[str, Column]
    refers: dict[str, tuple[str, str]] = field(default_factory=dict)


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

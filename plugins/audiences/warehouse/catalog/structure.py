"""A relation without the types of its columns: which indexes can be relied on, tables that inherit, columns that are computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg import sql

from audiences.query.render import quoted
from audiences.query.sources import schema_and_name

if TYPE_CHECKING:
    from collections.abc import Sequence

_TREE: Final = """
WITH RECURSIVE tree AS (
    SELECT CAST(to_regclass({relation}) AS oid) AS oid
    UNION
    SELECT h.inhrelid FROM tree JOIN pg_inherits h ON h.inhparent = tree.oid
    JOIN pg_class parent ON parent.oid = h.inhparent AND parent.relkind NOT IN ('p', 'I')
)
"""
_TABLES: Final = sql.SQL(
    _TREE  # noqa: S608  # both texts are our own
    + """
SELECT tree.oid, CAST(CAST(tree.oid AS regclass) AS text) AS name, CAST(c.relkind AS text) AS kind,
       CASE WHEN c.relkind = 'p' THEN (
           SELECT sum(greatest(leaf.reltuples, 0))::bigint FROM pg_partition_tree(c.oid) t
           JOIN pg_class leaf ON leaf.oid = t.relid AND leaf.relkind <> 'p'
       ) WHEN c.relkind IN ('r', 'm', 'f') AND c.reltuples >= 0 THEN c.reltuples::bigint END AS rows
FROM tree JOIN pg_class c USING (oid) ORDER BY tree.oid <> to_regclass({relation}), name
"""
)
# Of an index over an expression the column's number is 0. One with a condition, or that is not valid, covers some rows only.
_INDEXES: Final = sql.SQL(
    _TREE
    + """
SELECT i.indrelid AS table, i.indisunique AS once, i.indisprimary, array_agg(a.attname::text ORDER BY k.place) AS columns
FROM tree JOIN pg_index i ON i.indrelid = tree.oid
CROSS JOIN LATERAL unnest(CAST(i.indkey AS int2[])) WITH ORDINALITY AS k (number, place)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
WHERE i.indisvalid AND i.indisready AND i.indpred IS NULL AND k.place <= i.indnkeyatts
GROUP BY i.indexrelid, i.indrelid, i.indisunique, i.indisprimary ORDER BY i.indisprimary DESC, i.indexrelid
"""
)
_TRAITS: Final = sql.SQL("""
SELECT a.attname::text AS name, a.attgenerated = 'v' AS virtual,
       coalesce(NOT c.collisdeterministic, false)
       OR t.typcategory = 'S' AND coalesce(base.typname, t.typname) NOT IN ('text', 'varchar', 'bpchar', 'name') AS loose
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type base ON base.oid = t.typbasetype
LEFT JOIN pg_collation c ON c.oid = a.attcollation
WHERE a.attrelid = to_regclass({relation}) AND a.attnum > 0 AND NOT a.attisdropped
""")


_KINDS: Final = {
    "r": "table",
    "p": "partitioned table",
    "v": "view",
    "m": "materialized view",
    "f": "foreign table",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """A relation's inside: `kind` in words, `rows` as Postgres estimates them (None: not known).

    `unique` has the sets of columns that a constraint or an index keeps unique over all rows, the primary key first; `leading`
    the columns that indexes on all its tables begin with; `heirs` the tables that inherit from it, whose rows are among its own
    and which its indexes do not hold; `virtual` the columns that are computed when they are read; `loose` those whose equality
    may look past letter case.
    """

    name: str
    kind: str
    rows: int | None
    heirs: tuple[str, ...] = ()
    unique: tuple[frozenset[str], ...] = ()
    leading: frozenset[str] = frozenset()
    virtual: frozenset[str] = frozenset()
    loose: frozenset[str] = frozenset()

    @property
    def sql_name(self) -> str:
        """The name as SQL that can be pasted: `shop."Users"`."""
        return ".".join(quoted(part) for part in schema_and_name(self.name) if part)

    @property
    def indexable(self) -> bool:
        """Whether Postgres makes indexes on it; not so on views and foreign tables."""
        return self.kind in ("table", "partitioned table", "materialized view")


def questions(relation: str) -> tuple[str, str, str]:
    """What is asked about a relation, given as SQL; the answers make a Structure."""
    named = sql.Literal(relation)
    return (
        _TABLES.format(relation=named).as_string(None),
        _INDEXES.format(relation=named).as_string(None),
        _TRAITS.format(relation=named).as_string(None),
    )


def structure(name: str, tables: Sequence[Any], indexes: Sequence[Any], traits: Sequence[Any]) -> Structure | None:
    """The answers to `questions` together; None when there is no such relation.

    An index of a table says nothing of the rows in tables that inherit from it.
    """
    if not tables:
        return None
    own, heirs = tables[0], tables[1:]
    leading = [{each.columns[0] for each in indexes if each.table == table.oid} for table in tables]
    unique = [] if heirs else [each.columns for each in indexes if each.once and None not in each.columns]
    counts = [table.rows for table in tables]
    return Structure(
        name=name,
        kind=_KINDS.get(own.kind, "relation"),
        rows=None if None in counts else sum(counts),
        heirs=tuple(heir.name for heir in heirs),
        unique=tuple(dict.fromkeys(map(frozenset, unique))),
        leading=frozenset(filter(None, set.intersection(*leading))),
        virtual=frozenset(each.name for each in traits if each.virtual),
        loose=frozenset(each.name for each in traits if each.loose),
    )

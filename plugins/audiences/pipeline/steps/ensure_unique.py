"""Uniqueness of the extracted users: a users' relation with several rows per key would count and send people twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
from psycopg import sql

from audiences.errors import FixConfigError
from audiences.query.sources import schema_and_name

if TYPE_CHECKING:
    import pyarrow.dataset as ds

    from audiences.campaign.catalog import Users
    from audiences.warehouse.reader import Warehouse

_UNIQUE = sql.SQL("""
SELECT count(*) > 0 AS yes
FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = to_regclass({relation}) AND a.attname = {key}
  AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1
  -- An index of a partitioned table covers its partitions, one of another table none of the tables that inherit from it.
  AND NOT EXISTS (
      SELECT FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhparent WHERE h.inhparent = i.indrelid AND c.relkind <> 'p'
  )
""")
_REPEATED = "select count(*) from (select 1 from staged group by user_id having count(*) > 1)"


@dataclass(eq=False)
class RepeatedUserError(FixConfigError):
    """The users' relation has several rows for one key."""

    relation: str
    key: str
    users: int

    def __str__(self) -> str:
        return (
            f"`{self.relation}` has several rows with one `{self.key}`, for {self.users:,} of the users who qualify. "
            "Map a view with one row per user in include/warehouse.yml. Nothing was sent"
        )


def ensure_unique(users: Users, warehouse: Warehouse, staged: ds.Dataset) -> None:
    """Raise RepeatedUserError when a `user_id` is staged twice; a unique key spares reading the rows."""
    parts = [part for part in schema_and_name(users.relation) if part]
    relation = sql.Identifier(*parts).as_string(None)
    asked = _UNIQUE.format(relation=sql.Literal(relation), key=sql.Literal(users.key))
    if warehouse.table(asked.as_string(None)).column("yes")[0].as_py():
        return
    with duckdb.connect() as database:
        database.register("staged", staged)
        found = database.execute(_REPEATED).fetchall()[0][0]
    if found:
        raise RepeatedUserError(relation=users.relation, key=users.key, users=found)

"""How a person leaves the ledger: by what the person is found in it, in which tables, and what is still there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from audiences.ledger import audience_revisions, member_history, snapshots

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class Trail:
    """By what a person is found in the ledger: the `user`, the packed `rows` that name them, `others` who have one of these."""

    user: str
    rows: tuple[bytes, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, object]:
        """For the conditions of `_where`."""
        return {"user": self.user, "users": [self.user, *self.others], "rows": list(self.rows)}


@dataclass(frozen=True, slots=True)
class Touched:
    """An audience, by its id at Facebook, in which the person is or was with so many `rows`."""

    id: str
    name: str
    rows: int


def audiences_with(ledger: Ledger, trail: Trail) -> list[Touched]:
    """Audiences in which the user or one of the rows is or was."""
    return ledger.rows(
        Touched,
        "select a.facebook_id as id, a.name, count(distinct m.identifiers) as rows"  # noqa: S608  # our own text
        f" from (select * from audiences.member where {_MEMBERSHIPS}) m join audiences.audience a on a.id = m.audience_id"
        " group by a.id order by a.id",
        trail.parameters,
    )


def remove(ledger: Ledger, trail: Trail) -> dict[str, int]:
    """Delete the user from every table that knows users, and the rows whoever held them; how many, by table."""
    removed: dict[str, int] = {}
    with ledger.sql.transaction():
        for table, where in _tables(ledger).items():
            deleted = ledger.sql.execute(
                sql.SQL("delete from audiences.{} where {}").format(sql.Identifier(table), where), trail.parameters
            )
            removed[table] = deleted.rowcount
        audience_revisions.changed_by_no_run(ledger)
        snapshots.forget(ledger)
    return removed


def left(ledger: Ledger, trail: Trail) -> dict[str, int]:
    """Count what is still there of the person, by table."""
    return {
        table: ledger.number(
            sql.SQL("select count(*) from audiences.{} where {}").format(sql.Identifier(table), where).as_string(),
            trail.parameters,
        )
        for table, where in _tables(ledger).items()
    }


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: tuple[str, ...]


# Conditions by which indexes begin, so that none of the tables is read as a whole.
_BEGIN = {
    "audience_id": "audience_id = any(array(select id from audiences.audience))",
    "campaign_id": "campaign_id = any(array(select id from audiences.campaign))",
}
_WHOSE: dict[tuple[str, ...], str] = {
    ("user_id",): "user_id = %(user)s",
    ("identifiers",): "identifiers = any(%(rows)s)",
    ("identifiers", "user_id"): "(user_id = %(user)s or identifiers = any(%(rows)s))",
}
_MEMBERSHIPS = f"{member_history.IS_OF_USERS} and {_WHOSE['identifiers', 'user_id']}"


def _tables(ledger: Ledger) -> dict[str, sql.SQL]:
    """Every table that knows users or rows, those of later versions too, and which of its rows are the person's."""
    found = ledger.rows(
        _Table,
        "select c.table_name as name, array_agg(c.column_name::text order by c.column_name::text) as columns"
        " from information_schema.columns c join information_schema.tables t"
        " on t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_type = 'BASE TABLE'"
        " where c.table_schema = 'audiences' and c.column_name in ('user_id', 'identifiers', 'audience_id', 'campaign_id')"
        " group by c.table_name having bool_or(c.column_name in ('user_id', 'identifiers')) order by c.table_name",
    )
    return {table.name: sql.SQL(_where(table)) for table in found}


def _where(table: _Table) -> str:
    if table.name == "member":
        return _MEMBERSHIPS
    begin = [condition for column, condition in _BEGIN.items() if column in table.columns]
    return " and ".join([*begin, _WHOSE[tuple(column for column in table.columns if column not in _BEGIN)]])

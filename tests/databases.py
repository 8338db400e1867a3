"""Databases that tests use one after the other: emptying one takes a fifth of the time that making one does."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import sql

from audiences.connections import Connection
from audiences.ledger.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.demo.postgres import Postgres

_OTHERS = """
select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
"""
_SHAPE = """
select relation.oid::regclass::text, attname, format_type(atttypid, atttypmod)
from pg_class relation join pg_attribute on attrelid = relation.oid
where relkind in ('r', 'v', 'm', 'p', 'f') and attnum > 0 and not attisdropped
    and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
order by 1, 2
"""
# Whatever is changed in the schema, the rights among it, is another version of a row in one of these.
_CATALOGS = {
    "pg_attrdef": "oid",
    "pg_attribute": "attrelid",
    "pg_class": "oid",
    "pg_constraint": "oid",
    "pg_default_acl": "oid",
    "pg_description": "objoid",
    "pg_extension": "oid",
    "pg_foreign_server": "oid",
    "pg_namespace": "oid",
    "pg_operator": "oid",
    "pg_policy": "oid",
    "pg_proc": "oid",
    "pg_publication": "oid",
    "pg_rewrite": "oid",
    "pg_trigger": "oid",
    "pg_type": "oid",
}
_FIRST_OF_USERS = 16384
_MADE = " union all ".join(
    f"select '{catalog}', count(*), sum(xmin::text::int8 * ({number}::int8 % 65521)) from {catalog}"
    f" where {number} >= {_FIRST_OF_USERS} or xmin::text::int8 >= {_FIRST_OF_USERS}"
    for catalog, number in _CATALOGS.items()
)
# What migrating puts in; everything else in the ledger's schema is of the test.
_KEPT = ("alembic_version", "erasure_salt", "identity")
# To truncate a table is to make its files anew, and those of its indexes. Most tests fill few of the tables, with few rows.
_EMPTY = """
do $$
declare
    found record;
    filled boolean;
begin
    set local session_replication_role = replica; -- no order among tables that refer to each other
    for found in
        select oid::regclass as name from pg_class
        where relnamespace = {schema}::regnamespace and relkind = 'r' and not relname = any({kept}::text[])
    loop
        execute format('select exists (select from %s)', found.name) into filled;
        if filled then
            execute format('delete from %s', found.name);
        end if;
    end loop;
    for found in
        select seqrelid::regclass as name, seqstart from pg_sequence join pg_class on oid = seqrelid
        where relnamespace = {schema}::regnamespace
    loop
        perform setval(found.name, found.seqstart, false);
    end loop;
end
$$
"""


@dataclass
class Databases:
    """Lends the databases of one server."""

    postgres: Postgres
    made: int = 0
    _free: dict[str, list[str]] = field(default_factory=lambda: {"warehouse": [], "ledger": []})
    _made: dict[str, list[Any]] = field(default_factory=dict)
    _ledger: list[Any] = field(default_factory=list)
    _open: dict[str, psycopg.Connection[Any]] = field(default_factory=dict)

    @contextmanager
    def warehouse(self, tables: LiteralString = "") -> Iterator[Connection]:
        """A database with nothing but these empty tables (statements), if any.

        As long as no test changes them they are not made anew, which takes longer than to empty them.
        """
        name = self._take_with(tables) if tables else self._take("warehouse")
        yield self._connection("warehouse", name)
        database = self._alone_in(name)
        if tables and database.execute(_MADE).fetchall() == self._made[name]:
            _empty(database, "public")
            self._free[tables].append(name)
            return
        for (schema,) in database.execute(
            "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'"
        ).fetchall():
            database.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema)))
        database.execute("create schema public; grant usage on schema public to public")
        self._free["warehouse"].append(name)

    @contextmanager
    def ledger(self) -> Iterator[Connection]:
        """A database with the ledger's schema and nothing in it."""
        name = self._take("ledger")
        yield self._connection("ledger", name)
        database = self._alone_in(name)
        if database.execute(_SHAPE).fetchall() != self._ledger:
            return  # the test changed the schema; nobody else gets this one
        _empty(database, "audiences")
        self._free["ledger"].append(name)

    def _take(self, kind: str) -> str:
        if self._free[kind]:
            return self._free[kind].pop()
        self.made += 1
        name = f"lent_{kind}_{self.made}"
        self.postgres.create_database(name)
        if kind == "ledger":
            migrate(self._connection(kind, name))
            database = self._alone_in(name)
            self._ledger = database.execute(_SHAPE).fetchall()
        return name

    def _take_with(self, tables: LiteralString) -> str:
        if self._free.setdefault(tables, []):
            return self._free[tables].pop()
        name = self._take("warehouse")
        database = self._alone_in(name)
        database.execute(tables)
        self._made[name] = database.execute(_MADE).fetchall()
        return name

    def _alone_in(self, name: str) -> psycopg.Connection[Any]:
        """The session that empties the database, after the end of all others. It stays open: it knows the tables already."""
        found = self._open.get(name)
        if found is None or found.closed:
            found = self._open[name] = psycopg.connect(self.postgres.uri(name), autocommit=True, prepare_threshold=1)
        found.execute(_OTHERS)
        for statement in ("alter database {} reset all", "grant connect, temporary on database {} to public"):
            found.execute(sql.SQL(statement).format(sql.Identifier(name)))
        return found

    def close(self) -> None:
        """End the sessions that were kept open."""
        for session in self._open.values():
            session.close()

    def _connection(self, connection_id: str, database: str) -> Connection:
        return Connection(
            connection_id,
            host=str(self.postgres.socket_directory),
            port=self.postgres.port,
            login="postgres",
            schema=database,
        )


def _empty(database: psycopg.Connection[Any], schema: str) -> None:
    """Take out what a test has put into the tables of the schema, and begin their numbers anew."""
    database.execute(sql.SQL(_EMPTY).format(schema=schema, kept=list(_KEPT)))

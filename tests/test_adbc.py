"""Connections through ADBC: the types that the driver knows, and sessions that are used again."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from audiences import adbc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.connections import Connection

pytestmark = pytest.mark.integration


@pytest.fixture
def warehouse(databases) -> Iterator[Connection]:
    with databases.warehouse() as connection:
        yield connection


@pytest.fixture
def dsn(warehouse: Connection) -> str:
    return warehouse.dsn(application="test_adbc")


def read(dsn: str, query: str) -> dict[str, tuple[str, object]]:
    """The Arrow type and the value of each column of the only row, on a connection of its own."""
    with adbc.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetch_arrow_table()
    return {name: (str(found.schema.field(name).type), found[name][0].as_py()) for name in found.column_names}


def test_the_types_in_which_questions_are_answered_are_known_unasked(dsn):
    query = """
        select 'é' as text, 7::int8 as long, 7::int4 as int, 7.5::float8 as number, true as boolean, '\\x0001'::bytea as bytes,
               '2026-02-03'::date as day, '2026-02-03 04:05Z'::timestamptz at time zone 'UTC' as moment,
               array['a', null] as texts, array[1, 2]::int4[] as ints
    """
    assert {name: kind for name, (kind, _) in read(dsn, query).items()} == {
        **{"text": "string", "long": "int64", "int": "int32", "number": "double", "boolean": "bool", "bytes": "binary"},
        **{"day": "date32[day]", "moment": "timestamp[us]", "texts": "list<item: string>", "ints": "list<item: int32>"},
    }
    assert read(dsn, "select array['a', null] as texts") == {"texts": ("list<item: string>", ["a", None])}


def test_a_databases_own_types_are_not_read_and_what_is_cast_from_them_is(dsn):
    with psycopg.connect(dsn, autocommit=True) as sql:
        sql.execute("create type tier as enum ('gold')")
        sql.execute("create domain age as integer")
        sql.execute("create table users (tier tier, tiers tier[], age age, ages age[])")
        sql.execute("insert into users values ('gold', '{gold}', 40, '{5, 6}')")
        (uncast,) = read(dsn, "select tier from users").values()
        cast = read(dsn, "select tier::text, tiers::text[], age::int8, ages::text[] from users")
    assert uncast[0].startswith("extension<arrow.opaque")
    assert cast == {
        "tier": ("string", "gold"),
        "tiers": ("list<item: string>", ["gold"]),
        "age": ("int64", 40),
        "ages": ("list<item: string>", ["5", "6"]),
    }


def test_a_transaction_begins_with_the_first_statement_of_the_caller(dsn):
    with adbc.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read")  # refused once there was a query
        cursor.execute("select current_setting('transaction_isolation') as level")
        assert cursor.fetchone() == ("repeatable read",)


def test_a_login_that_may_not_come_in_is_refused_in_the_servers_words(dsn, warehouse):
    with psycopg.connect(dsn.replace("dbname=", "dbname=postgres fallback_application_name="), autocommit=True) as sql:
        sql.execute(f"alter database {warehouse.schema} allow_connections false")
        try:
            with pytest.raises(adbc.DriverError, match="is not currently accepting connections"):
                adbc.connect(dsn)
        finally:
            sql.execute(f"alter database {warehouse.schema} allow_connections true")


@pytest.fixture
def pool(dsn) -> Iterator[adbc.Pool]:
    with closing(adbc.Pool(dsn)) as made:
        yield made


def session_number(session: adbc.Session) -> int:
    with session.opened.cursor() as cursor:
        cursor.execute("select pg_backend_pid() as pid")
        return int(cursor.fetchone()[0])


def test_a_pool_lends_a_session_again_with_the_state_that_the_server_has_by_then(pool, dsn):
    with psycopg.connect(dsn, autocommit=True) as sql:
        sql.execute("create table users (id integer)")
        found = []
        for _ in range(3):
            session = pool.take()
            with session.opened.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read")  # refused once there was a query
                cursor.execute("select count(*)::int4, pg_backend_pid() from users")
                found.append(cursor.fetchone())
            pool.give_back(session)
            sql.execute("insert into users values (7)")
        assert [count for count, _ in found] == [0, 1, 2]
        assert len({pid for _, pid in found}) == 1
        idle = sql.execute("select state from pg_stat_activity where pid = %s", (found[0][1],)).fetchone()
        assert idle == ("idle",), "nothing keeps the server from tidying up"


def test_a_pool_opens_another_session_for_one_that_ended(pool, dsn):
    session = pool.take()
    first = session_number(session)
    pool.give_back(session)
    with psycopg.connect(dsn, autocommit=True) as sql:
        sql.execute("select pg_terminate_backend(%s, 5000)", (first,))
    session = pool.take()
    second = session_number(session)
    session.close()
    assert first != second


def test_of_several_sessions_a_pool_keeps_one(pool, dsn):
    sessions = [pool.take() for _ in range(3)]
    for session in sessions:
        pool.give_back(session)
    with psycopg.connect(dsn, autocommit=True) as sql:
        query = "select count(*) from pg_stat_activity where application_name = 'test_adbc' and pid <> pg_backend_pid()"
        until = time.monotonic() + 10
        while (count := sql.execute(query).fetchone()[0]) != 1 and time.monotonic() < until:
            time.sleep(0.02)
    assert count == 1

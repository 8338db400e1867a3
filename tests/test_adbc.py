"""Connections through ADBC share what the driver has read of the server's types, and still see every type that came later."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import adbc_driver_postgresql
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


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    """The databases that the driver opens from now on."""
    found: list[str] = []
    really = adbc_driver_postgresql.connect

    def connect(dsn: str, *more: object, **named: object) -> object:
        found.append(dsn)
        return really(dsn, *more, **named)

    monkeypatch.setattr(adbc_driver_postgresql, "connect", connect)
    return found


def read(dsn: str, query: str) -> list[tuple[str, object]]:
    """The Arrow type and the value of each column of the only row, on a connection of its own."""
    with adbc.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetch_arrow_table()
    return [(str(found.schema.field(name).type), found[name][0].as_py()) for name in found.column_names]


def test_from_the_second_connection_on_the_types_are_not_read_again(dsn, opened):
    for _ in range(5):
        assert read(dsn, "select 1::int8 as one") == [("int64", 1)]
    assert opened == [dsn]


@pytest.mark.parametrize(
    ("change", "value", "expected"),
    [
        ("create type late as enum ('a')", "'a'::late", ("string", "a")),
        ("create domain age as integer", "array[5, 6]::age[]", ("list<item: int32>", [5, 6])),
        ("create type pair as (a integer, b text)", "row(1, 'x')::pair", ("struct<a: int32, b: string>", {"a": 1, "b": "x"})),
        ("alter type old add attribute b text", "row(1, 'x')::old", ("struct<a: int32, b: string>", {"a": 1, "b": "x"})),
        ("drop type old; create type old as (b text)", "row('x')::old", ("struct<b: string>", {"b": "x"})),
    ],
)  # fmt: skip
def test_a_type_that_came_or_changed_between_two_connections_is_read_as_what_it_is(
    dsn, opened, change, value, expected
):
    with psycopg.connect(dsn, autocommit=True) as sql:
        sql.execute("create type old as (a integer)")
        for _ in range(3):
            assert read(dsn, "select row(1)::old as value") == [("struct<a: int32>", {"a": 1})]
        sql.execute(change)
        before = len(opened)
        for _ in range(3):
            assert read(dsn, f"select {value} as value") == [expected]
        assert len(opened) == before + 1


def test_a_connection_outlives_what_was_kept_for_it(dsn):
    with adbc.connect(dsn) as connection:
        for number in range(adbc.MOST_KEPT + 1):
            adbc.connect(f"{dsn} connect_timeout={number + 10}").close()
        with connection.cursor() as cursor:
            cursor.execute("select 1 as one")
            assert cursor.fetchone() == (1,)


def test_a_transaction_begins_with_the_first_statement_of_the_caller(dsn):
    for _ in range(3):
        with adbc.connect(dsn) as connection, connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")  # refused once there was a query
            cursor.execute("select current_setting('transaction_isolation') as level")
            assert cursor.fetchone() == ("repeatable read",)


def test_a_login_that_may_no_longer_come_in_is_refused_with_the_words_of_a_first_connection(dsn, warehouse):
    def refusal() -> tuple[object, str]:
        with pytest.raises(adbc.DriverError) as refused:
            adbc.connect(dsn)
        return refused.value.sqlstate, str(refused.value)

    for _ in range(3):
        adbc.connect(dsn).close()
    with psycopg.connect(dsn.replace("dbname=", "dbname=postgres fallback_application_name="), autocommit=True) as sql:
        sql.execute(f"alter database {warehouse.schema} allow_connections false")
        try:
            kept = refusal()
            adbc._kept.popitem()[1].close()
            assert kept == refusal()
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


def test_a_pool_opens_another_session_for_one_that_ended_or_does_not_know_a_type(pool, dsn):
    with psycopg.connect(dsn, autocommit=True) as sql:
        session = pool.take()
        first = session_number(session)
        pool.give_back(session)
        sql.execute("select pg_terminate_backend(%s, 5000)", (first,))
        session = pool.take()
        second = session_number(session)
        pool.give_back(session)
        sql.execute("create type late as enum ('a')")
        session = pool.take()
        with session.opened.cursor() as cursor:
            cursor.execute("select 'a'::late as value, pg_backend_pid() as pid")
            value, third = cursor.fetchone()
        session.close()
    assert value == "a"
    assert len({first, second, third}) == 3


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

"""Connections through ADBC share what the driver has read of the server's types, and still see every type that came later."""

from __future__ import annotations

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

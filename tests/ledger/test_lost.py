"""A Postgres that went away is told from every other error, whichever driver noticed it."""

from __future__ import annotations

import pickle
from dataclasses import replace

import psycopg
import pytest
from adbc_driver_postgresql import dbapi

from audiences.ledger.door import Ledger
from audiences.ledger.lost import as_lost
from audiences.ledger.migrate import migrate

pytestmark = pytest.mark.integration
KILL = "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'audiences-%'"


@pytest.fixture
def connection(new_database):
    return new_database("ledger")


def raised(work):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one it is, is the question
        work()
    return caught.value


def execute(bulk, query):
    with bulk.cursor() as cursor:
        cursor.execute(query)


def test_a_session_that_was_ended_is_a_lost_ledger(connection, postgres):
    migrate(connection)
    with Ledger(connection) as ledger:
        execute(ledger.bulk, "select 1")
        with psycopg.connect(postgres.uri("postgres"), autocommit=True) as other:
            other.execute(KILL)
        errors = [
            raised(lambda: ledger.one("select 1 as one")),
            raised(lambda: ledger.one("select 1 as one")),  # now the client knows that it is closed
            raised(lambda: execute(ledger.bulk, "select 1")),
        ]
        assert [type(as_lost(error)).__name__ for error in errors] == ["LedgerLostError"] * 3
        assert "57P01" in str(as_lost(errors[0]))


def test_a_server_that_is_not_there_is_a_lost_ledger(connection):
    nowhere = replace(connection, host="/nowhere")
    for work in (
        lambda: Ledger(nowhere),
        lambda: migrate(nowhere),
        lambda: dbapi.connect(nowhere.dsn(application="x")),
    ):
        lost = as_lost(raised(work))
        assert lost is not None
        assert "nowhere" not in str(lost)
        assert str(pickle.loads(pickle.dumps(lost))) == str(lost)


def test_other_errors_are_what_they_are(connection):
    with (
        psycopg.connect(connection.dsn(application="x"), autocommit=True) as sql,
        dbapi.connect(connection.dsn(application="x")) as bulk,
    ):
        sql.execute("create table once (id int primary key)")
        sql.execute("insert into once values (1)")
        twice = "insert into once values (1)"
        errors = [
            raised(lambda: sql.execute(twice)),
            raised(lambda: sql.execute("select 1 from missing")),
            raised(lambda: execute(bulk, twice)),
            ValueError("the ledger is lost"),
        ]
        bulk.rollback()
    assert [as_lost(error) for error in errors] == [None] * 4

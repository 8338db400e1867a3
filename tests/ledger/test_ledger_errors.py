"""A Postgres that went away is told from every other error, whichever driver noticed it."""

from __future__ import annotations

import pickle
from dataclasses import replace

import psycopg
import pytest
from adbc_driver_postgresql import dbapi
from tests.ledger.records import one

from audiences.errors import RetryError
from audiences.ledger.database import Ledger
from audiences.ledger.ledger_errors import LedgerFaultError, as_lost
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
            raised(lambda: one(ledger, "select 1 as one")),
            raised(lambda: one(ledger, "select 1 as one")),  # now the client knows that it is closed
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


def test_what_the_ledger_refuses_is_told_in_our_words_without_the_row(connection):
    with (
        psycopg.connect(connection.dsn(application="x"), autocommit=True) as sql,
        dbapi.connect(connection.dsn(application="x")) as bulk,
    ):
        sql.execute("create table once (user_id text primary key, other text not null)")
        sql.execute("insert into once values ('mary@example.com', 'x')")
        twice = "insert into once values ('mary@example.com', 'y')"
        raised_by = {
            "23505": raised(lambda: sql.execute(twice)),
            "23502": raised(lambda: sql.execute("insert into once values ('mary@example.net', null)")),
            "22P02": raised(lambda: sql.execute("select other::int from once where user_id = 'mary@example.com'")),
        }
        bulk_error = raised(lambda: execute(bulk, twice))
        bulk.rollback()
    told = {sqlstate: as_lost(error) for sqlstate, error in raised_by.items()}
    assert isinstance(as_lost(bulk_error), LedgerFaultError)
    for words in (*map(str, told.values()), str(as_lost(bulk_error))):
        assert "mary" not in words
        assert "ledger refused a statement" in words
    assert [error.sqlstate for error in told.values()] == list(told)
    assert str(pickle.loads(pickle.dumps(told["23505"]))) == str(told["23505"])


def test_a_ledger_without_its_tables_says_how_to_make_them_and_where_it_was_noticed(connection):
    with Ledger(connection) as ledger:
        found = as_lost(raised(lambda: ledger.number("select 1 from audiences.run")))
    assert "SQLSTATE 42P01, at ledger/" in str(found)
    assert "`audiences ledger migrate`" in str(found)


def test_transactions_in_each_others_way_may_be_repeated():
    found = as_lost(psycopg.errors.DeadlockDetected("Process 1 waits for mary@example.com"))
    assert isinstance(found, RetryError)
    assert "mary" not in str(found)


def test_an_error_that_is_not_the_ledgers_is_none_of_ours():
    assert as_lost(ValueError("the ledger is lost")) is None


FULL = "do $$ begin raise exception using errcode = '53100', message = 'could not extend file'; end $$"


def test_a_full_disk_calls_for_a_person_whichever_driver_meets_it(connection):
    migrate(connection)
    with Ledger(connection) as ledger:
        for error in (raised(lambda: one(ledger, FULL)), raised(lambda: execute(ledger.bulk, FULL))):
            lost = as_lost(error)
            assert not isinstance(lost, RetryError)
            assert "disk of the ledger's Postgres is full" in str(lost)
            assert "Make room" in str(lost)


def test_a_ledger_that_may_only_be_read_says_so_also_when_it_is_to_be_migrated(connection, postgres):
    with psycopg.connect(postgres.uri("postgres"), autocommit=True) as other:
        other.execute(f"alter database {connection.schema} set default_transaction_read_only = on")

    def write():
        with Ledger(connection) as ledger:
            one(ledger, "create table t ()")

    for work in (lambda: migrate(connection), write):
        told = str(as_lost(raised(work)))
        assert told.startswith("the ledger may only be read there (SQLSTATE 25006")
        assert "`default_transaction_read_only` must be off" in told

"""No word of a database about a value reaches anybody: psycopg and ADBC, every SQLSTATE, every language."""

from __future__ import annotations

import psycopg
import pyarrow as pa
import pytest
from adbc_driver_manager import Error as DriverError
from adbc_driver_postgresql import dbapi

from audiences import adbc
from audiences.connections import Connection
from audiences.warehouse.catalog.reflect import Glance, Refusal
from audiences.warehouse.driver_errors import UNTOLD, fault
from audiences.warehouse.reader import Warehouse, WarehouseQueryError, WarehouseTransientError

pytestmark = pytest.mark.integration
ADDRESS = "jane.doe@example.com"
# German, as `lc_messages = 'de_DE'` has it, and the marks that other languages quote with.
TRANSLATED = (
    f"Spalte »{ADDRESS}« existiert nicht",
    f"la colonne « {ADDRESS} » n'existe pas",
    f"列「{ADDRESS}」は存在しません",
    f"cannot handle {ADDRESS}",
    f'column "{ADDRESS}" does not exist',
    "cannot handle +44 20 7946 0958",
    "cannot handle Jane Doe of Springfield",
)
STATES = (
    *("42703", "42P01", "42501", "42846", "42883", "42804", "42601", "22P02", "22003", "22007", "P0001", "P0002"),
    *("08006", "53100", "53200", "57014", "40001", "28000", "XX000", "HV000", "23505", "58030"),
)


@pytest.fixture
def connection(new_database):
    made = new_database("faulty")
    with psycopg.connect(made.dsn(application="test"), autocommit=True) as database:
        database.execute("create table users (id bigint, email text)")
        database.execute("insert into users values (1, %s)", [ADDRESS])
        database.execute(
            "create function fails(said text, code text) returns text language plpgsql as"
            " $$ begin raise exception using errcode = code, message = said; end $$"
        )
    return made


def by_psycopg(connection, query):
    with psycopg.connect(connection.dsn(application="test")) as database, pytest.raises(psycopg.Error) as caught:
        database.execute(query)
    return fault(caught.value, query)


def by_adbc(connection, query):
    def ask(cursor):
        cursor.execute(query)
        list(cursor._results.reader)

    return raised_by(connection, ask, query)


def by_arrow(connection, query):
    """Arrow's own reader, whose OSError has the text and no SQLSTATE."""

    def ask(cursor):
        cursor.execute(query)
        cursor.fetch_record_batch().read_all()

    return raised_by(connection, ask, query)


def raised_by(connection, ask, query):
    with adbc.connect(connection.dsn(application="test")) as database, database.cursor() as cursor:
        with pytest.raises((DriverError, OSError)) as caught:
            ask(cursor)
        return fault(caught.value, query)


@pytest.mark.parametrize("ask", [by_psycopg, by_adbc])
def test_what_a_function_of_the_database_says_is_never_told_whatever_its_sqlstate(connection, ask):
    for state in STATES:
        for said in TRANSLATED:
            found = ask(connection, f"select fails($said${said}$said$, '{state}') from users")
            assert found.sqlstate == state
            for word in ("jane", "Jane", "7946", "Spalte", "Springfield"):
                assert word not in found.words


def test_an_error_of_arrows_own_reader_is_told_in_our_words(connection):
    found = by_arrow(connection, "select fails(email, 'P0001') from users")
    assert (found.sqlstate, found.words, found.passing) == ("", UNTOLD, False)


def test_an_error_without_words_of_ours_says_where_to_look(connection):
    with Warehouse(connection, application="test") as warehouse, pytest.raises(WarehouseQueryError) as caught:
        warehouse.table("select fails(email, 'HV000') from users")
    assert "SQLSTATE HV000" in str(caught.value)
    assert "the database's own log" in str(caught.value)


def test_a_full_disk_of_the_warehouse_is_not_asked_again_and_not_taken_for_a_wrong_connection(connection):
    with Warehouse(connection, application="test") as warehouse, pytest.raises(WarehouseQueryError) as caught:
        warehouse.table("select fails(email, '53100') from users")
    assert "its disk is full" in str(caught.value)
    assert "Make room on the server's disk" in str(caught.value)
    assert "catalog check" not in str(caught.value)


def test_a_query_that_a_replica_has_ended_is_tried_again_and_told_with_the_setting_of_the_replica(connection):
    with Warehouse(connection, application="test") as warehouse, pytest.raises(WarehouseTransientError) as caught:
        warehouse.table("select fails(email, '40001') from users")
    assert "on a replica" in str(caught.value)
    assert "hot_standby_feedback" in str(caught.value)
    assert "host" not in str(caught.value).partition("hot_standby")[2]


@pytest.mark.parametrize("ask", [by_psycopg, by_adbc])
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select u.nope from users u", "there is no such column: `u.nope`"),
        ('select "No ""pe" from users', 'there is no such column: `"No ""pe"`'),
        ("select 'é', nope from users", "there is no such column: `nope`"),
        ("select id from shop.users", "there is no such table or view: `shop.users`"),
        ("select absent(id) from users", "no function or operator takes these types: `absent`, `bigint`"),
        ("select id from users where id = email", "no function or operator takes these types: `bigint`, `text`"),
        ("select id::date from users", "there is no cast from one type to the other: `bigint`, `date`"),
        ("select email::int from users", "a value cannot be read as its declared type: `integer`"),
        ("select 1 / (id - 1) from users", "a division by zero"),
        (f'select id from users where email = "{ADDRESS}"', 'there is no such column: `"[e-mail]"`'),
    ],
)
def test_names_and_types_are_told_as_the_query_has_them(connection, ask, query, words):
    assert ask(connection, query).words == words


@pytest.mark.parametrize("ask", [by_psycopg, by_adbc])
def test_a_missing_right_names_what_it_is_about(connection, ask, postgres):
    with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
        database.execute("create role someone login")
    try:
        reader = Connection("w", host=connection.host, port=connection.port, login="someone", schema=connection.schema)
        assert ask(reader, "select id from users").words == "the login lacks the right to read: `users`"
    finally:
        with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
            database.execute("drop role someone")


def test_a_question_of_the_catalog_check_quotes_no_value(connection):
    with Glance(connection) as glance:
        for state in STATES:
            refusal = glance.ask(f"select fails(email, '{state}') from users")
            assert isinstance(refusal, Refusal)
            assert refusal.sqlstate == state
            assert "jane" not in refusal.words


@pytest.mark.parametrize(
    ("change", "words", "passing"),
    [
        ({"host": "127.0.0.1", "port": 9}, "the connection was refused: nothing listens there", True),
        ({"host": "no-such-host.invalid"}, "the host's name is not known", True),
        ({"schema": "jane"}, "there is no such database", False),
        ({"login": "jane"}, "there is no such login", False),
    ],
)
def test_a_connection_that_does_not_come_about_is_told_by_its_cause(connection, change, words, passing):
    there = {"host": connection.host, "port": connection.port, "login": "postgres", "schema": connection.schema}
    dsn = Connection("w", **{**there, **change}).dsn(application="test")
    with pytest.raises(psycopg.OperationalError) as one:
        psycopg.connect(dsn)
    with pytest.raises(DriverError) as other:
        dbapi.connect(dsn)
    for caught in (one, other):
        assert (fault(caught.value).words, fault(caught.value).passing) == (words, passing)


def test_an_error_that_is_no_drivers_keeps_its_words_to_itself():
    assert fault(OSError(f"ERROR:  cannot handle {ADDRESS}")).words == UNTOLD
    assert "jane" not in fault(pa.ArrowInvalid(f"cannot handle {ADDRESS}")).words

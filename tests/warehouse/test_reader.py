from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from audiences.connections import Connection
from audiences.warehouse.reader import (
    Warehouse,
    WarehouseClosedError,
    WarehouseQueryError,
    WarehouseTransientError,
    sessions,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def connection(new_database):
    made = new_database("warehouse")
    with psycopg.connect(made.dsn(application="test"), autocommit=True) as database:
        database.execute("create table users (id bigint, email text)")
        database.execute("insert into users select i, 'user' || i || '@example.com' from generate_series(1, 200000) i")
    return made


def test_a_large_result_comes_in_batches_and_whole(connection, monkeypatch):
    monkeypatch.setattr("audiences.warehouse.reader.BATCH_BYTES", 500_000)
    with Warehouse(connection, application="test") as warehouse:
        sizes = [batch.num_rows for batch in warehouse.stream("select id, email from users")]
    assert len(sizes) > 5
    assert sum(sizes) == 200_000


def test_the_reader_can_stop_early(connection):
    with Warehouse(connection, application="test") as warehouse:
        stream = warehouse.stream("select id, email from users")
        assert next(stream).num_rows > 0
        stream.close()


def test_a_type_of_the_warehouse_itself_is_refused_unless_it_is_cast(connection):
    with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
        database.execute("create type tier as enum ('gold')")
    with Warehouse(connection, application="test") as warehouse:
        with pytest.raises(TypeError, match="column `tier`"):
            warehouse.table("select 1 as one, 'gold'::tier as tier")
        assert warehouse.table("select 'gold'::tier::text as tier").to_pylist() == [{"tier": "gold"}]


def test_the_session_is_read_only_named_and_in_the_catalogs_time_zone(connection):
    names = ("transaction_read_only", "transaction_isolation", "application_name", "timezone", "statement_timeout")
    columns = ", ".join(f"current_setting('{name}') as {name}" for name in names)
    with Warehouse(connection, application="audiences:carts", timezone="Asia/Kolkata") as warehouse:
        found = warehouse.table(f"select {columns}").to_pylist()[0]
    assert tuple(found.values()) == ("on", "repeatable read", "audiences:carts", "Asia/Kolkata", "30min")
    with Warehouse(connection, application="test") as warehouse, pytest.raises(WarehouseQueryError, match="read-only"):
        warehouse.table("create table x ()")


def test_rows_of_workers_are_not_dear_unless_the_connection_says_so(connection):
    query = "select current_setting('parallel_tuple_cost') as rows, current_setting('cursor_tuple_fraction') as share"
    theirs = replace(connection, extra={"options": "-c Parallel_Tuple_Cost=0.3"})
    found = []
    for each in (connection, theirs):
        with Warehouse(each, application="test") as warehouse:
            found.append(tuple(warehouse.table(query).to_pylist()[0].values()))
    assert found == [("0.01", "1"), ("0.3", "1")]


def test_snapshots_of_one_pool_follow_each_other_in_one_session_under_the_name_of_each(connection):
    query = "select current_setting('application_name') as name, pg_backend_pid() as pid, count(*) as users from users"
    with closing(sessions(connection)) as pool, psycopg.connect(connection.dsn(application="test")) as other:
        found = []
        for name in ("audiences:carts", "audiences:lapsed"):
            with Warehouse(connection, application=name, pool=pool) as warehouse:
                found += warehouse.table(query).to_pylist()
            other.execute("insert into users values (0, 'late@example.com')")
            other.commit()
    assert [row["name"] for row in found] == ["audiences:carts", "audiences:lapsed"]
    assert found[1]["pid"] == found[0]["pid"]
    assert found[1]["users"] == found[0]["users"] + 1


@pytest.mark.parametrize("role", ["postgres", "of_session"])
def test_what_a_function_leaves_in_the_session_the_next_snapshot_does_not_find(connection, role):
    """A function that says it is stable may be called by a saved query, and by a view of the catalog; it can do this."""
    look = """
        select pg_backend_pid() as pid, current_user::text as role, current_setting('search_path') as path,
            (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks
    """
    with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
        database.execute(
            """
            create role of_session; create role of_function; grant select on users to of_session, of_function;
            create function leaves() returns int language plpgsql stable as $$ begin
                perform set_config('search_path', 'elsewhere, public', false), pg_advisory_lock(7),
                    set_config('role', 'of_function', false);
                return 1;
            end $$
            """
        )
        try:
            # Every session of the login begins in that role.
            database.execute(f"alter role postgres in database {connection.schema} set role = '{role}'".encode())
            found = []
            with closing(sessions(connection)) as pool:
                for query in (look, "select leaves()", look):
                    with Warehouse(connection, application="test", pool=pool) as warehouse:
                        found += warehouse.table(query).to_pylist()
        finally:
            database.execute(f"alter role postgres in database {connection.schema} reset role".encode())
            database.execute("drop owned by of_session, of_function; drop role of_session, of_function")
    assert found[0]["role"] == role
    assert found[2] == found[0]


def test_a_session_that_was_not_read_to_the_end_or_failed_is_not_used_again(connection):
    def number(warehouse):
        return warehouse.table("select pg_backend_pid() as pid")["pid"][0].as_py()

    with closing(sessions(connection)) as pool:
        with Warehouse(connection, application="test", pool=pool) as warehouse:
            first = number(warehouse)
            stream = warehouse.stream("select id, email from users")
            next(stream)
            stream.close()
        with Warehouse(connection, application="test", pool=pool) as warehouse:
            second = number(warehouse)
            with pytest.raises(WarehouseQueryError):
                warehouse.table("select nope from users")
        with Warehouse(connection, application="test", pool=pool) as warehouse:
            third = number(warehouse)
    assert len({first, second, third}) == 3


def test_a_connection_with_a_name_of_its_own_keeps_it(connection):
    named = replace(connection, extra={"application_name": "theirs"})
    with Warehouse(named, application="audiences:carts") as warehouse:
        assert warehouse.table("select current_setting('application_name') as name")["name"][0].as_py() == "theirs"


def test_text_looks_the_same_however_the_database_is_set_up(connection):
    with psycopg.connect(connection.dsn(application="test"), autocommit=True) as database:
        for name, value in {
            "datestyle": "SQL, DMY",
            "intervalstyle": "sql_standard",
            "extra_float_digits": "-5",
        }.items():
            database.execute(f"alter database {connection.schema} set {name} = '{value}'")
    query = (
        "select date '1997-02-16'::text as day, (interval '1 day')::text as span, (0.1::float8 + 0.2)::text as number"
    )
    with Warehouse(connection, application="test") as warehouse:
        found = warehouse.table(query).to_pylist()[0]
    assert found == {"day": "1997-02-16", "span": "1 day", "number": "0.30000000000000004"}


def test_a_missing_column_is_named(connection):
    with Warehouse(connection, application="test") as warehouse, pytest.raises(WarehouseQueryError, match="`nope`"):
        warehouse.table("select nope from users")


@pytest.mark.parametrize("query", ["select email::int from users", "select id from users where email::int = 1"])
def test_an_error_quotes_no_value(connection, query):
    with Warehouse(connection, application="test") as warehouse, pytest.raises(WarehouseQueryError) as caught:
        warehouse.table(query)
    assert "example" not in str(caught.value)
    assert "cannot be read as its declared type" in str(caught.value)


def test_an_error_quotes_no_value_that_holds_quotation_marks(connection):
    with Warehouse(connection, application="test") as warehouse, pytest.raises(WarehouseQueryError) as caught:
        warehouse.table("""select '"JJ" jane@example.com'::text::int from users""")
    assert "jane" not in str(caught.value)
    assert "cannot be read as its declared type" in str(caught.value)


@pytest.mark.parametrize(
    ("query", "error", "sqlstate"),
    [
        ("select i, pg_sleep(0.01)::text from generate_series(1, 100) i", WarehouseQueryError, "57014"),
        ("select 1 / (i - 190000) from generate_series(1, 200000) i", WarehouseQueryError, "22012"),
    ],
    ids=["too slow", "a value that does not fit"],
)
def test_an_error_in_the_middle_of_the_rows_is_known_by_its_code(connection, query, error, sqlstate):
    with Warehouse(connection, application="test", timeout="300ms") as warehouse, pytest.raises(error) as caught:
        list(warehouse.stream(query))
    assert caught.value.sqlstate == sqlstate


def test_a_server_that_is_not_there_is_told_with_what_went_wrong():
    nowhere = Connection("warehouse", host="127.0.0.1", port=9, schema="shop")
    with pytest.raises(WarehouseTransientError, match="refused") as caught:
        Warehouse(nowhere, application="test")
    assert "database `shop` at 127.0.0.1:9, the Airflow connection `warehouse`" in str(caught.value)
    assert "see whether the server is up" in str(caught.value)


def test_a_database_that_is_not_there_is_for_a_person_and_not_tried_again(connection):
    wrong = replace(connection, schema="nowhere")
    with pytest.raises(WarehouseClosedError, match="there is no such database") as caught:
        Warehouse(wrong, application="test")
    assert "database `nowhere` at " in str(caught.value)
    assert "Correct the connection's schema (the database)" in str(caught.value)


def test_a_refused_query_says_of_which_database(connection):
    with Warehouse(connection, application="test") as warehouse, pytest.raises(WarehouseQueryError) as caught:
        warehouse.table("select * from nope")
    assert f"the Airflow connection `{connection.id}`" in str(caught.value)


def test_a_connection_cut_by_the_server_is_a_passing_fault(connection):
    with Warehouse(connection, application="test") as warehouse, pytest.raises(WarehouseTransientError):
        warehouse.table("select pg_terminate_backend(pg_backend_pid())")

"""What an Airflow connection says reaches libpq whole, for psycopg and ADBC alike, or is refused by its name."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from adbc_driver_manager import Error as DriverError
from adbc_driver_postgresql import dbapi
from psycopg.conninfo import conninfo_to_dict
from tests.ledger.records import one

from audiences.connections import Connection
from audiences.errors import ConnectionUnreadableError
from audiences.ledger.database import Ledger
from audiences.libpq import ConnectionOptionError, asked_settings, keywords
from audiences.warehouse.catalog.reflect import Glance, WarehouseUnreachableError
from audiences.warehouse.driver_errors import fault
from audiences.warehouse.reader import Warehouse, WarehouseClosedError, WarehouseQueryError, WarehouseTransientError

SECRET = "S3cret"


def given(connection: Connection) -> dict[str, str]:
    return {name: str(value) for name, value in conninfo_to_dict(connection.dsn(application="test")).items()}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"host": "/run/pg"}, {"host": "/run/pg"}),
        ({"host": "a,b", "port": "5432,5433"}, {"host": "a,b", "port": "5432,5433"}),
        ({"options": "-c search_path=crm"}, {"options": "-c search_path=crm"}),
        ({"service": "shop"}, {"service": "shop"}),
        ({"passfile": "/etc/pgpass"}, {"passfile": "/etc/pgpass"}),
        ({"target_session_attrs": "read-write"}, {"target_session_attrs": "read-write"}),
        ({"channel_binding": "require"}, {"channel_binding": "require"}),
        ({"gssencmode": "disable", "krbsrvname": "pg"}, {"gssencmode": "disable", "krbsrvname": "pg"}),
        ({"keepalives": False, "keepalives_idle": 7}, {"keepalives": "0", "keepalives_idle": "7"}),
        ({"connect_timeout": 3}, {"connect_timeout": "3"}),
        ({"application_name": "ours"}, {"application_name": "ours", "fallback_application_name": "test"}),
        ({"sslmode": "verify-full", "sslpassword": "x y'z\\"}, {"sslmode": "verify-full", "sslpassword": "x y'z\\"}),
        ({"sslsni": True, "require_auth": "scram-sha-256"}, {"sslsni": "1", "require_auth": "scram-sha-256"}),
        ({"hostaddr": "10.0.0.1", "load_balance_hosts": "random"}, {"hostaddr": "10.0.0.1"}),
        ({"user": "other", "dbname": "another", "password": "p"}, {"user": "other", "dbname": "another", "password": "p"}),
        ({"client_encoding": "utf-8"}, {"client_encoding": "UTF8"}),
        ({"sslcert": None, "sslkey": ""}, {"user": "me"}),
    ],
)  # fmt: skip
def test_all_that_libpq_knows_is_passed(extra, expected):
    found = given(Connection("w", host="db", port=5, login="me", schema="shop", extra=extra))
    assert {name: found.get(name) for name in expected} == expected
    assert found["client_encoding"] == "UTF8"


def test_every_word_of_libpq_is_known_to_both_drivers():
    for keyword in keywords() - {"replication", "client_encoding", "service"}:
        with pytest.raises(DriverError) as caught:
            dbapi.connect(f"host=/nowhere {keyword}=''" if keyword != "host" else "host=/nowhere")
        assert "invalid connection option" not in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"sslmod": "require"}, "the option `sslmod` in its extra.*did you mean `sslmode`?"),
        ({"database": "x"}, "did you mean `dbname`"),
        ({"search_path": "crm"}, "did you mean `options=-c search_path=…`"),
        ({"wibble": 1}, "`wibble`.*Take it out"),
        ({"client_encoding": "LATIN1"}, "always speak UTF-8"),
        ({"replication": "database"}, "a connection for replication takes no queries"),
        ({"iam": True}, "tokens of AWS or Azure are not fetched"),
        ({"redshift": "true"}, "Redshift is no Postgres"),
        ({"sqlalchemy_query": {"sslmode": "require"}}, "put what is in it into the extra itself"),
        ({"sslmode": ["require"]}, "no text and no whole number"),
        ({"sslcert": "a\0b"}, "a null character"),
    ],
)
def test_what_cannot_be_passed_is_refused_by_name(extra, said):
    with pytest.raises(ConnectionOptionError, match=said):
        Connection("w", host="db", extra=extra).dsn(application="test")


@pytest.mark.parametrize("field", ["host", "login", "password", "schema"])
def test_a_null_character_does_not_cut_off_what_stands_behind_it(field):
    cut = replace(Connection("w", host="db", schema="shop"), **{field: "a\0b"})
    with pytest.raises(ConnectionUnreadableError, match="a null character") as caught:
        cut.dsn(application="test")
    assert "a\0b" not in str(caught.value)


def test_a_name_that_is_none_may_be_a_part_of_a_password_and_is_not_shown():
    with pytest.raises(ConnectionOptionError) as caught:
        Connection("w", host="db", extra={f"{SECRET}@db/shop": ""}).dsn(application="test")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("name", ["cursor", "sqlalchemy_scheme", "aws_conn_id", "azure_conn_id", "cluster-identifier"])
def test_what_is_meant_for_airflows_own_hook_is_passed_over(name):
    assert name not in given(Connection("w", host="db", extra={name: "x", "iam": False}))


def test_without_a_host_both_drivers_look_at_the_same_sockets(monkeypatch):
    monkeypatch.delenv("PGHOST", raising=False)
    assert given(Connection("w", schema="shop"))["host"] == "/var/run/postgresql,/tmp"
    for name in ("PGHOST", "PGHOSTADDR", "PGSERVICE"):
        monkeypatch.setenv(name, "elsewhere")
        assert "host" not in given(Connection("w", schema="shop"))
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ("-c search_path=crm,public", {"search_path": "crm,public"}),
        ("-csearch_path=crm --Work-Mem=64MB", {"search_path": "crm", "work_mem": "64MB"}),
        (r"-c search_path=my\ schema\\x", {"search_path": r"my schema\x"}),
        ("-c app.tenant=5 -e -c", {"app.tenant": "5"}),
        ("-c x;drop=1", {}),
        ("", {}),
    ],
)
def test_options_are_read_as_the_server_reads_them(options, settings):
    assert asked_settings(options) == settings


@pytest.fixture
def filled(new_database):
    made = new_database("options")
    with psycopg.connect(made.dsn(application="test"), autocommit=True) as database:
        database.execute("create table users (id bigint); insert into users select generate_series(1, 3)")
        database.execute("create schema crm; create table crm.users (id bigint)")
        database.execute("insert into crm.users select generate_series(1, 5)")
    return made


@pytest.mark.integration
def test_a_search_path_has_its_effect_in_both_drivers(filled):
    crm = replace(filled, extra={"options": "-c search_path=crm"})
    with Warehouse(crm, application="test") as warehouse:
        assert warehouse.table("select count(*) as n from users").to_pylist() == [{"n": 5}]
    with Glance(crm) as glance:
        assert glance.ask("select count(*) from users") == [(5,)]
        assert glance.relation("users") is not None
    with Ledger(crm) as ledger, ledger.bulk.cursor() as cursor:
        assert one(ledger, "select count(*) as n from users").n == 5
        cursor.execute("select count(*) from users")
        assert cursor.fetchone() == (5,)


@pytest.mark.integration
def test_options_do_not_change_how_the_ledger_and_its_drivers_understand_one_another(filled):
    loose = replace(filled, extra={"options": "-c datestyle=German -c client_encoding=LATIN1 -c bytea_output=escape"})
    query = "select current_setting('client_encoding') as e, current_setting('datestyle') as d, length('ü€') as n"
    with Ledger(loose) as ledger, ledger.bulk.cursor() as cursor:
        assert tuple(one(ledger, query)) == ("UTF8", "ISO, MDY", 2)
        assert one(ledger, "select now() as at").at.tzinfo is not None
        cursor.execute(query)
        assert cursor.fetchone() == ("UTF8", "ISO, MDY", 2)


@pytest.mark.integration
def test_options_do_not_override_what_keeps_the_warehouse_safe(filled):
    wanted = "-c default_transaction_read_only=off -c transaction_read_only=off -c statement_timeout=0 -c timezone=Asia/Tokyo"
    loose = replace(filled, extra={"options": f"{wanted} -c datestyle=German -c client_encoding=LATIN1"})
    names = ("transaction_read_only", "statement_timeout", "timezone", "datestyle", "client_encoding")
    columns = ", ".join(f"current_setting('{name}') as {name}" for name in names)
    query = f"select {columns}"
    with Warehouse(loose, application="test") as warehouse:
        assert tuple(warehouse.table(query).to_pylist()[0].values()) == ("on", "30min", "UTC", "ISO, MDY", "UTF8")
        with pytest.raises(WarehouseQueryError, match="read-only"):
            warehouse.table("create table x ()")
    with Glance(loose) as glance:
        assert tuple(glance.ask(query)[0]) == ("on", "20s", "UTC", "ISO, MDY", "UTF8")
        assert glance.ask("delete from users").sqlstate == "25006"


@pytest.mark.integration
def test_the_second_of_several_hosts_is_found_by_both_drivers(filled):
    ports = f"1,{filled.port}"
    several = replace(filled, host=f"/nowhere,{filled.host}", port=None, extra={"port": ports})
    with Warehouse(several, application="test") as warehouse, Glance(several) as glance:
        assert warehouse.table("select count(*) as n from users").to_pylist() == [{"n": 3}]
        assert glance.ask("select count(*) from users") == [(3,)]


@pytest.mark.integration
def test_a_service_is_found_with_all_that_its_file_says(filled, tmp_path, monkeypatch):
    lines = f"[shop]\nhost={filled.host}\nport={filled.port}\nuser=postgres\ndbname={filled.schema}\noptions=-c search_path=crm\n"
    (tmp_path / "services").write_text(lines)
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    shop = Connection("w", extra={"service": "shop"})
    with Warehouse(shop, application="test") as warehouse, Glance(shop) as glance:
        assert warehouse.table("select count(*) as n from users").to_pylist() == [{"n": 5}]
        assert glance.ask("select count(*) from users") == [(5,)]
    assert "of the service `shop`" in shop.place
    monkeypatch.setenv("PGSERVICE", "shop")
    with Warehouse(replace(shop, extra={}), application="test") as warehouse:
        assert warehouse.table("select count(*) as n from users").to_pylist() == [{"n": 5}]


@pytest.mark.integration
@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"channel_binding": "require"}, "do not agree about `channel_binding`"),
        ({"require_auth": "scram-sha-256"}, "another login method than `require_auth`"),
        ({"service": "nope"}, "in no service file"),
        ({"sslmode": "wibble"}, "libpq does not take the value of `sslmode`"),
        ({"target_session_attrs": "wibble"}, "libpq does not take the value of `target_session_attrs`"),
        ({"gssencmode": "require"}, "the encryption that `gssencmode` asks for"),
        ({"requirepeer": "wibble"}, "`requirepeer`"),
        ({"port": "99999"}, "the port is no port number"),
        ({"options": "-c wibble=1"}, "a setting that the server does not know"),
        ({"options": "-c"}, "not written as the server reads it"),
        ({"options": "search_path=crm"}, "not written as the server reads it"),
        ({"options": "-c search_path"}, "a setting without a value"),
        ({"options": "-c work_mem=wibble"}, "a value that the server does not take"),
        ({"dbname": "wibble"}, "there is no such database"),
        ({"dbname": 'wib\nble "x"'}, "there is no such database"),
        ({"user": "wibble"}, "there is no such login"),
        ({"user": "wib\nble"}, "there is no such login"),
    ],
)
def test_what_a_person_must_correct_is_not_tried_again_and_told_alike(filled, extra, words):
    wrong = replace(filled, extra=extra)
    with pytest.raises(WarehouseClosedError, match=words) as run:
        Warehouse(wrong, application="test")
    with pytest.raises(WarehouseUnreachableError, match=words) as check:
        Glance(wrong)
    assert run.value.remedy == check.value.remedy != ""


@pytest.mark.integration
def test_a_standby_that_is_none_may_become_one(filled):
    with pytest.raises(WarehouseTransientError, match="`target_session_attrs`"):
        Warehouse(replace(filled, extra={"target_session_attrs": "standby"}), application="test")


@pytest.mark.parametrize(
    ("said", "passing"),
    [
        ("FATAL:  Passwort-Authentifizierung für Benutzer »x« fehlgeschlagen", False),
        ('FATAL:  password authentication failed for user "x"', False),
        ('FATAL:  no pg_hba.conf entry for host "::1", user "x", database "y", no encryption', False),
        ("FATAL:  the database system is starting up", True),
        ("FATAL:  the database system is not yet accepting connections", True),
        ("FATAL:  sorry, too many clients already", True),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", True),
        ("FATAL:  query_wait_timeout", True),
        ("FATAL:  terminating connection due to administrator command", True),
        ('could not translate host name "x" to address: Name or service not known', True),
        ("SSL error: certificate verify failed", False),
        ('private key file "/k" has group or world access', False),
        ("server does not support SSL, but SSL was required", False),
        ("server closed the connection unexpectedly", True),
    ],
)
def test_a_refusal_that_is_not_known_to_pass_is_not_tried_again(said, passing):
    assert fault(psycopg.OperationalError(f"connection failed: {said}")).passing is passing

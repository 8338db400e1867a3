"""What an Airflow connection says reaches libpq whole, for psycopg and ADBC alike, or is refused by its name."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace

import psycopg
import pytest
import requests
from adbc_driver_manager import Error as DriverError
from adbc_driver_postgresql import dbapi
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.bases.secrets_backend import BaseSecretsBackend
from airflow.sdk.execution_time import supervisor
from airflow.secrets.environment_variables import EnvironmentVariablesBackend
from airflow.secrets.local_filesystem import LocalFilesystemBackend
from psycopg.conninfo import conninfo_to_dict
from tests.ledger.records import one
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from audiences.connection_texts import misread, of_environment, plainly
from audiences.connections import Connection, look_up, without_places
from audiences.errors import ConnectionMissingError, ConnectionUnreadableError, FixAccessError, SecretsBackendError
from audiences.facebook.classify import CallContext, error_for_exception
from audiences.facebook.credentials import Credentials
from audiences.facebook.graph_errors import ConnectionIncompleteError
from audiences.ledger.database import Ledger
from audiences.libpq import ConnectionOptionError, asked_settings, keywords
from audiences.warehouse.catalog.reflect import Glance, WarehouseUnreachableError
from audiences.warehouse.driver_errors import fault
from audiences.warehouse.reader import Warehouse, WarehouseClosedError, WarehouseQueryError, WarehouseTransientError
from audiences.warehouse.transaction_settings import TransactionSettings, WarehouseSettingError

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


@pytest.mark.parametrize(
    "uri",
    [
        f"postgresql://me:{SECRET}#1@db:5432/shop",
        f"postgresql://me:12#{SECRET}@db:5432/shop",
        f"postgresql://me:{SECRET}/1@db:5432/shop",
        f"postgresql://me:12/{SECRET}@db:5432/shop",
        f"postgresql://me:12?{SECRET}@db:5432/shop",
        f"postgresql://me:{SECRET}@[db:5432/shop",
        f"postgresql://me:{SECRET}@db:port/shop",
        f"postgresql://me:{SECRET}",
        f"mysql://me:{SECRET}@db:port/shop",
        f"{SECRET} plain",
        f"{SECRET}:plain",
        f"me@{SECRET}",
        f"a {SECRET}://db",
        f' {{"uri": "postgresql://me:12#{SECRET}@db/shop"}} ',
        '{"conn_type": "postgres", "password": "S3cret"',
        '{"conn_type": "postgres", "password": "S3cret", "extra": "no json"}',
        '{"conn_type": "postgres", "password": "S3cret", "extra": "[1]"}',
    ],
)
def test_a_connection_that_cannot_be_read_is_not_said_to_be_missing(monkeypatch, caplog, uri):
    monkeypatch.setenv("AIRFLOW_CONN_UNREADABLE", uri)
    with pytest.raises(ConnectionUnreadableError, match="is there, but cannot be read") as caught:
        look_up("unreadable")
    assert SECRET not in str(caught.value) + caplog.text
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ("mysql://me:S3cret@db/shop", "mysql"),
        ("my_sql://me:S3cret@db/shop", "my_sql"),
        ("http://db:5432/shop", "http"),
        ('{"conn_type": "sqlite", "host": "db"}', "sqlite"),
        ('{"uri": "mssql+pyodbc://db/shop"}', "mssql+pyodbc"),
        ("redshift://db/shop", "redshift"),
        ("mysql-\x1b[2J\n://db/shop", None),
    ],
)
def test_a_connection_to_something_else_is_refused_by_its_type_and_not_tried_again(monkeypatch, stated, kind):
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", stated)
    for opening in (lambda found: Warehouse(found, application="test"), Glance, Ledger):
        with pytest.raises(FixAccessError) as caught:
            opening(look_up("other"))
        assert f"is of the type `{kind}`" in str(caught.value) if kind else "cannot be read" in str(caught.value)
        assert SECRET not in str(caught.value)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "POSTGRESQL", "postgresql+psycopg2", "generic"])
def test_the_types_that_mean_postgres_are_taken(monkeypatch, scheme):
    monkeypatch.setenv("AIRFLOW_CONN_SAME", f"{scheme}://me@db/shop")
    assert given(look_up("same"))["dbname"] == "shop"
    monkeypatch.setenv("AIRFLOW_CONN_SAME", '{"host": "db", "schema": "shop"}')
    assert given(look_up("same"))["dbname"] == "shop"


def test_no_password_of_a_database_goes_to_facebook_as_a_token(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_MIXED_UP", f"postgres://me:{SECRET}@db/shop?app_id=1&account_id=act_1")
    with pytest.raises(ConnectionIncompleteError, match="is of the type `postgres`"):
        Credentials.from_connection(look_up("mixed_up"))
    for scheme in ("facebook-social", "facebook_social", "http", "generic"):
        monkeypatch.setenv("AIRFLOW_CONN_MIXED_UP", f"{scheme}://?access_token={SECRET}&account_id=act_1")
        assert Credentials.from_connection(look_up("mixed_up")).access_token == SECRET


def test_an_extra_that_is_no_json_is_told_without_a_traceback(monkeypatch, capfd, caplog):
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", '{"conn_type": "postgres", "host": "db", "extra": "{broken"}')
    with pytest.raises(ConnectionUnreadableError, match="its extra is no JSON object"):
        look_up("broken")
    assert "Traceback" not in "".join(capfd.readouterr()) + caplog.text
    assert caplog.records == []


READ_ALIKE = (
    "postgresql://me:p%40ss%2Fword@db.Internal:5432/shop?sslmode=require&options=-c%20search_path%3Dcrm",
    "postgres://%2Fvar%2Frun%2FPG/shop",
    "POSTGRESQL://me@DB/shop",
    "postgresql+psycopg2://me@db/",
    "postgresql://me:@db",
    "postgresql://:only-password@db:5432",
    "postgresql:///shop?host=%2Frun%2Fpg&empty=",
    "postgresql://[::1]:5432/shop",
    "facebook-social://?access_token=S3cret&app_id=1",
    "facebook_social://?access_token=S3cret",
    "generic://me@db/a%2Fb?__extra__=%7B%22a%22%3A+%5B1%5D%7D",
    " postgresql://me@db/shop ",
    '{"conn_type": "postgresql", "host": "db", "port": "5432", "login": "me", "password": "p", "schema": "shop"}',
    '{"conn_type": "facebook-social", "extra": {"access_token": "S3cret", "n": [1, null]}}',
    '{"host": "db", "port": 0, "extra": "{\\"a\\": 1}", "description": "ours"}',
    '{"uri": "postgresql://me:p@db:5432/shop?a=b"}',
    "{}",
)


@pytest.mark.parametrize("stated", READ_ALIKE)
def test_without_airflow_a_text_is_read_as_airflow_reads_it(monkeypatch, stated):
    monkeypatch.setenv("AIRFLOW_CONN_ALIKE", stated)
    theirs, ours = AirflowConnection.get("alike"), plainly(stated.strip())
    assert ours is not None
    assert {name: getattr(theirs, name) for name in asdict(ours)} == asdict(ours)


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "postgresql://http://db/shop",
        "http://a://b://c",
        "postgresql://db:port/shop",
        "postgresql://db#1/shop",
        '{"uri": "postgresql://db/shop", "host": "db"}',
        '{"conn_type": "postgres", "port": "many"}',
        '{"conn_type": "postgres", "hots": "db"}',
        '{"conn_type": "postgres", "host": 7}',
        '{"conn_type": 7}',
        "[1]",
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_airflow(stated):
    assert plainly(stated) is None


@pytest.fixture
def outside(monkeypatch, tmp_path):
    """A process in which nobody has imported Airflow, and an Airflow of its own without settings."""
    monkeypatch.delitem(sys.modules, "airflow")
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    monkeypatch.delenv("AIRFLOW_CONFIG", raising=False)
    monkeypatch.setenv("AIRFLOW_CONN_KEPT", "postgresql://me@db/shop")
    return tmp_path / "airflow.cfg"


def test_the_environment_is_read_without_airflow_where_airflow_would_look_there_first(outside):
    assert of_environment("kept") == "postgresql://me@db/shop"
    outside.write_text("[secrets]\n# backend = x.Y\nbackend =\n\nuse_cache = True\n[celery]\nresult_backend = db\n")
    assert of_environment("kept")
    assert of_environment("elsewhere") == ""
    assert of_environment("team___kept") == ""


@pytest.mark.parametrize(
    "said",
    [
        "[secrets]\nbackend = x.Y\n",
        "[secrets]\n  Backend = x.Y\n",
        "[secrets]\nbackend =\n\n  x.Y\n",
        "[secrets]\nbackend\xa0= x.Y\n",
        "[secrets]\nBACKEND_CMD = echo x.Y\n",
        "[workers]\nsecrets_backend: x.Y\n",
        b"\xff",
    ],
)
def test_airflow_is_asked_where_its_file_names_a_secrets_backend_or_cannot_be_read(outside, said):
    outside.write_bytes(said if isinstance(said, bytes) else said.encode())
    assert of_environment("kept") == ""


@pytest.mark.parametrize("name", ["AIRFLOW__SECRETS__BACKEND", "AIRFLOW__WORKERS__SECRETS_BACKEND_CMD"])
def test_airflow_is_asked_where_the_environment_names_a_secrets_backend(outside, monkeypatch, name):
    monkeypatch.setenv(name, "x.Y")
    assert of_environment("kept") == ""


def test_airflow_is_asked_where_it_is_there_already(outside, monkeypatch):
    monkeypatch.setitem(sys.modules, "airflow", sys)
    assert of_environment("kept") == ""


class Vault(BaseSecretsBackend):
    """A secrets backend of somebody else's, which has texts."""

    def __init__(self, said):
        self.said = said
        self._set_connection_class(AirflowConnection)

    def get_conn_value(self, conn_id, team_name=None):
        if isinstance(self.said, Exception):
            raise self.said
        return self.said if conn_id == "kept" else None


@pytest.fixture
def vault(monkeypatch):
    def install(said, *, instead=()):
        backends = [*instead, Vault(said), EnvironmentVariablesBackend()]
        monkeypatch.setattr(supervisor, "ensure_secrets_backend_loaded", lambda: backends)

    return install


@pytest.mark.parametrize(
    "uri",
    [
        f"postgresql://me:{SECRET}#1@db:5432/shop",
        f"postgresql://me:12#{SECRET}@db:5432/shop",
        f"postgresql://me:12/{SECRET}@db:5432/shop",
        f"postgresql://me:12?{SECRET}@db:5432/shop",
        f"postgresql://me:{SECRET}@db:port/shop",
        f"{SECRET} plain",
        '{"conn_type": "postgres", "password": "S3cret"',
    ],
)
def test_a_connection_of_a_secrets_backend_that_cannot_be_read_is_not_said_to_be_missing(vault, caplog, uri):
    vault(uri)
    with pytest.raises(ConnectionUnreadableError, match="is there, but cannot be read") as caught:
        look_up("kept")
    assert SECRET not in str(caught.value) + caplog.text
    with pytest.raises(ConnectionMissingError):
        look_up("nowhere")


def test_a_secrets_backend_that_fails_is_not_a_connection_that_is_missing(vault, monkeypatch):
    vault(TimeoutError(SECRET))
    with pytest.raises(SecretsBackendError, match=r"`Vault` failed \(`TimeoutError`\)") as caught:
        look_up("kept")
    assert SECRET not in str(caught.value)
    monkeypatch.setenv("AIRFLOW_CONN_KEPT", "postgresql://me@db/shop")  # where Airflow looks next
    assert look_up("kept").schema == "shop"


def test_a_file_of_connections_that_cannot_be_read_is_not_a_connection_that_is_missing(vault, tmp_path):
    file = tmp_path / "connections.yaml"
    backend = LocalFilesystemBackend(connections_file_path=str(file))
    vault(None, instead=[backend])
    file.write_text("kept: postgresql://me@db:port/shop\n")
    with pytest.raises(SecretsBackendError, match="`LocalFilesystemBackend` failed"):
        look_up("kept")
    file.write_text("kept: postgresql://me@db/shop\n")
    assert look_up("kept").schema == "shop"


@pytest.mark.parametrize(
    "uri", [f"postgresql://me:12/{SECRET}@db:5432/shop", f"postgresql://me:12?{SECRET}@db:5432/shop"]
)
def test_a_uri_that_airflow_took_apart_wrongly_before_it_stored_it_is_told(vault, uri):
    class Stored(BaseSecretsBackend):
        """As Airflow's database, and the API through which workers ask it: fields only."""

        def get_connection(self, conn_id, team_name=None):
            return AirflowConnection.from_uri(uri, conn_id)

    vault(None, instead=[Stored()])
    with pytest.raises(ConnectionUnreadableError, match="raw `/` or `\\?`") as caught:
        look_up("kept")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("host", [f"postgresql://me:{SECRET}@db", "tcp://db"])
def test_a_uri_in_the_field_for_the_host_is_refused(host):
    with pytest.raises(ConnectionUnreadableError, match="its host is a whole URI") as caught:
        Connection("w", host=host).dsn(application="test")
    assert SECRET not in str(caught.value)


def test_a_connection_that_is_nowhere_is_missing(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_NOWHERE", raising=False)
    with pytest.raises(ConnectionMissingError):
        look_up("nowhere")


def test_a_uri_reaches_the_dsn_whole(monkeypatch):
    uri = "postgresql://me:p%2F%23w@/shop?host=%2Frun%2Fpg&options=-c%20search_path%3Dcrm&sslmode=prefer"
    monkeypatch.setenv("AIRFLOW_CONN_WHOLE", uri)
    found = look_up("whole")
    assert given(found) | {"host": "/run/pg", "password": "p/#w", "sslmode": "prefer"} == given(found)
    assert found.settings == {"search_path": "crm"}
    assert "p/#w" not in f"{found!r}{found.place}"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"host": "db.internal"},
        {"host": "db.internal", "port": 5432, "schema": "shop"},
        {"host": "one, two", "extra": {"port": "1,2"}},
        {"host": "::1", "port": 5432},
        {"port": 5433, "schema": "a `quoted` name"},
        {"extra": {"service": "shop in `crm`"}},
        {"extra": {"hostaddr": "10.0.0.7", "service": "s", "dbname": "d"}, "port": 1},
    ],
    ids=str,
)
def test_the_place_of_a_database_can_be_taken_out_of_a_text(given):
    found = Connection("warehouse", **given)
    told = f"it does not answer ({found.place}). The {found.place}; twice"
    assert without_places(told) == (
        "it does not answer (the Airflow connection `warehouse`). The the Airflow connection `warehouse`; twice"
    )


def test_the_place_of_a_graph_host_of_ones_own_can_be_taken_out_of_a_text():
    context = CallContext("send rows", "1", graph_url="http://10.0.0.7:8090")
    nobody = NewConnectionError(HTTPConnection("10.0.0.7"), "refused")
    told = str(error_for_exception(requests.ConnectionError(nobody), context))
    assert "http://10.0.0.7:8090, the `graph_url`" in told
    assert without_places(told).startswith("send rows: nothing answers at the `graph_url` of the connection; start")


def test_a_uri_of_several_hosts_and_ports_is_read_by_libpq(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SEVERAL", "postgresql://me:pw@one:5432,two:5433/shop?target_session_attrs=any")
    assert given(look_up("several")) | {"host": "one,two", "port": "5432,5433", "user": "me"} == given(
        look_up("several")
    )


def test_plain_uris_are_read_as_they_were_meant():
    for uri in ("postgresql://me@db/shop", "postgresql://me:p@ss@db/shop", "postgresql:///shop?password=a@b", ""):
        assert misread(uri) == ""


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


def test_a_setting_that_has_not_come_about_is_refused():
    terms = TransactionSettings("UTC", "20s", snapshot=True)
    right = [value for _, value in terms.wanted]
    terms.ensure(right, place="here")
    for number, (name, _) in enumerate(terms.wanted):
        with pytest.raises(WarehouseSettingError, match=f"`{name}`"):
            terms.ensure([*right[:number], "wibble", *right[number + 1 :]], place="here")

"""A connection is found where Airflow has it, and told from one that is missing, broken or of another kind."""

from __future__ import annotations

import pytest
import requests
from airflow.sdk import Connection as AirflowConnection
from airflow.sdk.bases.secrets_backend import BaseSecretsBackend
from airflow.sdk.execution_time import supervisor
from airflow.secrets.environment_variables import EnvironmentVariablesBackend
from airflow.secrets.local_filesystem import LocalFilesystemBackend
from tests.test_libpq import given
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError

from audiences.connections import Connection, look_up, without_places
from audiences.errors import ConnectionMissingError, ConnectionUnreadableError, FixAccessError, SecretsBackendError
from audiences.facebook.classify import CallContext, error_for_exception
from audiences.facebook.credentials import Credentials
from audiences.facebook.graph_errors import ConnectionIncompleteError
from audiences.ledger.database import Ledger
from audiences.warehouse.catalog.reflect import Glance
from audiences.warehouse.reader import Warehouse

SECRET = "S3cret"


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

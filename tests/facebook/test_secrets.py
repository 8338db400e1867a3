"""No token, app secret, proof or password is in a repr, a traceback with local variables, or a log at DEBUG."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from rich.traceback import Traceback
from tests.facebook.scripted import TOKEN, Answer

from audiences.connections import Connection, look_up, opened
from audiences.errors import ConnectionUnreadableError
from audiences.facebook.classify import CallContext
from audiences.facebook.credentials import Credentials
from audiences.ledger.database import Ledger
from audiences.warehouse.catalog.reflect import Glance
from audiences.warehouse.reader import Warehouse

if TYPE_CHECKING:
    from tests.facebook.scripted import ScriptedGraph

    from audiences.facebook.session import GraphSession

pytestmark = pytest.mark.integration
APP_SECRET, PASSWORD = "app-secret", "pass-word-of-the-database"


def shown(error: BaseException) -> str:
    """The traceback as rich shows it, with every local variable but those of the test itself."""
    assert error.__traceback__ is not None
    text = io.StringIO()
    traceback = Traceback.from_exception(
        type(error),
        error,
        error.__traceback__.tb_next,
        show_locals=True,
        locals_max_string=None,
        locals_max_length=None,
    )
    Console(file=text, width=300).print(traceback)
    return text.getvalue()


def secrets(graph: GraphSession) -> list[str]:
    return [TOKEN, APP_SECRET, str(graph.credentials.appsecret_proof)]


REFUSED = {"error": {"code": 100, "message": f"Malformed access token {TOKEN}"}}
THROTTLED = {"error": {"code": 80003, "message": "too many calls"}}


@pytest.mark.parametrize(
    "answer",
    [Answer(drop=True), Answer(cut=True), Answer(status=400, body=REFUSED), Answer(status=400, body=THROTTLED)],
    ids=["no answer", "half an answer", "refused", "throttled"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_traceback_with_local_variables_shows_no_secret(
    scripted: ScriptedGraph, graph: GraphSession, answer: Answer, method: str
) -> None:
    scripted.play(answer)
    with pytest.raises(Exception) as caught:  # noqa: PT011  # of several classes; what is shown is the same for all
        graph.call(method, "7/users", action="add", body=b"{}" if method == "POST" else None)
    text = shown(caught.value)
    assert "_attempt" in text
    for secret in secrets(graph):
        assert secret not in text


def test_an_interruption_in_the_middle_of_a_request_shows_none_either(
    graph: GraphSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("urllib3.connection.HTTPConnection.getresponse", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        graph.get("7")
    text = shown(caught.value)
    for secret in secrets(graph):
        assert secret not in text


def test_the_log_of_the_http_library_has_no_secret(
    scripted: ScriptedGraph, graph: GraphSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    graph.get("debug_token", {"input_token": TOKEN, "fields": "id"})
    graph.call("POST", "7/users", body={"payload": {}}, action="add")
    library = [record for record in caplog.records if record.name == "urllib3.connectionpool"]
    assert any("appsecret_proof=…" in record.getMessage() for record in library)
    assert "/7/users" in caplog.text
    for secret in secrets(graph):
        assert secret not in caplog.text
    assert f"appsecret_proof={graph.credentials.appsecret_proof}" in scripted.seen[0].path, "Facebook gets it"


def test_reprs_show_no_secret(graph: GraphSession) -> None:
    connection = Connection("c", password=PASSWORD, extra={"access_token": TOKEN, "app_secret": APP_SECRET})
    context = CallContext("read", "42", graph.credentials.secrets)
    text = f"{graph!r} {graph.credentials!r} {connection!r} {context!r}"
    for secret in (*secrets(graph), PASSWORD):
        assert secret not in text


def test_a_connection_that_is_incomplete_shows_no_secret() -> None:
    extra = {"access_token": TOKEN, "app_secret": APP_SECRET, "account_id": "x"}
    with pytest.raises(Exception) as caught:  # noqa: PT011  # what is shown matters here
        Credentials.from_connection(Connection("facebook_main", password=PASSWORD, extra=extra))
    assert not [each for each in (TOKEN, APP_SECRET, PASSWORD) if each in shown(caught.value)]


@pytest.mark.parametrize("driver", ["psycopg", "adbc"])
def test_a_database_that_cannot_be_reached_shows_no_password(driver: str) -> None:
    import psycopg
    from adbc_driver_postgresql import dbapi

    connection = Connection("ledger", host="127.0.0.1", port=9, login="jane", password=PASSWORD, schema="x")
    connect: Any = psycopg.connect if driver == "psycopg" else dbapi.connect
    with pytest.raises(Exception) as caught:  # noqa: PT011  # of either driver
        opened(lambda: connect(connection.dsn(application="test")))
    text = shown(caught.value)
    assert "opened" in text
    assert PASSWORD not in text


def _warehouse(connection: Connection) -> None:
    Warehouse(connection, application="test")


def _glance(connection: Connection) -> None:
    Glance(connection)


def _ledger(connection: Connection) -> None:
    Ledger(connection)


@pytest.mark.parametrize("opens", [_warehouse, _glance, _ledger])
@pytest.mark.parametrize("extra", [{}, {"password": PASSWORD, "wibble": "x"}, {f"{PASSWORD}@db/x": ""}])
def test_a_connection_that_is_refused_shows_no_password(opens: Any, extra: dict[str, Any]) -> None:
    connection = Connection("w", host="127.0.0.1", port=9, password=PASSWORD, schema="x", extra=extra)
    with pytest.raises(Exception) as caught:  # noqa: PT011  # of any of the three
        opens(connection)
    assert PASSWORD not in shown(caught.value)


@pytest.mark.parametrize(
    "uri",
    [f"postgresql://me:{PASSWORD}#1@db/shop", f"postgresql://me:{PASSWORD}", f"postgresql://me:{PASSWORD}@[db/shop"],
)
def test_a_connection_that_cannot_be_read_shows_no_password(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UNREADABLE", uri)
    with pytest.raises(ConnectionUnreadableError) as caught:
        look_up("unreadable")
    assert PASSWORD not in shown(caught.value)


def test_a_whole_uri_in_place_of_the_host_shows_no_password() -> None:
    assert PASSWORD not in Connection("w", host=f"postgresql://me:{PASSWORD}@db", schema="shop").place

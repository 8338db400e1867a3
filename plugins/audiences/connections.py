"""The one look-up of Airflow connections, and what warehouse, ledger and Facebook need to know of them."""

from __future__ import annotations

import logging
import re
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from audiences import connection_texts, libpq
from audiences.connection_texts import NEITHER, misread
from audiences.errors import ConnectionMissingError, ConnectionUnreadableError, SecretsBackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.bases.secrets_backend import BaseSecretsBackend

    from audiences.connection_texts import ConnectionParts

Opened = TypeVar("Opened")
_BEFORE_HOST = re.compile(r"(?<= at )\S*@")  # of a whole URI in the field for the host, with login and password
_LOCAL = "the local socket"
# What `place` says before it names the connection; and where Facebook is taken to be, in `facebook.classify`.
_PLACE = re.compile(
    rf"database `[^`]*`(?: at (?:{_LOCAL}|\S+?)(?::\S+?)?)?(?: of the service `[^`]*`)?, (?=the Airflow conn)"
)
_GRAPH = re.compile(r"\S+, (?=the `graph_url` of the conn)")


@dataclass(frozen=True, slots=True)
class Connection:
    """An Airflow connection as plain values; its `repr` shows no secret."""

    id: str
    host: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    schema: str | None = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False)
    type: str | None = None

    @property
    def place(self) -> str:
        """Where a database is and which connection says so, for people; `without_places` takes it out of a text again."""
        known = {name: self.extra.get(name) or value for name, value in (("host", self.host), ("port", self.port))}
        database = str(self.extra.get("dbname") or self.schema or "").replace("`", "'")
        service = (libpq.service(self.extra) or "").replace("`", "'")
        where = "".join(str(known["host"] or self.extra.get("hostaddr") or "").split()) or ("" if service else _LOCAL)
        served = f" of the service `{service}`" if service else ""
        at = f" at {where}{':' + str(known['port']) if known['port'] else ''}" if where else ""
        told = f"database `{database}`{at}{served}, the Airflow connection `{self.id}`"
        return _BEFORE_HOST.sub("", "".join(character if character.isprintable() else " " for character in told))

    def dsn(self, *, application: str) -> str:
        """A libpq connection string, for psycopg and ADBC alike, of all that the connection says.

        Raises ConnectionOptionError for an extra that libpq does not know.
        """
        from psycopg.conninfo import make_conninfo

        return make_conninfo("", **libpq.parameters(self, application=application))

    @property
    def settings(self) -> dict[str, str]:
        """The server's settings that `options` ask for, such as `search_path`: the connection's, its service's, or PGOPTIONS.

        They go along when the connection is made, and are set once more inside: a pooler may have dropped them.
        """
        return opened(lambda: libpq.asked_settings(libpq.options_in_force(self.dsn(application=""))))


def without_places(text: str) -> str:
    """`text` without where databases and a Graph host of one's own are: for whoever may not read the connections.

    It names the connections still, by which whoever may read them finds the place.
    """
    return _GRAPH.sub("", _PLACE.sub("", text))


def opened(connect: Callable[[], Opened]) -> Opened:
    """What `connect` makes of a connection's secrets; an error goes on without the frames below.

    Those of a driver hold the connection string, so a traceback that shows local variables would show the password.
    """
    try:
        return connect()
    except Exception as error:  # noqa: BLE001  # it is raised again, whatever it is
        raise error.with_traceback(None) from None


def look_up(connection_id: str) -> Connection:
    """The connection of that id from Airflow's secrets backends, environment or database.

    Raises ConnectionMissingError, ConnectionUnreadableError for one that is there and cannot be read, and SecretsBackendError.
    """
    return opened(lambda: _looked_up(connection_id))


def _looked_up(connection_id: str) -> Connection:
    stated = connection_texts.of_environment(connection_id)
    plain = connection_texts.plainly(stated)
    return _asked_of_airflow(connection_id) if plain is None else _read(connection_id, stated, plain)


def _asked_of_airflow(connection_id: str) -> Connection:
    import_airflow()
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    stated, fault = _stated(connection_id)
    if why := misread(stated):
        raise ConnectionUnreadableError(connection=connection_id, why=why)
    found: AirflowConnection | None = None
    with suppress(AirflowNotFoundException), _without_tracebacks():  # it also says so of one that it cannot read
        found = AirflowConnection.get(connection_id)
    if found is None and stated:
        return _read_by_libpq(connection_id, stated)
    if found is None and fault is not None:
        raise fault
    if found is None:
        raise ConnectionMissingError(connection=connection_id)
    read = _read(connection_id, stated, found)
    _ = found.extra_dejson  # Airflow hides from its logs what it reads there
    if why := "" if stated else _torn(read):
        raise ConnectionUnreadableError(connection=connection_id, why=why)
    return read


def import_airflow() -> None:
    """Import Airflow where that is not done yet. It sends all logs to standard output then; where they go already they stay."""
    if "airflow" in sys.modules:
        return
    root = logging.root
    handlers, level = [*root.handlers], root.level
    import airflow.sdk  # noqa: F401  # for what the import does

    if handlers:
        root.handlers[:] = handlers
        root.setLevel(level)


def _read(connection_id: str, stated: str, found: AirflowConnection | ConnectionParts) -> Connection:
    return Connection(
        id=connection_id,
        # Of a scheme with `_` in it Airflow reads none.
        type=found.conn_type or ("" if stated.startswith("{") else stated.partition("://")[0]) or None,
        host=found.host,
        port=found.port,
        login=found.login,
        password=found.password,
        schema=found.schema,
        extra=_extra(connection_id, found.extra),
    )


def _stated(connection_id: str) -> tuple[str, SecretsBackendError | None]:
    """The connection as somebody wrote it, of the first secrets backend or the environment that has it as a text.

    Empty for one that is nowhere or of which only the fields are kept, as in Airflow's database; then also which backend failed,
    if one did. Airflow itself passes over what fails there.
    """
    from airflow.sdk.execution_time.supervisor import ensure_secrets_backend_loaded

    fault: SecretsBackendError | None = None
    for backend in ensure_secrets_backend_loaded():
        try:
            if stated := _text_of(backend, connection_id):
                return stated, None
        except PermissionError:  # Airflow's own look-up ends with it too, and tells it
            break
        except Exception as error:  # noqa: BLE001  # whatever a backend of others raises
            fault = SecretsBackendError(connection_id, type(backend).__name__, type(error).__name__)
    return "", fault


def _text_of(backend: BaseSecretsBackend, connection_id: str) -> str:
    try:
        return (backend.get_conn_value(conn_id=connection_id) or "").strip()
    except NotImplementedError:  # it has fields only, or reads the text itself
        backend.get_connection(conn_id=connection_id)
        return ""


def _torn(found: Connection) -> str:
    """The same as `misread`, of a URI that was taken apart before it was stored. Of a raw `#` there is no trace then."""
    where = found.host and not found.login and not found.password
    if where and any("@" in text for text in (found.schema or "", *found.extra)):
        return "it looks as if it was made from a URI whose password has a raw `/` or `?` in it"
    return ""


def _read_by_libpq(connection_id: str, stated: str) -> Connection:
    """A URI that libpq can read and Airflow cannot: one with several hosts and ports."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    scheme, _, rest = stated.partition("://")
    if scheme.lower() not in ("postgres", "postgresql"):
        raise ConnectionUnreadableError(connection=connection_id, why=NEITHER)
    try:
        found = conninfo_to_dict(f"postgresql://{rest}")
    except ProgrammingError:  # its words quote the URI
        raise ConnectionUnreadableError(connection=connection_id, why=NEITHER) from None
    if not re.fullmatch(r"[0-9,]*", str(found.get("port") or "")):  # of a URI without a host it is the password
        raise ConnectionUnreadableError(connection=connection_id, why="its port is no number")
    password = found.pop("password", None)
    return Connection(id=connection_id, password=str(password) if password else None, extra=dict(found))


@contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Keep back what Airflow logs of an extra that is no JSON, its reader's traceback: we say the same in words."""
    said = logging.getLogger("airflow.sdk.definitions.connection")  # noqa: TID251  # Airflow's own
    said.addFilter(_no_fault)
    try:
        yield
    finally:
        said.removeFilter(_no_fault)


def _no_fault(record: logging.LogRecord) -> bool:
    return not record.exc_info


def _extra(connection_id: str, text: str | None) -> dict[str, Any]:
    """The extra as a mapping; Airflow would take one that it cannot read for none."""
    import json

    try:
        extra = json.loads(text) if text else {}
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise ConnectionUnreadableError(connection=connection_id, why="its extra is no JSON object")
    return extra

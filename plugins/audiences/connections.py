"""The one look-up of Airflow connections, and what the doors need to know of them."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from audiences.errors import ConnectionMissingError, ConnectionUnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Connection as AirflowConnection

Opened = TypeVar("Opened")
_BEFORE_HOST = re.compile(r"(?<= at )\S*@")  # of a whole URI in the field for the host, with login and password


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

    @property
    def place(self) -> str:
        """Where a database is and which connection says so, for people."""
        known = {name: self.extra.get(name) or value for name, value in (("host", self.host), ("port", self.port))}
        from audiences.libpq import service as service_of

        database, service = self.extra.get("dbname") or self.schema or "", service_of(self.extra)
        where = known["host"] or self.extra.get("hostaddr") or ("" if service else "the local socket")
        served = f" of the service `{service}`" if service else ""
        at = f" at {where}{':' + str(known['port']) if known['port'] else ''}" if where else ""
        told = f"database `{database}`{at}{served}, the Airflow connection `{self.id}`"
        return _BEFORE_HOST.sub("", "".join(character if character.isprintable() else " " for character in told))

    def dsn(self, *, application: str) -> str:
        """A libpq connection string, for psycopg and ADBC alike, of all that the connection says.

        Raises ConnectionOptionError for an extra that libpq does not know.
        """
        from psycopg.conninfo import make_conninfo

        from audiences.libpq import parameters

        return make_conninfo("", **parameters(self, application=application))

    @property
    def settings(self) -> dict[str, str]:
        """The server's settings that `options` ask for, such as `search_path`: the connection's, its service's, or PGOPTIONS.

        They go along when the connection is made, and are set once more inside: a pooler may have dropped them.
        """
        from audiences.libpq import asked_settings, options_in_force

        return opened(lambda: asked_settings(options_in_force(self.dsn(application=""))))


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

    Raises ConnectionMissingError, and ConnectionUnreadableError for one that is there and cannot be read.
    """
    return opened(lambda: _looked_up(connection_id))


def _looked_up(connection_id: str) -> Connection:
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    stated = os.environ.get(f"AIRFLOW_CONN_{connection_id.upper()}", "")
    if why := misread(stated):
        raise ConnectionUnreadableError(connection=connection_id, why=why)
    found: AirflowConnection | None = None
    with suppress(AirflowNotFoundException):  # which it also says of one that it cannot read
        found = AirflowConnection.get(connection_id)
    if found is None and not stated:
        raise ConnectionMissingError(connection=connection_id)
    if found is None:
        return _read_by_libpq(connection_id, stated)
    return Connection(
        id=connection_id,
        host=found.host,
        port=found.port,
        login=found.login,
        password=found.password,
        schema=found.schema,
        extra=_extra(connection_id, found),
    )


def misread(stated: str) -> str:
    """Why a URI would be read as something else than was meant, or nothing; a part of it may be a part of the password."""
    _, there, rest = stated.partition("://")
    if not there or stated.lstrip().startswith("{"):
        return ""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "#" in rest:
        return "it has a raw `#` in it"
    if ":" in authority and "@" not in authority and "@" in rest[len(authority) :]:
        return "its password has a raw `/` or `?` in it"
    return ""


def _read_by_libpq(connection_id: str, stated: str) -> Connection:
    """A URI that libpq can read and Airflow cannot: one with several hosts and ports."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    why = "it is neither a URI nor JSON that Airflow can read"
    scheme, _, rest = stated.partition("://")
    if scheme.lower() not in ("postgres", "postgresql"):
        raise ConnectionUnreadableError(connection=connection_id, why=why)
    try:
        found = conninfo_to_dict(f"postgresql://{rest}")
    except ProgrammingError:  # its words quote the URI
        raise ConnectionUnreadableError(connection=connection_id, why=why) from None
    if not re.fullmatch(r"[0-9,]*", str(found.get("port") or "")):  # of a URI without a host it is the password
        raise ConnectionUnreadableError(connection=connection_id, why="its port is no number")
    password = found.pop("password", None)
    return Connection(id=connection_id, password=str(password) if password else None, extra=dict(found))


def _extra(connection_id: str, found: AirflowConnection) -> dict[str, Any]:
    """The extra as a mapping; Airflow would take one that it cannot read for none."""
    import json

    try:
        extra = json.loads(found.extra) if found.extra else {}
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise ConnectionUnreadableError(connection=connection_id, why="its extra is no JSON object")
    masked: dict[str, Any] = found.extra_dejson  # Airflow hides what it reads there from its logs
    return masked

"""The one look-up of Airflow connections, and what the doors need to know of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from audiences.errors import ConnectionMissingError

if TYPE_CHECKING:
    from collections.abc import Callable

Opened = TypeVar("Opened")


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
        host, port = self.host or "the local socket", f":{self.port}" if self.port else ""
        return f"database `{self.schema or ''}` at {host}{port}, the Airflow connection `{self.id}`"

    def dsn(self, *, application: str, **options: str) -> str:
        """A libpq connection string; `options` become server settings of the session (`statement_timeout="5min"`)."""
        from psycopg.conninfo import make_conninfo

        settings = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in options.items())
        ssl = {name: str(value) for name, value in self.extra.items() if name.startswith("ssl")}
        return make_conninfo(
            host=self.host,
            port=self.port,
            user=self.login,
            password=self.password or None,
            dbname=self.schema,
            application_name=application,
            # Texts are UTF-8 on the way, whatever the database stores: Arrow knows nothing else.
            client_encoding="UTF8",
            connect_timeout=10,
            keepalives_idle=60,
            options=settings or None,
            **ssl,
        )


def opened(connect: Callable[[], Opened]) -> Opened:
    """What `connect` opens by a connection string; an error goes on without the frames of the driver.

    Those hold the string, and with it the password, so a traceback that shows local variables would show it.
    """
    try:
        return connect()
    except Exception as error:  # noqa: BLE001  # it is raised again, whatever it is
        raise error.with_traceback(None) from None


def look_up(connection_id: str) -> Connection:
    """The connection of that id from Airflow's secrets backends, environment or database; raises ConnectionMissingError."""
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        found = AirflowConnection.get(connection_id)
    except AirflowNotFoundException as error:
        raise ConnectionMissingError(connection=connection_id) from error
    return Connection(
        id=connection_id,
        host=found.host,
        port=found.port,
        login=found.login,
        password=found.password,
        schema=found.schema,
        extra=found.extra_dejson,
    )

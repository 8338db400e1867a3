"""What libpq, Postgres's client library, is told of an Airflow connection: all that it knows, and nothing that it does not.

psycopg and ADBC bring a libpq each, and take the same string. An option that neither knows is refused by its name, because
one that is left out in silence leads to another server, another schema or an unencrypted line.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from audiences.campaign.wording import did_you_mean, shown
from audiences.errors import ConnectionUnreadableError, FixAccessError

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_SECONDS: Final = 10
KEEPALIVE_SECONDS: Final = 60
# The two libraries were built with one of these each. Without a host both shall look at the same places.
_SOCKETS: Final = "/var/run/postgresql,/tmp"
_NO_SOCKET: Final = "/dev/null"  # a file, so no socket lies below it

_AIRFLOWS: Final = frozenset(
    {
        *("cursor", "sqlalchemy_scheme", "aws_conn_id", "azure_conn_id", "region_name"),
        *("cluster-identifier", "workgroup-name", "enable_log_db_messages"),
    }
)
"""Extras of Airflow's own Postgres hook. They say nothing of the way to the server, so they are passed over."""
_SWITCHES: Final = {
    "iam": "tokens of AWS or Azure are not fetched; give the connection a login with a password or a certificate",
    "redshift": "Redshift is no Postgres of a version that the product works with",
    "redshift-serverless": "Redshift is no Postgres of a version that the product works with",
}
"""Extras of Airflow's hook that change who or what is spoken to: refused when they are on."""
_NOT_HERE: Final = {
    "sqlalchemy_query": "put what is in it into the extra itself",
    "replication": "a connection for replication takes no queries",
}
_OTHER_WORDS: Final = {
    **dict.fromkeys(("database", "db", "db_name"), "dbname"),
    **dict.fromkeys(("username", "login", "user_name"), "user"),
    **dict.fromkeys(("ssl", "ssl_mode", "tls"), "sslmode"),
    **dict.fromkeys(("ssl_ca", "sslca", "ca", "sslrootca"), "sslrootcert"),
    **dict.fromkeys(("timeout", "login_timeout"), "connect_timeout"),
    **dict.fromkeys(("schema", "search_path", "currentSchema", "currentschema"), "options=-c search_path=…"),
    **dict.fromkeys(("encoding", "charset"), "client_encoding"),
    **dict.fromkeys(("statement_timeout",), "options=-c statement_timeout=…"),
}
# `generic` is what `airflow connections add` makes of a type whose provider is not installed there.
_TYPE = re.compile(r"(?:postgres|postgresql)(?:[+_]\w+)?|generic", re.IGNORECASE)
_UTF_8: Final = frozenset({"utf8", "unicode"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)?")
_WORD = re.compile(r"(?:\\.|[^\s\\])+", re.DOTALL)


class ConnectionFields(Protocol):
    """What an Airflow connection says, field by field; see `connections.Connection`."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str | None: ...
    @property
    def host(self) -> str | None: ...
    @property
    def port(self) -> int | None: ...
    @property
    def login(self) -> str | None: ...
    @property
    def password(self) -> str | None: ...
    @property
    def schema(self) -> str | None: ...
    @property
    def extra(self) -> Mapping[str, Any]: ...


@dataclass(eq=False)
class ConnectionOptionError(FixAccessError):
    """An Airflow connection to Postgres asks for something that cannot be done; `option` is empty where it has no name."""

    connection: str
    option: str
    why: str

    def __str__(self) -> str:
        option = f"the option `{self.option}`" if self.option else "an option"
        return f"the Airflow connection `{self.connection}` has {option} in its extra (or behind the `?` of its URI): {self.why}"


@dataclass(eq=False)
class ConnectionTypeError(FixAccessError):
    """An Airflow connection that should lead to Postgres is of another type."""

    connection: str
    type: str

    def __str__(self) -> str:
        return (
            f"the Airflow connection `{self.connection}` is of the type {shown(self.type)}, where a Postgres is needed: make it "
            "one of the type `postgres`, as JSON or as a URI that begins with `postgresql://`"
        )


def parameters(connection: ConnectionFields, *, application: str) -> dict[str, str]:
    """The connection's fields and extras by libpq's keywords; what the extra says wins, as with libpq and with Airflow.

    `application` is the session's name where the connection has none. Raises ConnectionTypeError, ConnectionOptionError and
    ConnectionUnreadableError.
    """
    if connection.type and not _TYPE.fullmatch(connection.type):
        raise ConnectionTypeError(connection.id, connection.type)
    fields = {
        "host": connection.host,
        "port": connection.port,
        "user": connection.login,
        "password": connection.password,
        "dbname": connection.schema,
    }
    given = {name: str(value) for name, value in fields.items() if value not in (None, "")}
    # It would end the string that the drivers take: what stands behind it, the database say, would be lost in silence.
    if ended := next((name for name, value in given.items() if "\0" in value), None):
        raise ConnectionUnreadableError(connection=connection.id, why=f"its {ended} has a null character in it")
    if "://" in given.get("host", ""):
        raise ConnectionUnreadableError(
            connection=connection.id, why="its host is a whole URI and not the name of a host"
        )
    given |= _extras(connection)
    ours = {
        "fallback_application_name": application,
        # Texts are UTF-8 on the way, whatever the database stores: Arrow knows nothing else.
        "client_encoding": "UTF8",
    }
    if not service(given):  # whose file may have these
        ours |= {"connect_timeout": str(CONNECT_SECONDS), "keepalives_idle": str(KEEPALIVE_SECONDS)}
        if "hostaddr" not in given and not (os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR")):
            ours["host"] = _SOCKETS
    return {**ours, **given}


def asked_settings(options: str) -> dict[str, str]:
    """The server's settings in a text of libpq's `options`: `-c search_path=crm` and its other spellings, by lower-case name.

    A backslash makes the character behind it part of a value. Switches that are no settings are left out.
    """
    words = [re.sub(r"\\(.)", r"\1", word, flags=re.DOTALL) for word in _WORD.findall(options)]
    found: dict[str, str] = {}
    upcoming = iter(words)
    for word in upcoming:
        if word == "-c":
            pair = next(upcoming, "")
        elif word.startswith(("-c", "--")):
            pair = word[2:]
        else:
            continue
        name, equals, value = pair.partition("=")
        name = name.replace("-", "_")
        if equals and _SETTING.fullmatch(name):
            found[name.lower()] = value
    return found


def setting_again(asked: Mapping[str, str], *, local: bool) -> str:
    """A query that makes these settings, for a transaction or a session; empty when there are none.

    What only the start of a session can set is left out: it came with the connection, or was the server's to refuse.
    """
    from psycopg import sql

    if not asked:
        return ""
    rows = (sql.SQL("({}, {})").format(sql.Literal(name), sql.Literal(value)) for name, value in asked.items())
    query = (
        "SELECT pg_catalog.set_config(asked.name, asked.value, {}) FROM (VALUES {}) AS asked (name, value)"
        " LEFT JOIN pg_catalog.pg_settings AS known ON pg_catalog.lower(known.name) = asked.name"
        " WHERE COALESCE(known.context, 'user') IN ('user', 'superuser')"
    )
    return sql.SQL(query).format(sql.Literal(local), sql.SQL(", ").join(rows)).as_string()


def keywords() -> frozenset[str]:
    """All that libpq knows."""
    from psycopg.pq import Conninfo

    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


def _extras(connection: ConnectionFields) -> dict[str, str]:
    known, found = keywords() - _NOT_HERE.keys(), dict[str, str]()
    for name, value in connection.extra.items():
        if name in _AIRFLOWS or (name in _SWITCHES and value in (None, "", False, "false", "False", 0, "0")):
            continue
        if (why := {**_SWITCHES, **_NOT_HERE}.get(name)) is not None:
            raise ConnectionOptionError(connection.id, name, why)
        if name not in known:
            raise ConnectionOptionError(connection.id, name if _NAME.fullmatch(name) else "", _unknown(name, known))
        text = _text(connection.id, name, value)
        if name == "client_encoding" and re.sub(r"[\W_]", "", text).lower() not in _UTF_8 | {""}:
            why = "the product and the server always speak UTF-8, whatever the database stores; leave it out"
            raise ConnectionOptionError(connection.id, name, why)
        if text and name != "client_encoding":
            found[name] = text
    return found


def _unknown(name: str, known: frozenset[str]) -> str:
    """Not the name itself: of a URI with a raw `?` in its password, it is a part of the password."""
    meant = f"; did you mean `{other}`?" if (other := _OTHER_WORDS.get(name)) else did_you_mean(name, sorted(known))
    return f"libpq, Postgres's client library, knows none of this name{meant or '. Take it out, or correct its name'}"


def _text(connection: str, name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if value is None:
        return ""
    if not isinstance(value, str | int) or "\0" in str(value):
        kind = "a text with a null character in it" if isinstance(value, str) else "no text and no whole number"
        raise ConnectionOptionError(connection, name, f"its value is {kind}")
    return str(value)


def service(given: Mapping[str, Any]) -> str:
    """The service, a section of libpq's service file, that these parameters or the environment name; empty without one."""
    return str(given.get("service") or os.environ.get("PGSERVICE", ""))


def options_in_force(dsn: str) -> str:
    """What `options` come to by libpq's own reading: of the string, of the service file, or of the environment.

    libpq tells it of a connection that was begun, so one is begun, to a socket that cannot be there; nothing is waited for.
    """
    from psycopg.conninfo import make_conninfo
    from psycopg.pq import PGconn

    begun = PGconn.connect_start(make_conninfo(dsn, host=_NO_SOCKET, hostaddr="", port="").encode())
    try:
        return next((found.val or b"" for found in begun.info if found.keyword == b"options"), b"").decode()
    finally:
        begun.finish()

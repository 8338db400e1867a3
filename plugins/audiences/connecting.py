"""Why a connection to Postgres did not come about: in words of our own, with whether it may pass, and what a person does.

The client library gives no SQLSTATE for it, only a text that may be in the server's language. What is known to pass is tried
again; a refusal that is not known is not, as a login that is tried again and again with a wrong password gets locked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

REACH: Final = "See that the server is up, and correct the connection's host and port"
LOGIN: Final = "Correct the connection's login and password"
DATABASE: Final = "Correct the connection's schema (the database)"
LET_IN: Final = "Let the login in from this machine, in the server's pg_hba.conf"
TLS: Final = "Correct `sslmode` and the certificates in the connection's extra"
EXTRA: Final = "Correct the connection's extra"
OPTIONS: Final = "Correct `options` in the connection's extra"
SPELT: Final = (
    "Write each setting as `-c name=value` into `options` in the connection's extra, a blank in a value as `\\ `"
)
ROOM: Final = "Give the server or its pooler more connections, or run less at a time"
WAIT: Final = "Wait until it is up"
POOLER: Final = (
    "Let the pooler pass it over (pgbouncer: `ignore_startup_parameters = options`; the product sets it again inside each "
    "transaction), or take `options` out of the connection and say ALTER ROLE … SET instead"
)
POOL_MODE: Final = "Set the pooler's mode to transaction or session (pgbouncer: `pool_mode`)"
UNTOLD: Final = "See the log of the server or its pooler for what it said"
LOST: Final = "the connection failed or was lost"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why there is no connection; `passing` ones may be gone in a moment, for all others `remedy` is needed."""

    words: str
    remedy: str
    passing: bool


# A part of what is said, what it means, and what is to be done. What a person must do comes first: of several servers it is
# told before what is merely down.
_FOR_A_PERSON: Final = (
    ("no password supplied", "the connection has no password", LOGIN),
    ("authentication failed", "the login or the password is wrong", LOGIN),
    ("no such user", "there is no such login", LOGIN),
    ("permission denied for database", "the login may not connect to this database", LET_IN),
    ("is not permitted to log in", "the login may not connect", LET_IN),
    ("no such database", "there is no such database", DATABASE),
    ("not currently accepting connections", "the database accepts no connections", DATABASE),
    ("pg_hba.conf", "the server does not let this login in from here (pg_hba.conf)", LET_IN),
    ("unsupported startup parameter", "the pooler in between refuses `options`", POOLER),
    ("statement pooling mode", "the pooler in between has no transactions", POOL_MODE),
    ("unrecognized configuration parameter", "`options` has a setting that the server does not know", OPTIONS),
    ("invalid value for parameter", "`options` has a value that the server does not take", OPTIONS),
    ("invalid command-line argument", "`options` is not written as the server reads it", SPELT),
    ("requires a value", "`options` has a setting without a value", OPTIONS),
    ("permission denied to set parameter", "`options` has a setting that the login may not change", OPTIONS),
    ("cannot be changed", "`options` has a setting that cannot be changed", OPTIONS),
    ("channel binding", "server and connection do not agree about `channel_binding`", EXTRA),
    ("authentication method requirement", "the server asks for another login method than `require_auth` allows", EXTRA),
    ("requirepeer", "the server runs under another account than `requirepeer` says", EXTRA),
    ("GSSAPI", "the encryption that `gssencmode` asks for cannot be had", EXTRA),
    ("definition of service", "the service that the connection names is in no service file", EXTRA),
    ("service file", "the service file cannot be read", EXTRA),
    ("invalid port number", "the port is no port number", REACH),
    ("could not match", "there are not as many ports or addresses as hosts", REACH),
    ("bad value for", "the extra has a value that libpq does not take", EXTRA),
    ("invalid connection option", "the extra has an option that libpq does not know", EXTRA),
    ("certificate", "the server's certificate, or the connection's, was not accepted", TLS),
    ("private key file", "the key of the connection's certificate cannot be read", TLS),
    ("does not support SSL", "server and connection do not agree about TLS (`sslmode`)", TLS),
    ("sslmode", "server and connection do not agree about TLS (`sslmode`)", TLS),
    ("SSL error", "server and connection do not agree about TLS (`sslmode`)", TLS),
)
_PASSING: Final = (
    ("could not translate host name", "the host's name is not known", REACH),
    ("failed to resolve host", "the host's name is not known", REACH),
    ("Connection refused", "the connection was refused: nothing listens there", REACH),
    ("No such file or directory", "the connection was refused: nothing listens there", REACH),
    ("timeout expired", "no answer in time", REACH),
    ("timed out", "no answer in time", REACH),
    ("query_wait_timeout", "the pooler has no connection to spare", ROOM),
    ("too many", "it has no connection to spare", ROOM),
    ("no more connections", "it has no connection to spare", ROOM),
    ("connection slots", "it has no connection to spare", ROOM),
    ("starting up", "it is starting up or shutting down", WAIT),
    ("shutting down", "it is starting up or shutting down", WAIT),
    ("recovery mode", "it is starting up or shutting down", WAIT),
    ("not yet accepting connections", "it is starting up or shutting down", WAIT),
    ("not accepting connections", "it is starting up or shutting down", WAIT),
    ("session is", "no server of the connection is what `target_session_attrs` asks for", REACH),
    ("hot standby mode", "no server of the connection is what `target_session_attrs` asks for", REACH),
    ("pgbouncer cannot connect", "the pooler does not reach the server", REACH),
    ("server conn crashed", "the pooler lost the server", WAIT),
    ("server_login", "the pooler does not reach the server", REACH),
    ("client_login_timeout", "the pooler does not reach the server", REACH),
    ("terminating connection", "the connection was lost", WAIT),
    ("closed the connection", "the connection was lost", REACH),
    ("the connection is lost", "the connection was lost", REACH),
)
_NO_SUCH = re.compile(r'FATAL: +(role|database) ".*" does not exist', re.DOTALL)  # names may hold line breaks
_NO_SUCH_CAUSES: Final = {
    "role": Cause("there is no such login", LOGIN, passing=False),
    "database": Cause("there is no such database", DATABASE, passing=False),
}
# libpq's own: `invalid sslmode value: "x"`, `invalid integer value "x" for connection option "port"`.
_BAD_VALUE = re.compile(r"(?:\A|: )invalid (?:\"?(\w+)\"? value:|integer value .* for connection option \"(\w+)\")")


def cause(said: str) -> Cause:
    """Why there is no connection, from all that the client library said of it."""
    if match := _NO_SUCH.search(said):
        return _NO_SUCH_CAUSES[match[1]]
    if match := _BAD_VALUE.search(said):
        return Cause(f"libpq does not take the value of `{match[1] or match[2]}`", EXTRA, passing=False)
    for part, words, remedy in _FOR_A_PERSON:
        if part in said:
            return Cause(words, remedy, passing=False)
    for part, words, remedy in _PASSING:
        if part in said:
            return Cause(words, remedy, passing=True)
    if "FATAL:" in said:
        return Cause("the server refused it, in words that are not known", UNTOLD, passing=False)
    return Cause(LOST, REACH, passing=True)


def of_sqlstate(sqlstate: str) -> Cause | None:
    """The same for a refusal that came with a SQLSTATE, as drivers give it inside a session; None for others."""
    return _OF_SQLSTATE.get(sqlstate)


_OF_SQLSTATE: Final = {
    "28000": Cause("the server does not let this login in", LET_IN, passing=False),
    "28P01": Cause("the login or the password is wrong", LOGIN, passing=False),
    "3D000": Cause("there is no such database", DATABASE, passing=False),
    "08P01": Cause(
        "what stands in between, a pooler say, does not take what every session needs", POOL_MODE, passing=False
    ),
}

"""What a driver's error means, in words of our own.

What a server says may quote the values of rows, in any language, and a function of the database may raise any SQLSTATE with
any text. So none of its words are passed on: the SQLSTATE chooses ours, and where it is about names or types, these are
read from the query that we sent, or are names of Postgres's own types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from audiences.campaign.wording import shown
from audiences.redact import redact

UNTOLD: Final = "its words are left out, as they may quote values; the database's own log has them"

_PASSING: Final = ("08", "40", "53", "57")  # SQLSTATE classes: connection, rollback, resources, operator intervention
_WORDS: Final = {
    "08001": "no connection came about",
    "08003": "the connection was lost",
    "08006": "the connection was lost",
    "22003": "a number is larger than its declared type can hold",
    "22007": "a value cannot be read as a date or time",
    "22008": "a date or time is out of range",
    "22012": "a division by zero",
    "22021": "a text holds bytes that are no characters",
    "22P02": "a value cannot be read as its declared type",
    "22P05": "a character cannot be written in the encoding that the connection asks for",
    "25006": "the connection may only read: a function of the query writes, and the transaction is read-only",
    "28000": "the server does not let this login in",
    "28P01": "the login or the password is wrong",
    "3D000": "there is no such database",
    "3F000": "there is no such schema",
    "40001": "it was in the way of another transaction",
    "40P01": "it was in the way of another transaction",
    "42501": "the login lacks the right to read",
    "42601": "the SQL is not understood",
    "42702": "a column's name fits more than one relation",
    "42703": "there is no such column",
    "42804": "the types do not fit together",
    "42846": "there is no cast from one type to the other",
    "42883": "no function or operator takes these types",
    "42P01": "there is no such table or view",
    "53100": "its disk is full",
    "53200": "it is out of memory",
    "53300": "it has no connection to spare",
    "57014": "the statement took too long, or was cancelled",
    "57P01": "it was shut down",
    "57P02": "it crashed",
    "57P03": "it is starting up or shutting down",
    "P0001": "a function of the database raised an error, and what it said is left out, as it may quote values; "
    "the database's own log has it",
}
# What the client library says of a connection that did not come about, which has no SQLSTATE.
_CONNECTING: Final = (
    ("could not translate host name", "the host's name is not known"),
    ("failed to resolve host", "the host's name is not known"),
    ("Connection refused", "the connection was refused: nothing listens there"),
    ("No such file or directory", "the connection was refused: nothing listens there"),
    ("timeout expired", "no answer in time"),
    ("timed out", "no answer in time"),
    ("no password supplied", "the connection has no password"),
    ("password authentication failed", "the login or the password is wrong"),
    ("pg_hba.conf", "the server does not let this login in from here (pg_hba.conf)"),
    ("certificate", "the server's certificate was not accepted"),
    ("SSL", "server and connection do not agree about TLS (`sslmode`)"),
    ("too many", "it has no connection to spare"),
    ("starting up", "it is starting up or shutting down"),
    ("shutting down", "it is starting up or shutting down"),
    ("closed the connection", "the connection was lost"),
)
_NO_SUCH = re.compile(r'FATAL: +(role|database) ".*" does not exist')
_NO_SUCH_WORDS = {"role": "there is no such login", "database": "there is no such database"}
_FOR_A_PERSON: Final = ("password", "login", "pg_hba.conf", "no such database")  # parts of our words
_LOST: Final = "the connection failed or was lost"

_NAME = re.compile(r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)(?:\.(?:"(?:[^"]|"")+"|[^\W\d][\w$]*))*')
_NAMED: Final = frozenset({"42702", "42703", "42883", "42P01"})  # the server points at a name in the query
_TYPED: Final = {"22003": 1, "22007": 1, "22P02": 1, "42804": 2, "42846": 2, "42883": 2}  # it names so many types
_TYPES = re.compile(
    r"\b(?:smallint|integer|bigint|numeric|real|double precision|text|character varying|character|boolean|date|interval"
    r"|time(?:stamp)? with(?:out)? time zone|jsonb?|uuid|bytea|inet|money|oid)(?:\[\])?(?!\w)"
)
_OBJECT = re.compile(r"for (?:table|view|materialized view|schema|sequence|function|relation) (\S+)$")


@dataclass(frozen=True, slots=True)
class Fault:
    """A driver's error: its SQLSTATE (empty when it had none), our words, and whether it may pass by itself."""

    sqlstate: str
    words: str
    passing: bool


def fault(error: BaseException, query: str = "") -> Fault:
    """What an error of psycopg or ADBC means; `query` is the SQL that it answers."""
    sqlstate, said, position = _diagnosis(error)
    if not sqlstate:
        refused = "ERROR:" in said  # the server's, seen through a reader that drops the SQLSTATE
        words = UNTOLD if refused else _of_connecting(said)
        return Fault("", words, passing=not (refused or any(part in words for part in _FOR_A_PERSON)))
    words = _WORDS.get(sqlstate, UNTOLD)
    told = [name] if sqlstate in _NAMED and (name := _name_at(position, query)) else []
    if sqlstate == "42501" and (match := _OBJECT.search(said)) and _is_in(match[1], query):
        told.append(match[1])
    told += _TYPES.findall(said)[: _TYPED.get(sqlstate, 0)]
    names = ", ".join(shown(redact(name)) for name in dict.fromkeys(told))
    return Fault(sqlstate, f"{words}: {names}" if names else words, sqlstate.startswith(_PASSING))


def _diagnosis(error: Any) -> tuple[str, str, int]:
    """SQLSTATE, the first line of what was said, and the place in the query, from 1 on; 0 where none is meant."""
    sqlstate = (getattr(error, "sqlstate", None) or "").strip("\x00")
    if diag := getattr(error, "diag", None):
        said, position = diag.message_primary, diag.statement_position
    else:
        details = {name: value.decode(errors="replace") for name, value in getattr(error, "details", None) or ()}
        details = {(name.decode() if isinstance(name, bytes) else name): value for name, value in details.items()}
        said, position = details.get("PG_DIAG_MESSAGE_PRIMARY"), details.get("PG_DIAG_STATEMENT_POSITION")
    first = (said or str(error)).split("\x00")[0].splitlines()
    return sqlstate, first[0] if first else "", int(position) if position else 0


def _of_connecting(said: str) -> str:
    if match := _NO_SUCH.search(said):
        return _NO_SUCH_WORDS[match[1]]
    return next((words for part, words in _CONNECTING if part in said), _LOST)


def _name_at(position: int, query: str) -> str:
    """The name that stands at that place of our own query; a text in quotes is none."""
    match = _NAME.match(query, position - 1) if position else None
    return match[0] if match else ""


def _is_in(name: str, query: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", query) is not None

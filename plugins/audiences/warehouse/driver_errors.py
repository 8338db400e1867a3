"""What a driver's error means, in words of our own.

What a server says may quote the values of rows, in any language, and a function of the database may raise any SQLSTATE with
any text. So none of its words are passed on: the SQLSTATE chooses ours, and where it is about names or types, these are
read from the query that we sent, or are names of Postgres's own types.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from audiences import connecting
from audiences.campaign.wording import shown
from audiences.redact import redact

UNTOLD: Final = "its words are left out, as they may quote values; the database's own log has them"

_PASSING: Final = ("08", "40", "53", "57")  # SQLSTATE classes: connection, rollback, resources, operator intervention
# Of these classes, and all the same in the next try, which may take half an hour: a disk that the query itself fills, a limit
# that it exceeds, a query that a person has cancelled on purpose.
_WOULD_DO_IT_AGAIN: Final = frozenset({"53100", "53400", "57014"})
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
    "3F000": "there is no such schema",
    "40001": "it was in the way of what changed meanwhile, on a replica of what its primary removed",
    "40P01": "it was in the way of another transaction",
    "42501": "the login lacks the right to read",
    "42601": "the SQL is not understood",
    "42702": "a column's name fits more than one relation",
    "42703": "there is no such column",
    "42804": "the types do not fit together",
    "42846": "there is no cast from one type to the other",
    "42883": "no function or operator takes these types",
    "42P01": "there is no such table or view",
    "42P10": "a column is referred to where it cannot be",
    "55000": "it is not in a state for that: a materialized view must have been refreshed first, say",
    "54001": "it is nested too deeply",
    "0A000": "that cannot be done in a query",
    "53100": "its disk is full",
    "53200": "it is out of memory",
    "53300": "it has no connection to spare",
    "53400": "it needs more than the server allows one query, of temporary files say",
    "57014": "the statement took longer than its time-out allows, or somebody cancelled it",
    "57P01": "it was shut down",
    "57P02": "it crashed",
    "57P03": "it is starting up or shutting down",
    "P0001": "a function of the database raised an error, and what it said is left out, as it may quote values; "
    "the database's own log has it",
}
_NAME = re.compile(r'(?:"(?:[^"]|"")+"|[^\W\d][\w$]*)(?:\.(?:"(?:[^"]|"")+"|[^\W\d][\w$]*))*')
_NAMED: Final = frozenset({"42702", "42703", "42883", "42P01"})  # the server points at a name in the query
_TYPED: Final = {"22003": 1, "22007": 1, "22P02": 1, "42804": 2, "42846": 2, "42883": 2}  # it names so many types
_TYPES = re.compile(
    r"\b(?:smallint|integer|bigint|numeric|real|double precision|text|character varying|character|boolean|date|interval"
    r"|time(?:stamp)? with(?:out)? time zone|jsonb?|uuid|bytea|inet|money|oid)(?:\[\])?(?!\w)"
)
_OBJECT = re.compile(r"for (?:table|view|materialized view|schema|sequence|function|relation) (\S+)$")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A driver's error: its SQLSTATE (empty when it had none), our words, whether it may pass by itself.

    `remedy` says what a person does where it is the connection that failed.
    """

    sqlstate: str
    words: str
    passing: bool
    remedy: str = ""
    position: int = 0  # in the query, from 1 on


def fault(error: BaseException, query: str = "") -> Diagnosis:
    """What an error of psycopg or ADBC means; `query` is the SQL that it answers."""
    sqlstate, said, position = _diagnosis(error)
    if not sqlstate:
        if "ERROR:" in said:  # the server's, seen through a reader that drops the SQLSTATE
            return Diagnosis("", UNTOLD, passing=False)
        found = connecting.cause(str(error))
        return Diagnosis("", found.words, found.passing, found.remedy)
    if (refused := connecting.of_sqlstate(sqlstate)) is not None:
        return Diagnosis(sqlstate, refused.words, refused.passing, refused.remedy)
    words = _WORDS.get(sqlstate, UNTOLD)
    told = [name] if sqlstate in _NAMED and (name := _name_at(position, query)) else []
    if sqlstate == "42501" and (match := _OBJECT.search(said)) and _is_in(match[1], query):
        told.append(match[1])
    told += _TYPES.findall(said)[: _TYPED.get(sqlstate, 0)]
    names = ", ".join(shown(redact(name)) for name in dict.fromkeys(told))
    passing = sqlstate.startswith(_PASSING) and sqlstate not in _WOULD_DO_IT_AGAIN
    return Diagnosis(sqlstate, f"{words}: {names}" if names else words, passing, position=position)


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


def _name_at(position: int, query: str) -> str:
    """The name that stands at that place of our own query; a text in quotes is none."""
    match = _NAME.match(query, position - 1) if position else None
    return match[0] if match else ""


def _is_in(name: str, query: str) -> bool:
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", query) is not None

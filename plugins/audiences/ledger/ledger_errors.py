"""What a driver's error means for the ledger: it went away, which passes, cannot store what it is given, or refused a statement.

The words of the driver are never passed on. They may quote rows, such as `Key (user_id)=(…) already exists`, in any language.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import walk_tb
from typing import TYPE_CHECKING, Final

from audiences import connecting
from audiences.disk import as_disk
from audiences.errors import AudiencesError, FailedError, FixAccessError, RetryError
from audiences.store_faults import as_object_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from audiences.connections import Connection

_PASSING = ("08", "53", "57")  # SQLSTATE classes: connection, resources, operator intervention
_TIMED_OUT = "57014"  # which takes as long in the next try
_READ_ONLY = "25006"

_DISK_FULL = "53100"  # which stays so until a person makes room
_NO_SUCH_CHARACTER = ("22P05", "22021")
_BUSY = ("40", "55P03")  # transactions in each other's way

_MIGRATE: Final = "Bring it up to date: `audiences ledger migrate`"
_REMEDIES: Final = {
    "3F000": _MIGRATE,
    "42P01": _MIGRATE,
    "42703": _MIGRATE,
    "42501": "The connection's login must own the schema `audiences`, or hold all rights on what is in it",
    _TIMED_OUT: "It took longer than its time-out allows, or somebody cancelled it: take `statement_timeout` off the ledger's "
    "login and database, and off `options` of the connection",
    _READ_ONLY: "the connection must lead to the server that writes, not to a replica, and "
    "`default_transaction_read_only` must be off for its login and database",
}
_NOBODY_KNOWS: Final = (
    "Run it again; if that fails too, report it with these words: it is a fault of the product, or of a change by hand"
)
_PACKAGE: Final = Path(__file__).parents[1]


@dataclass(eq=False)
class LedgerLostError(RetryError):
    """The ledger could not be reached, or was shut down or restarted in the middle of something."""

    sqlstate: str
    place: str = ""

    def __str__(self) -> str:
        state = f" (SQLSTATE {self.sqlstate})" if self.sqlstate else ""
        if self.place:
            return (
                f"the ledger cannot be reached{state}: {self.place}. Start it, or correct the connection's host, port, schema "
                "(the database), login and password; nothing is lost"
            )
        return f"the ledger's Postgres cannot be reached, or went away{state}; run it again when it is back, nothing is lost"


@dataclass(eq=False)
class LedgerClosedError(FixAccessError):
    """The ledger's Postgres does not let us in, until a person acts: a wrong login, password, database or option, or TLS."""

    detail: str
    remedy: str
    place: str = ""

    def __str__(self) -> str:
        place = f" ({self.place})" if self.place else ""
        return f"the ledger does not let us in: {self.detail}{place}. {self.remedy}; nothing was sent"


@dataclass(eq=False)
class LedgerEncodingError(FixAccessError):
    """The ledger's database cannot store a character of an id or a name."""

    def __str__(self) -> str:
        return (
            "the encoding of the ledger's database lacks a character of a user's id or of a name, and nothing is stored in its "
            "place. Move the ledger to a database whose encoding is UTF8: create one, restore a dump of the schema "
            "`audiences` into it, and change the connection"
        )


@dataclass(eq=False)
class LedgerFullError(FixAccessError):
    """The server of the ledger has no room left on its disk."""

    def __str__(self) -> str:
        return (
            "the disk of the ledger's Postgres is full (SQLSTATE 53100), so nothing more can be recorded there. Make room on the "
            "server, then run it again; what was recorded is not lost, and what was sent without a record is sent again"
        )


@dataclass(eq=False)
class LedgerBusyError(RetryError):
    """A statement was in the way of another transaction."""

    sqlstate: str

    def __str__(self) -> str:
        return (
            f"two transactions of the ledger were in each other's way (SQLSTATE {self.sqlstate}); run it again, "
            "nothing is lost"
        )


@dataclass(eq=False)
class LedgerFaultError(FailedError):
    """The ledger refused a statement, for a reason that a second try seldom changes.

    `at` is the line of the package that sent it, such as `ledger/members.py:88`.
    """

    sqlstate: str
    at: str

    def __str__(self) -> str:
        state = f"SQLSTATE {self.sqlstate}" if self.sqlstate else "no SQLSTATE"
        place = f", at {self.at}" if self.at else ""
        remedy = _REMEDIES.get(self.sqlstate)
        if self.sqlstate == _READ_ONLY:
            return f"the ledger may only be read there ({state}{place}): {remedy}"
        return (
            f"the ledger refused a statement ({state}{place}); its words are left out, as they may quote ids of users, and the "
            f"log of its database has them. {remedy or _NOBODY_KNOWS}"
        )


@contextmanager
def placed(connection: Connection) -> Iterator[None]:
    """Say in an error of the body, which opens the ledger, where it was looked for."""
    try:
        yield
    except Exception as error:
        lost = as_lost(error)
        if isinstance(lost, LedgerLostError | LedgerClosedError):
            raise replace(lost, place=connection.place) from None
        raise


def as_ours(error: BaseException) -> AudiencesError | None:
    """The error as one of ours, whose words are for people; None for any other, of which nobody knows what to do."""
    if isinstance(error, AudiencesError):
        return error
    return as_object_store(error) or as_disk(error) or as_lost(error)


def as_lost(
    error: BaseException,
) -> (
    LedgerLostError
    | LedgerClosedError
    | LedgerEncodingError
    | LedgerFullError
    | LedgerBusyError
    | LedgerFaultError
    | None
):
    """Our error for one of the ledger's drivers; None for any other.

    Those of the warehouse never come here: their own room has put them into words.
    """
    from sqlalchemy.exc import DBAPIError

    of_driver = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = _sqlstate(of_driver)
    if said is None:
        return None
    sqlstate, unreachable = said
    found = connecting.cause(str(of_driver)) if unreachable else connecting.of_sqlstate(sqlstate)
    if found is not None and not found.passing:
        return LedgerClosedError(found.words, found.remedy)
    if sqlstate == _DISK_FULL:
        return LedgerFullError()
    if unreachable or (sqlstate.startswith(_PASSING) and sqlstate != _TIMED_OUT):
        return LedgerLostError(sqlstate)
    if sqlstate in _NO_SUCH_CHARACTER:
        return LedgerEncodingError()
    if sqlstate.startswith(_BUSY):
        return LedgerBusyError(sqlstate)
    return LedgerFaultError(sqlstate, _place_in_package(error.__traceback__))


def _sqlstate(error: BaseException) -> tuple[str, bool] | None:
    """The SQLSTATE that a driver gives, and whether it has none for want of a server; None for an error of no driver."""
    import psycopg
    from adbc_driver_manager import Error as ArrowDriverError

    if isinstance(error, ArrowDriverError):
        sqlstate = (getattr(error, "sqlstate", None) or "").strip("\x00")
        # It gives none for what it learns while rows come in, nor when there is no server.
        return sqlstate, not sqlstate and "ERROR:" not in str(error)
    if isinstance(error, psycopg.Error):
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) or "bad value for" in str(error)
        return error.sqlstate or "", not error.sqlstate and lost
    return None


def _place_in_package(frames: TracebackType | None) -> str:
    """The innermost line of the package in a traceback, as `ledger/members.py:88`; empty if there is none."""
    place = ""
    for frame, line in walk_tb(frames):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(_PACKAGE):
            place = f"{file.relative_to(_PACKAGE).as_posix()}:{line}"
    return place

"""Tells from a driver's error that the ledger's Postgres went away, which passes, or cannot store what it is given."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audiences.errors import AudiencesError, FixAccessError, RetryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.connections import Connection

_PASSING = ("08", "53", "57")  # SQLSTATE classes: connection, resources, operator intervention

_NO_SUCH_CHARACTER = ("22P05", "22021")


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
class LedgerEncodingError(FixAccessError):
    """The ledger's database cannot store a character of an id or a name."""

    def __str__(self) -> str:
        return (
            "the encoding of the ledger's database lacks a character of a user's id or of a name, and nothing is stored in its "
            "place. Move the ledger to a database whose encoding is UTF8: create one, restore a dump of the schema "
            "`audiences` into it, and change the connection"
        )


@contextmanager
def placed(connection: Connection) -> Iterator[None]:
    """Say in an error of the body, which opens the ledger, where it was looked for."""
    try:
        yield
    except Exception as error:
        lost = as_lost(error)
        if isinstance(lost, LedgerLostError):
            raise replace(lost, place=connection.place) from None
        raise


def as_ours(error: BaseException) -> AudiencesError | None:
    """The error as one of ours, whose words are for people; None for any other, of which nobody knows what to do."""
    return error if isinstance(error, AudiencesError) else as_lost(error)


def as_lost(error: BaseException) -> LedgerLostError | LedgerEncodingError | None:
    """Our error for a driver's that means one of these; None for any other.

    The words of the driver are left out: they may quote rows, and name the host in every language.
    """
    import psycopg
    from adbc_driver_manager import Error as ArrowDriverError
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        sqlstate = error.sqlstate or ""
    elif isinstance(error, ArrowDriverError):
        sqlstate = (getattr(error, "sqlstate", None) or "").strip("\x00")
        if not sqlstate and "ERROR:" in str(error):
            return None
    elif isinstance(error, psycopg.DataError):
        return LedgerEncodingError() if error.sqlstate in _NO_SUCH_CHARACTER else None
    else:
        return None
    if sqlstate in _NO_SUCH_CHARACTER:
        return LedgerEncodingError()
    return LedgerLostError(sqlstate) if not sqlstate or sqlstate.startswith(_PASSING) else None

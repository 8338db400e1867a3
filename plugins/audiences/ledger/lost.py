"""Tells from a driver's error that the ledger's Postgres went away: it comes back, and every step can be done again."""

from __future__ import annotations

from dataclasses import dataclass

from audiences.errors import RetryError

_PASSING = ("08", "53", "57")  # SQLSTATE classes: connection, resources, operator intervention


@dataclass(eq=False)
class LedgerLostError(RetryError):
    """The ledger could not be reached, or was shut down or restarted in the middle of something."""

    sqlstate: str

    def __str__(self) -> str:
        state = f" (SQLSTATE {self.sqlstate})" if self.sqlstate else ""
        return f"the ledger's Postgres cannot be reached, or went away{state}; run it again when it is back, nothing is lost"


def as_lost(error: BaseException) -> LedgerLostError | None:
    """Our error for a driver's that means so; None for any other.

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
    else:
        return None
    return LedgerLostError(sqlstate) if not sqlstate or sqlstate.startswith(_PASSING) else None

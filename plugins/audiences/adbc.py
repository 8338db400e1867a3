"""Connections through ADBC, Arrow's driver for Postgres, which know the types that every Postgres has, and no others.

By itself the driver reads all types of a server before it connects, which takes it 60 ms, and more where there are many tables.
Whatever the warehouse and the ledger are asked, they answer in types that come with Postgres (`query.columns`). A value of any
other type would come as raw bytes.
"""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Final

from adbc_driver_manager import AdbcStatement
from adbc_driver_manager import Error as DriverError
from adbc_driver_postgresql import dbapi

_BUILT_IN: Final = {"adbc.postgresql.type_resolver_mode": "builtin"}
_AS_OPENED: Final = ("DISCARD ALL", "RESET ROLE")
"""The first ends the role too that a login has by its settings (`ALTER ROLE … SET role`); the second gives it back."""


def connect(dsn: str) -> dbapi.Connection:
    """A connection, which the caller closes, to the server of a libpq connection string. Raises the driver's errors."""
    return dbapi.connect(dsn, db_kwargs=_BUILT_IN)


class Session:
    """A connection, which is in a transaction while somebody has it."""

    def __init__(self, dsn: str) -> None:
        self.opened = connect(dsn)

    def rest(self) -> None:
        """End the transaction, begin none, and take back what it has left in the session.

        A function that a view or a saved query calls may set a role or a search path, or take a lock, for the whole session.
        """
        self.opened.adbc_connection.set_autocommit(True)
        self._run(*_AS_OPENED)

    def wake(self) -> None:
        """Begin a transaction with the next statement. Raises the driver's errors where the server has ended the session."""
        self._run("SELECT 1")
        self.opened.adbc_connection.set_autocommit(False)

    def _run(self, *commands: str) -> None:
        with closing(AdbcStatement(self.opened.adbc_connection)) as statement:
            for command in commands:
                statement.set_sql_query(command)
                statement.execute_update()

    def close(self) -> None:
        """Close it for good."""
        self.opened.close()


class Pool:
    """Sessions with one server that are used again, since to open one takes longer than most questions do.

    It keeps one, outside of any transaction. Whoever has the pool closes it.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._kept: Session | None = None

    def take(self) -> Session:
        """A session in a transaction that has just begun; the caller gives it back or closes it. Raises the driver's errors."""
        kept, self._kept = self._kept, None
        if kept is not None:
            try:
                kept.wake()
            except DriverError:
                kept.close()
            else:
                return kept
        return Session(self._dsn)

    def give_back(self, session: Session) -> None:
        """End its transaction, and keep it for the next; what was asked for has been read to its end."""
        surplus: Session | None = session
        with suppress(DriverError):
            session.rest()
            surplus, self._kept = self._kept, session
        if surplus is not None:
            surplus.close()

    def close(self) -> None:
        """Close what is kept."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.close()

"""Connections through ADBC, Arrow's driver for Postgres, which share what it has read of a server's types.

The driver reads all types of a server when one opens its *database*, which takes it 40 ms; a connection on an open one takes a
tenth of that. But a type that came later is unknown to the open database: its values come as raw bytes, and nothing is raised.
So an open database is kept, and used again for as long as the server has the same types as when it was opened.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import closing, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import adbc_driver_postgresql
import psycopg
from adbc_driver_manager import AdbcConnection, AdbcStatement
from adbc_driver_manager import Error as DriverError
from adbc_driver_postgresql import dbapi
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from adbc_driver_manager import AdbcDatabase

MOST_KEPT: Final = 8
_AS_OPENED: Final = ("DISCARD ALL", "RESET ROLE")
"""The first ends the role too that a login has by its settings (`ALTER ROLE … SET role`); the second gives it back."""
# Every change to a type or to the columns of a composite one writes a row with another `xmin`.
_TYPES: Final = b"""
select
    (select pg_catalog.concat(count(*), ' ', sum(xmin::text::int8 * (oid::int8 % 65521))) from pg_catalog.pg_type) as types,
    (select pg_catalog.concat(count(*), ' ', sum(xmin::text::int8 * (attrelid::int8 % 65521 + attnum)))
        from pg_catalog.pg_attribute) as columns
"""


class _Database:
    """The driver's open database, and the server's types from before it was opened, None when nobody has asked for these.

    It is closed when it is no longer kept and no connection is left on it.
    """

    def __init__(self, dsn: str, types: list[dict[str, str]] | None) -> None:
        self.types = types
        self.open: AdbcDatabase = adbc_driver_postgresql.connect(dsn)
        self._shares = 0
        self._lock = Lock()

    def share(self) -> _Share:
        """A share in it; its holder closes it."""
        with self._lock:
            self._shares += 1
        return _Share(self)

    def let_go(self) -> None:
        with self._lock:
            self._shares -= 1
            if self._shares == 0:
                self.open.close()


class _Share:
    """What a connection takes for its database, and closes, perhaps twice."""

    def __init__(self, database: _Database) -> None:
        self.database = database
        self._held = True

    def close(self) -> None:
        if self._held:
            self._held = False
            self.database.let_go()


_kept: OrderedDict[str, _Share] = OrderedDict()
_lock = Lock()


def connect(dsn: str) -> dbapi.Connection:
    """A connection, which the caller closes, to the server of a libpq connection string. Raises the driver's errors."""
    return _connected(dsn).opened


class Session:
    """A connection, which is in a transaction while somebody has it, and the types by which it reads."""

    def __init__(self, share: _Share, opened: dbapi.Connection) -> None:
        self._share = share
        self.opened = opened

    def rest(self) -> None:
        """End the transaction, begin none, and take back what it has left in the session.

        A function that a view or a saved query calls may set a role or a search path, or take a lock, for the whole session.
        """
        connection = self.opened.adbc_connection
        connection.set_autocommit(True)
        with closing(AdbcStatement(connection)) as statement:
            for command in _AS_OPENED:
                statement.set_sql_query(command)
                statement.execute_update()

    def wake(self) -> bool:
        """Begin a transaction, if the server is still there and has no types that the driver does not know."""
        types = _types(self.opened.adbc_connection)
        if types is None or types != self._share.database.types:
            return False
        self.opened.adbc_connection.set_autocommit(False)
        return True

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
            with suppress(DriverError):
                if kept.wake():
                    return kept
            kept.close()
        return _connected(self._dsn)

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


def _connected(dsn: str) -> Session:
    """A session on a database of the driver's, that is kept or else opened."""
    with _lock:
        share = None
        if dsn in _kept:
            _kept.move_to_end(dsn)
            share = _kept[dsn].database.share()
    if share is not None:
        connection = _on(share)
        types = _types(connection)
        if types is not None and types == share.database.types:
            return _begun(share, connection)
        connection.close()
        share.close()
    else:
        types = _types_without_driver(dsn)
    database = _Database(dsn, types)
    share = database.share()
    connection = _on(share)
    _keep(dsn, database)
    return _begun(share, connection)


def _keep(dsn: str, database: _Database) -> None:
    """Keep it in place of the one that was kept, the least recently used one given up."""
    with _lock:
        given_up = [_kept.pop(dsn, None)]
        _kept[dsn] = database.share()
        if len(_kept) > MOST_KEPT:
            given_up.append(_kept.popitem(last=False)[1])
    for each in given_up:
        if each is not None:
            each.close()


def _on(share: _Share) -> AdbcConnection:
    try:
        return AdbcConnection(share.database.open)
    except BaseException:
        share.close()
        raise


def _begun(share: _Share, connection: AdbcConnection) -> Session:
    """The connection as the rest of the world knows it, in its first transaction."""
    try:
        return Session(share, dbapi.Connection(share, connection))
    except BaseException:
        connection.close()
        share.close()
        raise


def _types_without_driver(dsn: str) -> list[dict[str, str]] | None:
    """The same as `_types`, before there is an open database. Whoever is refused here is told so by the driver."""
    try:
        with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as sql:
            return sql.execute(_TYPES).fetchall()
    except psycopg.Error:
        return None


def _types(connection: AdbcConnection) -> list[dict[str, str]] | None:
    """What changes with the server's types; None where the server does not tell, and the connection is of no more use."""
    import pyarrow as pa

    statement: Any = AdbcStatement(connection)
    try:
        statement.set_sql_query(_TYPES.decode())
        stream, _ = statement.execute_query()
        found: list[dict[str, str]] = pa.RecordBatchReader._import_from_c(stream.address).read_all().to_pylist()
    except (DriverError, OSError):  # Arrow raises the latter
        return None
    finally:
        statement.close()
    return found

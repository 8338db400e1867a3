"""Reads the warehouse as Arrow batches, inside one read-only, repeatable-read transaction; a read replica is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adbc_driver_manager import Error as DriverError
from adbc_driver_postgresql import StatementOptions

from audiences import adbc, connecting
from audiences.concurrency import prefetch
from audiences.connections import opened
from audiences.errors import FixAccessError, RetryError
from audiences.warehouse.driver_errors import fault
from audiences.warehouse.timeouts import STATEMENT_TIMEOUT
from audiences.warehouse.transaction_settings import SESSION, TransactionSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from audiences.connections import Connection

# What a read-only snapshot has this error from: a replica removes rows as its primary does, and with them who reads them.
_CONFLICT: Final = "40001"
_REMEDIES: Final = {
    "53100": "Make room on the server's disk, where large queries keep temporary files, or ask for less; then run it again",
    "57014": "An index may be missing: audiences catalog check names it; the next run asks again",
    "53400": "Raise the limit for the login (temp_file_limit), or ask for less",
}
BATCH_BYTES = 4 * 1024 * 1024


@dataclass(eq=False)
class WarehouseTransientError(RetryError):
    """The warehouse was unreachable, busy or restarted."""

    sqlstate: str
    detail: str
    place: str = ""

    def __str__(self) -> str:
        lasting = (
            "set `hot_standby_feedback = on` on the replica, or its `max_standby_streaming_delay` to more than the query takes"
            if self.sqlstate == _CONFLICT
            else "see whether the server is up and whether the connection's host, port and schema (the database) are right"
        )
        return (
            f"the warehouse did not answer{_told(self.sqlstate)}: {self.detail}{_placed(self.place)}. Such faults pass; should "
            f"it last, {lasting}"
        )


@dataclass(eq=False)
class WarehouseClosedError(FixAccessError):
    """The warehouse does not let us in, until a person acts: a wrong login, password, database or option, or TLS."""

    detail: str
    place: str
    remedy: str

    def __str__(self) -> str:
        return f"the warehouse does not let us in: {self.detail}{_placed(self.place)}. {self.remedy}"


@dataclass(eq=False)
class WarehouseQueryError(FixAccessError):
    """The warehouse refused the query: a missing table or column, a missing right, a type that does not fit."""

    sqlstate: str
    detail: str
    place: str = ""

    def __str__(self) -> str:
        remedy = _REMEDIES.get(
            self.sqlstate, "Compare include/warehouse.yml with the database: audiences catalog check"
        )
        return f"the warehouse refused the query{_told(self.sqlstate)}: {self.detail}{_placed(self.place)}. {remedy}"


class Warehouse:
    """An open warehouse in one snapshot of its state; no query may take longer than `timeout`.

    It reads on a session of `pool`, made by `sessions` for the same connection, or else on one of its own.
    Raises WarehouseClosedError when it does not let us in, WarehouseTransientError when it is not there, and
    WarehouseSettingError when it cannot be made to read only.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        application: str,
        timezone: str = "UTC",
        timeout: str = STATEMENT_TIMEOUT,
        pool: adbc.Pool | None = None,
    ) -> None:
        self._place = connection.place
        self._pool = pool
        self._unread = 0
        try:
            self._session = opened((pool or sessions(connection)).take)
        except DriverError as error:
            raise not_let_in(error, place=self._place) from None
        try:
            self._begin(
                TransactionSettings(timezone, timeout, connection.settings, snapshot=True, application=application[:63])
            )
        except BaseException:
            self._session.close()
            raise

    def _begin(self, terms: TransactionSettings) -> None:
        """The driver has begun the transaction, and what is set in it is gone with it: nothing needs a session of our own.

        A pooler in transaction mode keeps no statement that was prepared by name; this driver prepares without names.
        """
        with self._session.opened.cursor() as cursor:
            try:
                for statement in (terms.first, *terms.setting, terms.reading_back):
                    cursor.execute(statement)
                terms.ensure(cursor.fetchone() or (), place=self._place)
            except (DriverError, OSError) as error:
                raise not_let_in(error, place=self._place) from None

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, _: object = None, error: BaseException | None = None, __: object = None) -> None:
        # Of an answer that was not read to its end, the driver would have to read the rest first.
        if self._pool is not None and error is None and not self._unread:
            self._pool.give_back(self._session)
        else:
            self._session.close()

    def stream(self, query: str) -> Iterator[pa.RecordBatch]:
        """The rows of a query (plain text, values quoted already) in batches of about BATCH_BYTES.

        Raises WarehouseTransientError (try again) or WarehouseQueryError (change the catalog, the rules or a right).
        """
        with self._session.opened.cursor() as cursor:
            cursor.adbc_statement.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BATCH_BYTES)})
            self._unread += 1
            try:
                cursor.execute(query)
                # `fetch_record_batch` hands out Arrow's own reader, whose errors say nothing of the SQLSTATE (arrow-adbc 1523).
                found = cursor._results.reader
                _ensure_known(found.schema)
                yield from prefetch(iter(found))
            except (DriverError, OSError) as error:  # Arrow raises the latter
                raise as_ours(error, query, place=self._place) from None
            self._unread -= 1

    def table(self, query: str) -> pa.Table:
        """A small result as one table."""
        import pyarrow as pa

        batches = list(self.stream(query))
        return pa.Table.from_batches(batches) if batches else pa.table({})


def sessions(connection: Connection) -> adbc.Pool:
    """Sessions at the warehouse for one snapshot after another; the caller closes them."""
    return opened(lambda: adbc.Pool(connection.dsn(application=SESSION)))


def _ensure_known(schema: pa.Schema) -> None:
    """Raise TypeError for a column that would come as raw bytes: it has to be cast to a type that every Postgres has."""
    import pyarrow as pa

    for column in schema:
        if isinstance(column.type, pa.OpaqueType) and pa.types.is_binary(column.type.storage_type):
            message = (
                f"the warehouse answers in a type that is not read, in column `{column.name}`: {column.type.type_name}"
            )
            raise TypeError(message)


def _told(sqlstate: str) -> str:
    return f" (SQLSTATE {sqlstate})" if sqlstate else ""


def _placed(place: str) -> str:
    return f" ({place})" if place else ""


def not_let_in(error: BaseException, *, place: str) -> WarehouseTransientError | WarehouseClosedError:
    """Our error for one that came while the warehouse was opened."""
    found = fault(error)
    if found.passing:
        return WarehouseTransientError(sqlstate=found.sqlstate, detail=found.words, place=place)
    remedy = found.remedy or _REMEDIES.get(found.sqlstate, connecting.OPTIONS)
    return WarehouseClosedError(detail=found.words, place=place, remedy=remedy)


def as_ours(error: BaseException, query: str = "", *, place: str = "") -> WarehouseTransientError | WarehouseQueryError:
    """Our error for a driver's, psycopg's or ADBC's, in words of our own; `query` is the SQL that it answers."""
    found = fault(error, query)
    kind = WarehouseTransientError if found.passing else WarehouseQueryError
    return kind(sqlstate=found.sqlstate, detail=found.words, place=place)

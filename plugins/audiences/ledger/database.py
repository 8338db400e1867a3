"""The ledger as a database: a session for statements, one for Arrow-sized reads, one to write beside the first."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from psycopg.rows import kwargs_row, scalar_row
from psycopg.types.json import set_json_dumps

from audiences.connections import opened
from audiences.ledger.own_session import ALWAYS, LASTING, session
from audiences.libpq import setting_again

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import psycopg
    import pyarrow as pa
    from adbc_driver_postgresql import dbapi
    from psycopg.rows import TupleRow

    from audiences.connections import Connection

Row = TypeVar("Row")
Value = TypeVar("Value")
_BATCH_BYTES = 4 * 1024 * 1024


class Ledger:
    """An open ledger. Statements of `sql` and `writing` commit one by one; `bulk` keeps transactions of its own."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.sql: psycopg.Connection[TupleRow] = session(connection, application="audiences-ledger", autocommit=True)
        # Written out and not escaped: SQL_ASCII, an encoding of plain bytes, has no character for an escape.
        set_json_dumps(partial(json.dumps, ensure_ascii=False), self.sql)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.sql.close()
        for name in self._opened():
            getattr(self, name).close()

    @cached_property
    def bulk(self) -> dbapi.Connection:
        """An Arrow connection, to read with."""
        from audiences import adbc

        bulk = opened(lambda: adbc.connect(self.connection.dsn(application="audiences-ledger-bulk")))
        # By a statement, as a pooler refuses or drops what comes with the connection.
        with bulk.cursor() as cursor:
            cursor.execute(setting_again({**self.connection.settings, **ALWAYS}, local=False))
            cursor.execute(LASTING)
        bulk.commit()
        return bulk

    @cached_property
    def writing(self) -> psycopg.Connection[TupleRow]:
        """A session in which a thread writes while `sql` is in use, as in `asynchronous_commit` without waiting for the disk."""
        writing = session(self.connection, application="audiences-ledger-writing", autocommit=True)
        writing.execute("set synchronous_commit = off")
        return writing

    @contextmanager
    def asynchronous_commit(self) -> Iterator[None]:
        """A transaction of `sql` whose commit does not wait for the disk.

        What the server loses in a crash is at most the end of the log, so receipts, and a request without a receipt is sent
        again; whatever `sql` commits afterwards takes all of it to the disk.
        """
        with self.sql.transaction():
            self.sql.execute("set local synchronous_commit = off")
            yield

    def give_up_lost(self) -> None:
        """Close what was opened beside `sql` and whose session has ended since it was last used; the next use opens another."""
        from adbc_driver_manager import Error as DriverError
        from psycopg import OperationalError

        for name in self._opened():
            other = getattr(self, name)
            try:
                with other.cursor() as cursor:
                    cursor.execute("select 1")
                other.commit()
            except (DriverError, OperationalError, OSError):  # Arrow raises the last
                with suppress(DriverError):
                    other.close()
                delattr(self, name)

    def _opened(self) -> list[str]:
        return [name for name in ("bulk", "writing") if name in self.__dict__]

    def rows(self, make: Callable[..., Row], query: str, parameters: Mapping[str, object] | None = None) -> list[Row]:
        """All rows of a query, each made by a class or a function whose arguments are the names of the columns.

        Arrays come as tuples, since a record does not change.
        """

        def made(**columns: object) -> Row:
            return make(**{name: tuple(value) if isinstance(value, list) else value for name, value in columns.items()})

        with self.sql.cursor(row_factory=kwargs_row(made)) as cursor:
            return cursor.execute(query.encode(), parameters).fetchall()

    def row(self, make: Callable[..., Row], query: str, parameters: Mapping[str, object] | None = None) -> Row | None:
        """The only row of a query, made as in `rows`; None when there is none."""
        found = self.rows(make, query, parameters)
        return found[0] if found else None

    def values(self, kind: type[Value], query: str, parameters: Mapping[str, object] | None = None) -> list[Value]:
        """The only column of a query, whose values are of that type; a null is left out. Raises TypeError for another type."""
        with self.sql.cursor(row_factory=scalar_row) as cursor:
            found = [each for each in cursor.execute(query.encode(), parameters).fetchall() if each is not None]
        for each in found:
            if not isinstance(each, kind):
                message = f"the ledger gave {type(each).__name__} for {kind.__name__}"
                raise TypeError(message)
        return found

    def value(self, kind: type[Value], query: str, parameters: Mapping[str, object] | None = None) -> Value | None:
        """The only value of a query, as in `values`; None for a null, or when there is no row."""
        found = self.values(kind, query, parameters)
        return found[0] if found else None

    def number(self, query: str, parameters: Mapping[str, object] | None = None) -> int:
        """The only value of a query that counts or numbers something; 0 where there is none."""
        return self.value(int, query, parameters) or 0

    def holds(self, query: str, parameters: Mapping[str, object] | None = None) -> bool:
        """The only value of a query that asks whether something is so; False where there is no row."""
        return self.value(bool, query, parameters) or False

    def clock(self) -> float:
        """The time of the ledger's database, in Unix seconds."""
        return self.value(float, "select extract(epoch from clock_timestamp())::float8") or 0.0

    def read(self, query: str, schema: pa.Schema) -> pa.Table:
        """A large result as an Arrow table; the query holds numbers at most, no other values."""
        with self.stream(query, schema) as rows:
            return rows.read_all()

    @contextmanager
    def stream(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatchReader]:
        """As `read`, batch by batch, for a result that need not fit into memory."""
        from adbc_driver_postgresql import StatementOptions

        with self.bulk.cursor() as cursor:
            cursor.adbc_statement.set_options(**{StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(_BATCH_BYTES)})
            cursor.execute(query)
            yield cursor.fetch_record_batch().cast(schema)
        self.bulk.commit()


class EmptyLedger(Ledger):
    """A ledger that was never migrated, for read-only commands: every table is empty."""

    def rows(
        self,
        make: Callable[..., Row],  # noqa: ARG002  # the signature of Ledger
        query: str,  # noqa: ARG002  # the signature of Ledger
        parameters: Mapping[str, object] | None = None,  # noqa: ARG002  # the signature of Ledger
    ) -> list[Row]:
        """There are no rows."""
        return []

    def values(
        self,
        kind: type[Value],  # noqa: ARG002  # the signature of Ledger
        query: str,  # noqa: ARG002  # the signature of Ledger
        parameters: Mapping[str, object] | None = None,  # noqa: ARG002  # the signature of Ledger
    ) -> list[Value]:
        """There are no rows."""
        return []

    @contextmanager
    def stream(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatchReader]:  # noqa: ARG002  # the signature of Ledger
        """There are no rows."""
        yield schema.empty_table().to_reader()

"""The ledger as a database: one session for small statements, one for Arrow-sized reads and writes."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from psycopg.rows import namedtuple_row
from psycopg.types.json import set_json_dumps

from audiences.connections import opened
from audiences.ledger.own_session import ALWAYS, session
from audiences.libpq import setting_again

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from adbc_driver_postgresql import dbapi

    from audiences.connections import Connection

_BATCH_BYTES = 4 * 1024 * 1024


class Ledger:
    """An open ledger. Statements commit one by one; `bulk` keeps transactions of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.sql = session(connection, application="audiences-ledger", autocommit=True)
        self.sql.row_factory = namedtuple_row
        # Written out and not escaped: SQL_ASCII, an encoding of plain bytes, has no character for an escape.
        set_json_dumps(partial(json.dumps, ensure_ascii=False), self.sql)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.sql.close()
        if "bulk" in self.__dict__:
            self.bulk.close()

    @cached_property
    def bulk(self) -> dbapi.Connection:
        """An Arrow connection; whoever writes with it commits.

        Its commits do not wait for the disk. What the server loses in a crash is at most the end of the log, so receipts, and
        a request without a receipt is sent again; whatever `sql` commits afterwards takes all of it to the disk.
        """
        from adbc_driver_postgresql import dbapi

        bulk = opened(lambda: dbapi.connect(self._connection.dsn(application="audiences-ledger-bulk")))
        # By a statement, as a pooler refuses or drops what comes with the connection.
        with bulk.cursor() as cursor:
            wanted = {**self._connection.settings, **ALWAYS, "synchronous_commit": "off"}
            cursor.execute(setting_again(wanted, local=False))
        bulk.commit()
        return bulk

    def one(self, query: str, parameters: dict[str, Any] | None = None) -> Any:
        """The only row of a query (a named tuple), None when there is none."""
        return self.sql.execute(query.encode(), parameters).fetchone()

    def all(self, query: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        """All rows of a query, as named tuples."""
        return self.sql.execute(query.encode(), parameters).fetchall()

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
    """A ledger that was never migrated, for those who only look: everything in it is empty."""

    def one(self, query: str, parameters: dict[str, Any] | None = None) -> Any:  # noqa: ARG002  # the signature of Ledger
        """There is no row."""
        return None

    def all(self, query: str, parameters: dict[str, Any] | None = None) -> list[Any]:  # noqa: ARG002  # the signature of Ledger
        """There are no rows."""
        return []

    @contextmanager
    def stream(self, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatchReader]:  # noqa: ARG002  # the signature of Ledger
        """There are no rows."""
        yield schema.empty_table().to_reader()

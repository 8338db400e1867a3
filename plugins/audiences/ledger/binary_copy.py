"""Rows of an Arrow table as Postgres' binary COPY takes them, put together by Arrow a column at a time.

Arrow's own driver goes cell by cell, which takes it several times as long, and Postgres waits for it meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg.rows import TupleRow

_BATCH_ROWS: Final = 10_000  # of members a good megabyte, of which the driver makes a copy
_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_NUMBERS: Final = {pa.bool_(): "u1", pa.int32(): ">i4", pa.int64(): ">i8"}
_TEXTS: Final = (pa.string(), pa.binary())
_NOTHING_BETWEEN: Final = pa.scalar(b"", pa.binary())

_Numbers = list[tuple[str, Any]]
"""Kinds of numbers, as NumPy writes them, and a number for all rows or an array with one for each."""


def append(sql: psycopg.Connection[TupleRow], table: str, rows: pa.Table | pa.RecordBatchReader) -> None:
    """Append rows to a table with columns of the same names and of the types boolean, int4, int8, text and bytea.

    In the caller's transaction, if there is one. Raises ValueError for a null, TypeError for a column of another type, and what
    the driver raises.
    """
    statement = f"copy {table} ({', '.join(rows.schema.names)}) from stdin (format binary)"
    with sql.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.write(_HEADER)
        for batch in rows.to_batches() if isinstance(rows, pa.Table) else rows:
            for first in range(0, len(batch), _BATCH_ROWS):
                copy.write(memoryview(encoded(batch.slice(first, _BATCH_ROWS))))
        copy.write(_TRAILER)


def encoded(batch: pa.RecordBatch) -> pa.Buffer:
    """The rows, of which there are some, one after the other: of each the number of columns, and per column length and value."""
    joined = pc.binary_join_element_wise(*_pieces(batch), _NOTHING_BETWEEN)
    return joined.buffers()[2]


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.Array]:
    """What each row is made of, as few columns of bytes as may be."""
    numbers: _Numbers = [(">i2", batch.num_columns)]
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if column.null_count:
            message = f"a null in {field.name}"
            raise ValueError(message)
        if kind := _NUMBERS.get(field.type):
            values = column.cast(pa.uint8()) if pa.types.is_boolean(field.type) else column
            numbers += [(">i4", np.dtype(kind).itemsize), (kind, values.to_numpy())]
        elif field.type in _TEXTS:
            numbers += [(">i4", pc.binary_length(column).to_numpy())]
            yield _side_by_side(numbers, len(batch))
            yield column.cast(pa.binary())
            numbers = []
        else:
            message = f"{field.name} is {field.type}"
            raise TypeError(message)
    if numbers:
        yield _side_by_side(numbers, len(batch))


def _side_by_side(numbers: _Numbers, rows: int) -> pa.Array:
    """The bytes of several numbers in each row."""
    table = np.empty(rows, np.dtype([(str(place), kind) for place, (kind, _) in enumerate(numbers)]))
    for place, (_, values) in enumerate(numbers):
        table[str(place)] = values
    width = table.dtype.itemsize
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
    return pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(table)])

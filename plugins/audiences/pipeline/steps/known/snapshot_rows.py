"""The rows of a snapshot's files: ids that are whole numbers are there as such, which take less room and are joined sooner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from audiences.pipeline.staging import SNAPSHOT

if TYPE_CHECKING:
    from pathlib import Path

NUMBERED: Final = pa.schema([("number", pa.int64()), *SNAPSHOT])
"""As SNAPSHOT, but users whose id is just how Postgres writes a whole number have the `number`, and their `user_id` is null."""
AS_TEXT: Final = "select coalesce(user_id, number::varchar) as user_id, columns(* exclude (number, user_id))"
AS_NUMBERS: Final = "select number as user_id, columns(* exclude (number, user_id))"
"""What DuckDB selects of such rows to have those of SNAPSHOT: with all ids as text, or with the numbers alone."""


def numbered(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of SNAPSHOT as they go into a file."""
    ids = batch.column("user_id")
    numbers = _numbers(ids)
    if numbers is None:
        numbers = pa.nulls(len(ids), pa.int64())
    else:
        ids = pa.nulls(len(ids), pa.string())
    others = [batch.column(field.name).cast(field.type) for field in SNAPSHOT if field.name != "user_id"]
    return pa.RecordBatch.from_arrays([numbers, ids, *others], schema=NUMBERED)


def _numbers(ids: pa.Array) -> pa.Array | None:
    """The ids as numbers; None where one of them is written in another way."""
    try:
        numbers = ids.cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    return numbers if numbers.cast(ids.type).equals(ids) else None


def from_file(file: Path) -> str:
    """A snapshot's file as DuckDB reads it."""
    return "from read_parquet('{}')".format(str(file).replace("'", "''"))

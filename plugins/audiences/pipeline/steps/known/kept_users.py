"""The users of the last run's snapshot who are as it has them: read from the staged files by the steps after the extraction."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from audiences.pipeline.staging import KNOWN_FILES, NOT_KEPT, NOT_KEPT_FILE
from audiences.pipeline.steps.known.snapshot_rows import AS_TEXT, NUMBERED
from audiences.sql import statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

    from audiences.pipeline.staging import Staging


def looked_up(staging: Staging) -> list[str]:
    """The users whom the campaign holds, or may hold, and who are not kept as they are; each once."""
    users: set[str] = set()
    for batch in staging.rows(NOT_KEPT_FILE):
        held = pc.fill_null(batch.column("settled"), fill_value=True)
        users.update(batch.column("user_id").filter(held).to_pylist())
    return sorted(users)


@contextmanager
def opened(staging: Staging) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with `base_rows`, which can be read once, `changes`, `not_kept` and `users`, as in the statements for snapshots."""
    from audiences.larger_than_memory import session

    base, changes = (pa.RecordBatchReader.from_batches(NUMBERED, staging.rows(file)) for file in KNOWN_FILES)
    not_kept = pa.RecordBatchReader.from_batches(NOT_KEPT, staging.rows(NOT_KEPT_FILE))
    with (
        tempfile.TemporaryDirectory(prefix="audiences-") as spill,
        session(Path(spill), joins_as_written=True) as database,
    ):
        database.register("base_rows", base)
        database.execute(f"create temp view base as {AS_TEXT} from base_rows")
        for name, rows, selected in (("changes", changes, AS_TEXT), ("not_kept", not_kept, "")):
            database.register("given", rows)
            database.execute(f"create temp table {name} as {selected} from given")
            database.unregister("given")
        database.execute(f"create temp view users as {statement('snapshot/users')}")
        yield database


@contextmanager
def who_are_kept(staging: Staging) -> Iterator[pa.RecordBatchReader]:
    """The members who stay as they are: `user_id`, and `row_hash` of what they are held with."""
    query = "select user_id, row_hash from users anti join not_kept using (user_id) where settled"
    with opened(staging) as database:
        yield database.sql(query).to_arrow_reader()


def kept_with(staging: Staging, identifiers: Sequence[bytes]) -> list[str]:
    """The members who stay as they are and may have one of these rows, by its hash, as far as the snapshot has them."""
    with opened(staging) as database:
        database.register("given", pa.table({"identifiers": pa.array(identifiers, pa.binary())}))
        found = database.execute(statement("snapshot/kept_with")).fetchall()
    return [user for (user,) in found]

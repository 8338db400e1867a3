"""Who comes and who goes between two sets of users, larger than memory is meant to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.larger_than_memory import session
from audiences.sql import statement

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Moves:
    """Users who are only in the second set, only in the first, and of these those who are held out."""

    comes: int
    goes: int
    to_control: int


def moves(
    *, before: pa.RecordBatchReader, after: pa.RecordBatchReader, held_out: pa.RecordBatchReader, spill: Path
) -> Moves:
    """Compare two sets of users (`user_id`), and those held out after (`user_id`, `arm`); what is large goes to `spill`."""
    with session(spill) as database:
        for name, rows in (("before", before), ("after", after), ("held_out", held_out)):
            database.register("given", rows)
            database.execute(f"create temp table {name}_users as select distinct user_id from given")  # noqa: S608  # three names of ours
            database.unregister("given")
        found = database.execute(statement("difference/moves")).fetchall()
    return Moves(*(int(count) for count in found[0]))

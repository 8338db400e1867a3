"""DuckDB for sets that are larger than memory is meant to be: a session under a memory limit, which goes to disk beyond it.

To open an instance takes 12 ms of CPU and to close one 5, more than a small comparison does; so one that has ended is kept for
the next session of this process. Sessions have temporary tables and views only, which end with them. One that has held much is
closed all the same: its allocator gives nothing back before, which is 80 MB after a million users were compared.
A child process cannot use, or close, an instance of its parent: its threads are not there. So none is kept over a fork.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMORY: Final = "96MB"  # ten millions of users are compared in it
_MUCH: Final = 16 * 1024 * 1024  # bytes
_REORDERING: Final = "build_side_probe_side,join_order"
_kept: list[duckdb.DuckDBPyConnection] = []


@contextmanager
def session(
    spill: Path, *, joins_as_written: bool = False, memory: str = MEMORY
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session of its own, whose files are in `spill`. Its answers have no order but the one that a statement asks for.

    `joins_as_written`: the right side of a join is read first and kept, whatever its size, and the left one streams past it.
    DuckDB takes a stream, of which it does not know the size, for the smaller side.
    """
    instance = _instance(spill)
    try:
        instance.execute(f"set memory_limit = '{memory}'")
        if joins_as_written:
            instance.execute(f"set disabled_optimizers = '{_REORDERING}'")
        with instance.cursor() as opened:
            yield opened
            holds_much = _held(instance) > _MUCH
        if joins_as_written:
            instance.execute("reset disabled_optimizers")
    except BaseException:
        instance.close()
        raise
    if _kept or holds_much:
        instance.close()
    else:
        _kept.append(instance)


def _held(instance: duckdb.DuckDBPyConnection) -> int:
    """The bytes of tables and answers that it has in memory, or has put on disk."""
    ((held,),) = instance.execute(
        "select sum(memory_usage_bytes + temporary_storage_bytes)::bigint from duckdb_memory()"
    ).fetchall()
    return int(held)


def _close_kept() -> None:
    while instance := _taken():
        instance.close()


os.register_at_fork(before=_close_kept)


def _taken() -> duckdb.DuckDBPyConnection | None:
    with suppress(IndexError):  # also where another thread takes the last one
        return _kept.pop()
    return None


def _instance(spill: Path) -> duckdb.DuckDBPyConnection:
    folder = str(spill).replace("'", "''")
    while instance := _taken():
        try:
            instance.execute(f"set temp_directory = '{folder}'")
        except duckdb.Error:  # it has spilled, and then stays with its folder, or it was broken off for good
            instance.close()
        else:
            return instance
    return duckdb.connect(
        config={
            "memory_limit": MEMORY,
            # Postgres has the other core meanwhile, and each thread takes memory of its own, from which a sort spills the sooner.
            "threads": 1,
            "temp_directory": str(spill),
            "arrow_large_buffer_size": False,
            "preserve_insertion_order": False,  # every answer says its order, and it takes memory
        }
    )

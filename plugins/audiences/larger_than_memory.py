"""DuckDB for sets that are larger than memory is meant to be: a session under a memory limit, which goes to disk beyond it.

To open an instance takes 12 ms of CPU and to close one 5, more than a small comparison does; so one that has ended is kept for
the next session of this process. Sessions have temporary tables and views only, which end with them.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEMORY: Final = "160MB"
_kept: list[duckdb.DuckDBPyConnection] = []


@contextmanager
def session(spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A session of its own, whose files are in `spill`. Its answers have no order but the one that a statement asks for."""
    instance = _instance(spill)
    try:
        with instance.cursor() as opened:
            yield opened
    except BaseException:
        instance.close()
        raise
    _kept.append(instance)


def _instance(spill: Path) -> duckdb.DuckDBPyConnection:
    folder = str(spill).replace("'", "''")
    while _kept:
        instance = _kept.pop()
        try:
            instance.execute(f"set temp_directory = '{folder}'")
        except duckdb.Error:  # it has spilled, and then stays with its folder, or it was broken off for good
            instance.close()
        else:
            return instance
    return duckdb.connect(
        config={
            "memory_limit": MEMORY,
            "threads": 2,
            "temp_directory": str(spill),
            "arrow_large_buffer_size": False,
            "preserve_insertion_order": False,  # every answer says its order, and it takes memory
        }
    )

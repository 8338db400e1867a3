"""The folder of one run: Parquet files that pass rows from step to step, on this machine or in an object store."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from upath import UPath

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROWS_AT_ONCE = 65_536
_FOUND_BY = ["position"]  # of the rows of a change file, by which a request reads its own only

# The allocator that Arrow prefers keeps what it was given once; this one hands it back when asked to, after each file, so that
# the steps of a run in one process do not add up (a sixth of the memory, for a million users).
pa.set_memory_pool(pa.system_memory_pool())


def default_root() -> str:
    """Where rows are staged unless the settings say otherwise: beside Airflow's own files."""
    return str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "audiences-staging")


class Staging:
    """The files of one run. They hold user ids, hashes and filter properties, and nothing raw."""

    def __init__(self, path: str) -> None:
        self.path = UPath(path)
        if isinstance(self.path, Path):  # local: nobody else's business
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def exists(self, name: str) -> bool:
        """Whether the file is there."""
        return (self.path / name).exists()

    @contextmanager
    def writer(self, name: str, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
        """Write a file batch by batch; it takes its name only when it is whole."""
        unfinished = self.path / f"{name}.unfinished"
        with (
            unfinished.open("wb") as stream,
            pq.ParquetWriter(
                stream,
                schema,
                # Hashes cannot be compressed, and hardly anything else repeats.
                compression={name: "none" if name == "identifiers" else "lz4" for name in schema.names},
                use_dictionary=False,
                write_statistics=_FOUND_BY if _FOUND_BY[0] in schema.names else False,
            ) as writer,
        ):
            yield writer
        unfinished.rename(self.path / name)
        pa.default_memory_pool().release_unused()

    def dataset(self, *names: str) -> ds.Dataset:
        """Files as one data set, read piece by piece."""
        return ds.dataset(
            [(self.path / name).path for name in names], format="parquet", filesystem=self.path.fs
        )  # fmt: skip

    def rows(self, *names: str) -> Iterator[pa.RecordBatch]:
        """The rows of files, one batch after the other.

        A data set would read so far ahead, and a buffered file keep so much behind, that most files would be in memory
        as a whole.
        """
        for name in names:
            with (self.path / name).open("rb") as stream, pq.ParquetFile(stream, pre_buffer=False) as file:
                yield from file.iter_batches(_ROWS_AT_ONCE, use_threads=False)

    def clear(self) -> None:
        """Remove the run's files and the folder."""
        if self.path.exists():
            self.path.fs.rm(self.path.path, recursive=True)

    def unused(self, name: str) -> str:
        """A name like this one that no file has yet: an earlier attempt's requests may still need its files."""
        stem, _, ending = name.partition(".")
        taken = 0
        while self.exists(f"{stem}-{taken}.{ending}"):
            taken += 1
        return f"{stem}-{taken}.{ending}"

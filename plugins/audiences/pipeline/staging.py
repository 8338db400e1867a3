"""The folder of one run: Parquet files that pass rows from step to step, on this machine or in an object store."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from upath import UPath

from audiences.disk import DiskError, changed
from audiences.errors import FixConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORD_BATCH_ROWS = 65_536
_READABLE, _DIGITS = 60, 16  # characters of a run's id and of its digest in the name of its folder
_CHECKED = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)
_FOUND_BY = ["position"]  # of the rows of a change file, by which a request reads its own only
ASSIGNED_FILE = "assigned.parquet"
"""The users whom the run assigns to an arm: `user_id`, `arm`."""
OPTED_OUT_SINCE_FILE = "opted-out-since.parquet"
"""The users who have opted out by the time that the run is planned (`user_id`), whether or not it is about them."""
CLOSING_FILE = "closing.parquet"
"""The memberships that change when a replace session ends."""

# The allocator that Arrow prefers keeps what it was given once; this one hands it back when asked to, after each file, so that
# the steps of a run in one process do not add up (a sixth of the memory, for a million users).
pa.set_memory_pool(pa.system_memory_pool())


def shard_file(number: int) -> str:
    """The name of a staged shard: `user_id`, `opted_out`, `identifiers` (packed), and the filter properties."""
    return f"users-{number:02d}.parquet"


def candidates_file(number: int) -> str:
    """The name of a staged file of candidates: `user_id`, `identifiers`, and `rank` where there is a cap."""
    return f"candidates-{number:02d}.parquet"


def held_out_file(number: int) -> str:
    """The name of a staged file of users in control groups: `user_id`, `arm`."""
    return f"held-out-{number:02d}.parquet"


def opted_out_file(number: int) -> str:
    """The name of a staged file of users who opted out (`user_id`)."""
    return f"opted-out-{number:02d}.parquet"


def never_held_out_file(number: int) -> str:
    """The name of a staged file of candidates who are under `never_hold_out` (`user_id`)."""
    return f"never-held-out-{number:02d}.parquet"


def change_file(action: str) -> str:
    """The name of a staged file of changes, from which the requests of an action read their rows; the first of its run."""
    return f"{action}.parquet"


def default_root() -> str:
    """Where rows are staged unless the settings say otherwise: beside Airflow's own files."""
    return str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "audiences-staging")


@dataclass(eq=False)
class OutsideStagingError(FixConfigError):
    """A folder that was to be cleared does not lie under the staging root."""

    folder: str
    root: str

    def __str__(self) -> str:
        return (
            f"`{self.folder}` does not lie under the staging folder `{self.root}`, so nothing in it was removed; if `staging` in "
            "include/settings.yml was changed, remove the old folder by hand once its runs are over"
        )


def run_folder(root: str | None, campaign: str, external_id: str) -> str:
    """The run's own folder under the staging root.

    A run id is anything that somebody wrote into a trigger, `..` too, so it is named by a digest; the readable part before
    it is for people.
    """
    readable = "".join(c if c.isascii() and c.isalnum() else "_" for c in external_id)[:_READABLE]
    digest = hashlib.sha256(external_id.encode(errors="surrogatepass")).hexdigest()[:_DIGITS]
    return f"{root or default_root()}/{campaign}/{readable}-{digest}"


class Staging:
    """The files of one run. They hold user ids, hashes and filter properties, and nothing raw."""

    def __init__(self, path: str) -> None:
        self.path = UPath(path)
        if isinstance(self.path, Path):  # local: nobody else's business
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def exists(self, name: str) -> bool:
        """Whether the file is there."""
        return (self.path / name).exists()

    def intact(self, name: str) -> bool:
        """Whether the file is there and can be read to its end."""
        try:
            return self.exists(name) and all(True for _ in self.rows(name))
        except DiskError:
            return False

    @contextmanager
    def writer(self, name: str, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
        """Write a file record batch by record batch; it takes its name only when it is complete."""
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
                # A flipped bit in a hash would name another person, unnoticed. It takes 0.02 s a million rows.
                write_page_checksum=True,
            ) as writer,
        ):
            yield writer
        unfinished.rename(self.path / name)
        pa.default_memory_pool().release_unused()

    def dataset(self, *names: str) -> ds.Dataset:
        """Files as one data set, read piece by piece."""
        return ds.dataset([(self.path / name).path for name in names], format=_CHECKED, filesystem=self.path.fs)

    def rows(self, *names: str) -> Iterator[pa.RecordBatch]:
        """The rows of files, one record batch after the other.

        A data set would read so far ahead, and a buffered file keep so much behind, that most files would be in memory
        as a whole. Raises DiskError for a file that was changed.
        """
        for name in names:
            try:
                with (
                    (self.path / name).open("rb") as stream,
                    pq.ParquetFile(stream, pre_buffer=False, page_checksum_verification=True) as file,
                ):
                    yield from file.iter_batches(_RECORD_BATCH_ROWS, use_threads=False)
            except pa.ArrowInvalid:
                raise changed(str(self.path / name)) from None
            except OSError as error:
                if type(error) is OSError and error.errno is None:  # Arrow's own, of what is in the file
                    raise changed(str(self.path / name)) from None
                raise

    def clear(self, *, root: str | None) -> None:
        """Remove the run's files and the folder; raises OutsideStagingError for one that is not inside the root."""
        root = root or default_root()
        if not _strictly_inside(self.path, UPath(root)):
            raise OutsideStagingError(folder=str(self.path), root=root)
        if self.path.exists():
            self.path.fs.rm(self.path.path, recursive=True)

    def unused(self, name: str) -> str:
        """A name like this one that no file has yet: an earlier attempt's requests may still need its files."""
        stem, _, ending = name.partition(".")
        taken = 0
        while self.exists(f"{stem}-{taken}.{ending}"):
            taken += 1
        return f"{stem}-{taken}.{ending}"


def _strictly_inside(folder: UPath, root: UPath) -> bool:
    """Whether the folder lies below the root, wherever links and `..` lead; the root itself does not.

    In an object store `..` is a name like any other to the store, and a step up to a library on the way, so it is refused.
    """
    if isinstance(folder, Path) and isinstance(root, Path):
        return root.resolve() in folder.resolve().parents
    if folder.protocol != root.protocol or folder.storage_options != root.storage_options:
        return False
    inside, outer = (path.path.rstrip("/").split("/") for path in (folder, root))
    return (
        len(inside) > len(outer) and inside[: len(outer)] == outer and not {"..", ".", ""} & set(inside[len(outer) :])
    )

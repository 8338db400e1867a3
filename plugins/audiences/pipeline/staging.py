"""The folder of one run: Parquet files that pass rows from step to step, on this machine or in an object store."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.fs import FSSpecHandler, LocalFileSystem, PyFileSystem

from audiences.allocators import give_back_large_blocks
from audiences.disk import DiskError, changed
from audiences.object_store import Folder
from audiences.store_faults import store_told
from audiences.user_ids import USER_ID

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

_RECORD_BATCH_ROWS = 65_536
_CHECKED = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)
_NOT_COMPRESSED = frozenset({"identifiers", "user_id", "position", "rank", "fingerprint", "row_hash"})
"""Columns of hashes, which nothing makes smaller, and of ids and numbers, for which it takes longer than it saves."""
_FOUND_BY = ["position"]  # of the rows of a change file, by which a request reads its own only
HELD_OUT = pa.schema([USER_ID, ("arm", pa.string())])
"""The columns of files that say which arm users are in."""
ANEW_SHARD = pa.schema(
    [
        USER_ID,
        ("opted_out", pa.bool_()),
        ("passes", pa.bool_()),
        ("never_held_out", pa.bool_()),
        ("identifiers", pa.binary()),
        ("fingerprint", pa.int64()),
        ("row_hash", pa.uint64()),
        ("rejected", pa.string()),
        ("arm", pa.string()),
    ]
)
"""The columns of a staged shard beside which there are users who are as they were. Members who are known and no targets any more
have no identifiers, but the hash of their row; `passes` says whether the property filters let a user through."""
SNAPSHOT = pa.schema(
    [
        USER_ID,
        ("fingerprint", pa.int64()),
        ("row_hash", pa.uint64()),
        ("rejected", pa.string()),
        ("settled", pa.bool_()),
        ("arm", pa.string()),
    ]
)
"""What is remembered of a user: fingerprint, a hash of the packed identifiers (null: not reachable), `rejected` as the encoder
says it, `settled` (the campaign holds the user under just these) and `arm` (the control group in which they are on record). Of
two files the first has users only. The second has those whose rows have changed since, in place of their rows there, with no
fingerprint who is not remembered any more; and, `settled` being null, whom the campaign holds in another way."""
SNAPSHOT_FILES = ("snapshot.parquet", "snapshot-changes.parquet")
"""What is to be remembered for the next run: NUMBERED of `steps/known/snapshot_rows.py`. The first of them only where it is
written anew."""
KNOWN_FILES = ("known.parquet", "known-changes.parquet")
"""What the last run has remembered: the same."""
NOT_KEPT = pa.schema([USER_ID, ("settled", pa.bool_())])
NOT_KEPT_FILE = "not-kept.parquet"
"""The users of KNOWN_FILES who are not as these have them, and `settled` as they have it: NOT_KEPT."""
OPTED_OUT_SINCE_FILE = "opted-out-since.parquet"
"""The users who have opted out by the time that the run is planned (`user_id`), whether or not it is about them."""
CLOSING_FILE = "closing.parquet"
"""The memberships that change when a replace session ends."""

give_back_large_blocks()


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


def remembered_file(number: int) -> str:
    """The name of a staged file of what may be remembered of a shard's users: SNAPSHOT."""
    return f"remembered-{number:02d}.parquet"


def change_file(action: str) -> str:
    """The name of a staged file of changes, from which the requests of an action read their rows; the first of its run."""
    return f"{action}.parquet"


@dataclass(frozen=True, slots=True)
class Footer:
    """What the end of a change file says of it, and the lowest and the highest position in each of its row groups."""

    metadata: pq.FileMetaData
    positions: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, metadata: pq.FileMetaData) -> Footer:
        """Read from the end of a file with the column `position`, which has statistics."""
        column = metadata.schema.names.index(_FOUND_BY[0])
        groups = (metadata.row_group(number).column(column).statistics for number in range(metadata.num_row_groups))
        return cls(metadata, [(group.min, group.max) for group in groups])


Footers = dict[str, Footer]
"""Of change files, by their paths."""


class Staging:
    """The files of one run. They hold user ids, hashes and filter properties, and nothing raw.

    Faults of an object store are raised as ObjectStoreLostError and ObjectStoreClosedError; those of a disk as they come.
    """

    def __init__(self, path: str) -> None:
        self.folder = Folder.of(path)
        if self.folder.local:  # nobody else's business
            Path(self.folder.path).mkdir(parents=True, exist_ok=True, mode=0o700)

    def exists(self, name: str) -> bool:
        """Whether the file is there now, whoever wrote it."""
        with store_told():
            return self.folder.holds(name)

    def intact(self, name: str) -> bool:
        """Whether the file is there and can be read to its end."""
        try:
            return self.exists(name) and all(True for _ in self.rows(name))
        except DiskError:
            return False

    @contextmanager
    def writer(self, name: str, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
        """Write a file record batch by record batch; it takes its name only when it is complete."""
        unfinished = f"{name}.unfinished"
        with store_told(), self.folder.there():
            with (
                self._open(unfinished, "wb") as stream,
                pq.ParquetWriter(
                    stream,
                    schema,
                    compression={name: "none" if name in _NOT_COMPRESSED else "lz4" for name in schema.names},
                    use_dictionary=False,
                    write_statistics=_FOUND_BY if _FOUND_BY[0] in schema.names else False,
                    # A flipped bit in a hash would name another person, unnoticed. Takes 0.05 s a million rows, each way.
                    write_page_checksum=True,
                ) as writer,
            ):
                yield writer
            self.folder.rename(unfinished, name)
        pa.default_memory_pool().release_unused()

    def dataset(self, *names: str) -> ds.Dataset:
        """Files as one data set, read piece by piece."""
        with store_told():
            files = [self.folder.file(name) for name in names]
            fs = LocalFileSystem() if self.folder.local else PyFileSystem(_Asked(self.folder.fs))
            return ds.dataset(files, format=_CHECKED, filesystem=fs)

    def rows(
        self, *names: str, columns: Sequence[str] | None = None, at_a_time: int = _RECORD_BATCH_ROWS
    ) -> Generator[pa.RecordBatch]:
        """The rows of files, one record batch after the other, of so many rows at most; all their columns, or these.

        A data set would read so far ahead, and a buffered file keep so much behind, that most files would be in memory
        as a whole. Raises DiskError for a file that was changed.
        """
        for name in names:
            with (
                store_told(),
                self._told_if_changed(name),
                self._open(name, "rb") as stream,
                pq.ParquetFile(stream, pre_buffer=False, page_checksum_verification=True) as file,
            ):
                yield from file.iter_batches(at_a_time, columns=columns, use_threads=False)

    def store(self, name: str, content: BinaryIO) -> None:
        """Write the bytes of a file."""
        unfinished = f"{name}.unfinished"
        with store_told():
            with self._open(unfinished, "wb") as stream:
                shutil.copyfileobj(content, stream)
            self.folder.rename(unfinished, name)

    def length(self, name: str) -> int:
        """How many rows a file has."""
        with (
            store_told(),
            self._told_if_changed(name),
            self._open(name, "rb") as stream,
            pq.ParquetFile(stream) as file,
        ):
            return int(file.metadata.num_rows)

    def between(self, name: str, first: int, after: int, *, footers: Footers) -> pa.Table:
        """The rows of a change file whose position is in [first, after); raises DiskError for a file that was changed.

        Only the row groups that may hold some are read. A data set would parse the description of all of them anew each time,
        which costs more than to read a request's rows; `footers` has those of the files that were read before.
        """
        path = self.folder.file(name)
        known = footers.get(path)
        with (
            store_told(),
            self._told_if_changed(name),
            self._open(name, "rb") as stream,
            pq.ParquetFile(
                stream,
                metadata=known.metadata if known else None,
                # Of a store all columns are asked for at once, not one after the other.
                pre_buffer=not self.folder.local,
                page_checksum_verification=True,
            ) as file,
        ):
            footer = footers[path] = known or Footer.of(file.metadata)
            groups = [
                number for number, (least, most) in enumerate(footer.positions) if least < after and most >= first
            ]
            found = file.read_row_groups(groups, use_threads=False)
        if all(first <= least and most < after for least, most in (footer.positions[number] for number in groups)):
            return found
        position = pc.field("position")
        return found.filter((position >= first) & (position < after))

    @contextmanager
    def reading(self, name: str) -> Iterator[BinaryIO]:
        """The bytes of a file."""
        with store_told(), self._open(name, "rb") as stream:
            yield stream

    def _open(self, name: str, mode: Literal["rb", "wb"]) -> Any:
        path = self.folder.file(name)
        return Path(path).open(mode) if self.folder.local else self.folder.fs.open(path, mode)

    @contextmanager
    def _told_if_changed(self, name: str) -> Iterator[None]:
        try:
            yield
        except pa.ArrowInvalid:
            raise changed(self.folder.file(name)) from None
        except OSError as error:
            if type(error) is OSError and error.errno is None:  # Arrow's own, of what is in the file
                raise changed(self.folder.file(name)) from None
            raise

    def unused(self, name: str) -> str:
        """A name like this one that no file has yet: an earlier attempt's requests may still need its files."""
        stem, _, ending = name.partition(".")
        taken = 0
        while self.exists(f"{stem}-{taken}.{ending}"):
            taken += 1
        return f"{stem}-{taken}.{ending}"


class _Asked(FSSpecHandler):  # type: ignore[misc]  # Arrow has no types
    """Opens a store's files for Arrow, whose own takes a store that does not answer for one that lacks the file."""

    def open_input_file(self, path: str) -> pa.PythonFile:
        with store_told():
            return pa.PythonFile(self.fs.open(path, "rb"), mode="r")

"""The difference where nobody is held: all who are wanted begin, and nobody leaves.

So there is nothing to compare. Rows are sorted, and those that several users share come together; see `Difference`, which has the
general case.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import closing
from itertools import islice
from operator import methodcaller
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.concurrency import prefetch
from audiences.user_ids import USER_ID
from audiences.what.changes import ADDED, Counts, numbered, starts
from audiences.what.repeated import RepeatedHashes
from audiences.what.sorted_runs import SortedRuns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MOST_SHARING: Final = 250_000
"""Of so many users who share rows with others these rows are kept in memory."""
_ROWS: Final = pa.schema([USER_ID, ("identifiers", pa.binary())])
_SHARED: Final = pa.schema([*_ROWS, ("first_user", pa.string())])
_PIECES_AT_A_TIME: Final = 16
_VALUE: Final = methodcaller("as_py")


class AllBegin:
    """Memberships that begin, for all who are wanted: `user_id`, `identifiers`. Files are made in `folder`."""

    def __init__(self, campaign: int, folder: Path) -> None:
        self._campaign, self._folder = campaign, folder
        self._sorted = SortedRuns(_ROWS, folder)
        self._users = 0
        self._shared = _SHARED.empty_table()

    def want(self, candidates: Iterable[pa.RecordBatch], hashes: Iterable[pa.Array] = ()) -> bool:
        """Take all who are wanted, with the hashes of their rows if they are known; to be called once, before anything else.

        Hashes that are not as many as these users are not used. Gives False where more of them share rows than are kept in
        memory: then there are `rows` only, to be compared on disk.
        """
        with closing(RepeatedHashes(self._folder / "hashes")) as hashed:
            for some in hashes:
                hashed.add(some)
            batches = iter(candidates) if hashed.rows else _hashed(candidates, hashed)
            with closing(prefetch(batches)) as ahead:
                for batch in ahead:
                    self._users += batch.num_rows
                    self._sorted.add(batch)
            repeated = hashed.found() if hashed.rows == self._users else self._hashed_again()
        shared = self._sharing(repeated) if len(repeated) else self._shared
        if shared is None:
            return False
        self._shared = shared
        return True

    def rows(self) -> pa.RecordBatchReader:
        """All who are wanted, in no order."""
        return pa.RecordBatchReader.from_batches(_ROWS, self._sorted.rows())

    def counts(self) -> Counts:
        """The figures of the difference."""
        rows = self._users - self._shared.num_rows + len(self._shared.column("identifiers").unique())
        none = dict.fromkeys(("rekeyed", "left", "expired", "gone", "held", "remove", "quarantined"), 0)
        return Counts(
            candidates=self._users,
            targeted=self._users,
            begun=self._users,
            add=rows,
            memberships_after=self._users,
            rows_after=rows,
            **none,
        )

    def changes(self, action: str) -> Iterator[pa.RecordBatch]:
        """As `Difference.changes`: all of them are added."""
        if action == "add":
            yield from numbered(self._by_place(), {**ADDED, "campaign_id": self._campaign})

    def assigned(self, held_out: pa.RecordBatchReader, *, added: bool) -> pa.RecordBatchReader:
        """As `Difference.assigned`: without those who are added nobody but the held out."""
        rows = SortedRuns(held_out.schema, self._folder)
        for batch in () if added else self.rows():
            rows.add(
                pa.record_batch([batch.column("user_id"), pa.repeat("target", len(batch))], schema=held_out.schema)
            )
        for batch in held_out:
            rows.add(batch)
        return pa.RecordBatchReader.from_batches(held_out.schema, rows.merged())

    def _hashed_again(self) -> pa.Array:
        """The hashes that several rows have, made anew for all of them."""
        with closing(RepeatedHashes(self._folder / "hashes-again")) as hashed:
            for _ in _hashed(self.rows(), hashed):
                pass
            return hashed.found()

    def _sharing(self, hashes: pa.Array) -> pa.Table | None:
        """The rows that several users have, in the order of their first users (_SHARED); None for too many."""
        from audiences.digests.by_duckdb import row_hashes

        found, pieces = _ROWS.empty_table(), iter(self.rows())
        while some := list(islice(pieces, _PIECES_AT_A_TIME)):
            rows = pa.Table.from_batches(some)
            alike = rows.filter(pc.is_in(row_hashes(rows.column("identifiers")), value_set=hashes))
            found = pa.concat_tables([found, alike])
            if found.num_rows > MOST_SHARING:
                return None
        found = found.sort_by([("identifiers", "ascending"), ("user_id", "ascending")]).combine_chunks()
        users, first = (found.column("user_id").combine_chunks(), starts(found.column("identifiers").combine_chunks()))
        group = pc.subtract(pc.cumulative_sum(first.cast(pa.int64())), 1)
        alone = pc.and_(first, pa.concat_arrays([first.slice(1), pa.array([True])]))
        found = found.append_column("first_user", users.filter(first).take(group)).filter(pc.invert(alone))
        return found.sort_by(
            [(name, "ascending") for name in ("first_user", "identifiers", "user_id")]
        ).combine_chunks()

    def _by_place(self) -> Iterator[pa.RecordBatch]:
        """The rows by user, but those that several have at the place of the first of them."""
        by_first, by_user = self._shared, self._shared.sort_by("user_id")
        for batch in self._sorted.merged():
            last = batch.column("user_id")[-1].as_py()
            theirs, by_user = _up_to(last, by_user, "user_id")
            coming, by_first = _up_to(last, by_first, "first_user")
            if theirs.num_rows:
                shared = pc.is_in(batch.column("identifiers"), value_set=theirs.column("identifiers").combine_chunks())
                batch = batch.filter(pc.invert(shared))
            yield _merged(batch, coming) if coming.num_rows else batch


def _hashed(candidates: Iterable[pa.RecordBatch], into: RepeatedHashes) -> Iterator[pa.RecordBatch]:
    """The same batches, the hashes of whose rows are taken down as they pass."""
    from audiences.digests.by_duckdb import row_hashes  # not needed where hashes are known

    for batch in candidates:
        into.add(row_hashes(batch.column("identifiers")))
        yield batch


def _up_to(last: str, rows: pa.Table, by: str) -> tuple[pa.Table, pa.Table]:
    """Those of the rows, which are in order, that come before the last or are the same, and all others."""
    end = bisect_right(rows.column(by), last, key=_VALUE)
    return rows.slice(0, end), rows.slice(end)


def _merged(batch: pa.RecordBatch, shared: pa.Table) -> pa.RecordBatch:
    """Both together, the shared rows at the places of their first users."""
    together = pa.concat_tables([pa.Table.from_batches([batch]), shared.select(_ROWS.names)])
    places = pa.chunked_array([batch.column("user_id"), *shared.column("first_user").chunks])
    (merged,) = together.take(pc.sort_indices(places)).combine_chunks().to_batches()
    return merged

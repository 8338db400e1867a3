"""Rows in the order of one of their columns, however many: an external merge sort.

Sorted runs go to disk, and come back range by range of what they are sorted by. Arrow moves whole columns, so that it takes a
third of the CPU time of a sort in DuckDB, which turns them into rows and back.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import count
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

RUN_ROWS = 262_144
"""Of so many at least a run on disk is made; fewer are sorted in memory."""
PIECE_ROWS = 4_096
"""So many of each run are in memory while all are merged."""
_RANGE_ROWS: Final = 20_000
_STRIDE: Final = 512
"""Of so many rows of a run one is remembered, to cut all of them into ranges by."""
_VALUE: Final = methodcaller("as_py")


class SortedRuns:
    """Rows of a schema to be read in the order of the column `by`, those that are the same in it in any order.

    Files are made in `folder`, whoever gives that removes it.
    """

    def __init__(self, schema: pa.Schema, folder: Path, *, by: str = "user_id") -> None:
        self._schema, self._by = schema, by
        self._files = (folder / f"run-{id(self):x}-{number}.arrow" for number in count())
        self._runs: list[Path] = []
        self._remembered: list[pa.Array] = []
        self._given: list[pa.RecordBatch] = []
        self._rows_given = 0
        self._last: list[pa.RecordBatch] | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows; before any are read."""
        self._given.append(batch.select(self._schema.names))
        self._rows_given += batch.num_rows
        if self._rows_given >= RUN_ROWS:
            self._to_disk(self._sorted())

    def rows(self) -> Iterator[pa.RecordBatch]:
        """All rows, in no order; they can be read again."""
        for pieces in self._all():
            yield from pieces

    def merged(self) -> Iterator[pa.RecordBatch]:
        """All rows in order, as batches that end between different values of `by`; they can be read again."""
        parts = [_Part(pieces, self._by) for pieces in self._all()]
        for bound in [*self._bounds(), None]:
            found = [piece for part in parts for piece in part.up_to(bound)]
            if found:
                yield self._in_order(found) if len(found) > 1 else found[0]

    def _all(self) -> list[Iterator[pa.RecordBatch]]:
        if self._last is None:
            self._last = list(self._sorted()) if self._given else []
        return [*map(_pieces, self._runs), iter(self._last)]

    def _sorted(self) -> Iterator[pa.RecordBatch]:
        given = pa.concat_batches(self._given)
        self._given, self._rows_given = [], 0
        order = pc.sort_indices(given.column(self._by))
        self._remembered.append(given.column(self._by).take(order[_STRIDE - 1 :: _STRIDE]))
        for first in range(0, len(order), PIECE_ROWS):
            yield given.take(order.slice(first, PIECE_ROWS))

    def _to_disk(self, pieces: Iterable[pa.RecordBatch]) -> None:
        file = next(self._files)
        with pa.OSFile(str(file), "wb") as stream, pa.ipc.new_stream(stream, self._schema) as writer:
            for piece in pieces:
                writer.write_batch(piece)
        self._runs.append(file)

    def _bounds(self) -> list[Any]:
        """Values that cut all rows into ranges of nearly _RANGE_ROWS, or more of those that are the same."""
        remembered = pa.concat_arrays(self._remembered or [pa.array([], self._schema.field(self._by).type)])
        some = remembered.take(pc.sort_indices(remembered))[:: max(_RANGE_ROWS // _STRIDE, 1)]
        bounds: list[Any] = some.unique().to_pylist()
        return bounds

    def _in_order(self, pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
        together = pa.concat_batches(pieces)
        return together.take(pc.sort_indices(together.column(self._by)))


class _Part:
    """What has not been read yet of a sorted run."""

    def __init__(self, pieces: Iterator[pa.RecordBatch], by: str) -> None:
        self._pieces, self._by = pieces, by
        self._piece: pa.RecordBatch | None = next(pieces, None)

    def up_to(self, bound: Any) -> Iterator[pa.RecordBatch]:
        """What comes before the bound, or is the same; all that is left for None."""
        while (piece := self._piece) is not None:
            values = piece.column(self._by)
            end = len(piece) if bound is None else bisect_right(values, bound, key=_VALUE)
            if end:
                yield piece.slice(0, end)
            if end < len(piece):
                self._piece = piece.slice(end)
                return
            self._piece = next(self._pieces, None)


def _pieces(file: Path) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(str(file)) as stream, pa.ipc.open_stream(stream) as reader:
        yield from reader

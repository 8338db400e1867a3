"""Which of many hashes come more than once, however many there are: on disk, and looked at one sixteenth after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PARTS: Final = 16
_EDGES: Final = pa.array([part * 2**60 for part in range(_PARTS + 1)][:-1], pa.uint64())
_BYTES: Final = 8


class RepeatedHashes:
    """Hashes of 64 bits, given in any number of arrays; `found` says which of them came more than once."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("w+b")
        self._bounds: list[list[int]] = []
        self.rows = 0
        """So many were given."""

    def add(self, hashes: pa.Array) -> None:
        """Take hashes, none of which is null."""
        ordered = hashes.to_numpy().copy()
        ordered.sort()
        first = ordered.searchsorted(_EDGES.to_numpy())
        self._bounds.append([*(self.rows + first).tolist(), self.rows + len(ordered)])
        self.rows += len(ordered)
        self._file.write(ordered)

    def found(self) -> pa.Array:
        """Those that came more than once, each of them once."""
        return pa.concat_arrays([pa.array([], pa.uint64()), *map(self._repeated, range(_PARTS))])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _repeated(self, part: int) -> pa.Array:
        hashes = pa.concat_arrays([pa.array([], pa.uint64()), *self._of(part)]).to_numpy(
            zero_copy_only=False, writable=True
        )
        hashes.sort()
        return pa.array(hashes[1:][hashes[1:] == hashes[:-1]], pa.uint64()).unique()

    def _of(self, part: int) -> Iterator[pa.Array]:
        for bounds in self._bounds:
            first, after = bounds[part : part + 2]
            self._file.seek(first * _BYTES)
            content = pa.py_buffer(self._file.read((after - first) * _BYTES))
            yield pa.Array.from_buffers(pa.uint64(), after - first, [None, content])

"""SHA-256, here and nowhere else, over text that Python has lower-cased: databases treat a few letters differently."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HEX: Final = "[0-9a-f]{64}"
"""A SHA-256 as Facebook wants it."""

_ROWS_AT_ONCE: Final = 32_768  # bounds the Python objects alive at a time to a few megabytes


def sha256_hex(text: str) -> str:
    """The hash of the UTF-8 text in lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_column(texts: pa.Array, *, repeats: bool = False) -> pa.Array:
    """The hashes of the UTF-8 texts, 32 bytes each; null for null. `repeats`: hash the distinct texts only."""
    if repeats:
        distinct = texts.dictionary_encode()
        return sha256_column(distinct.dictionary).take(distinct.indices)
    sha256 = hashlib.sha256  # a million times a column: each look-up and call counts
    return _joined(
        [None if text is None else sha256(text).digest() for text in some] for some in _slices(texts.cast(pa.binary()))
    )


def from_hex(hashes: pa.Array) -> pa.Array:
    """Hashes in hex as 32 bytes each; null for null."""
    return _joined([None if text is None else bytes.fromhex(text) for text in some] for some in _slices(hashes))


def _slices(values: pa.Array) -> Iterator[list[Any]]:
    for start in range(0, len(values), _ROWS_AT_ONCE):
        yield values.slice(start, _ROWS_AT_ONCE).to_pylist()


def _joined(parts: Iterable[list[bytes | None]]) -> pa.Array:
    return pa.concat_arrays([pa.array([], pa.binary()), *(pa.array(part, pa.binary()) for part in parts)])

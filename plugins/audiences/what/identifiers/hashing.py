"""SHA-256, here and nowhere else, over text that Python has lower-cased: databases treat a few letters differently."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

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
    return _each(texts.cast(pa.binary()), lambda text: hashlib.sha256(text).digest())


def from_hex(hashes: pa.Array) -> pa.Array:
    """Hashes in hex as 32 bytes each; null for null."""
    return _each(hashes, bytes.fromhex)


def _each(values: pa.Array, convert: Callable[..., bytes]) -> pa.Array:
    parts = [pa.array([], pa.binary())]
    for start in range(0, len(values), _ROWS_AT_ONCE):
        slice_ = values.slice(start, _ROWS_AT_ONCE).to_pylist()
        parts.append(pa.array([None if value is None else convert(value) for value in slice_], pa.binary()))
    return pa.concat_arrays(parts)

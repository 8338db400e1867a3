"""SHA-256 over whole columns of text: of a few in Python, of many in DuckDB, which takes a tenth of a second to import."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW: Final = 1_000


def sha256_column(texts: pa.Array, *, prefix: str = "") -> pa.Array:
    """The hashes of the UTF-8 texts, each after the prefix, as binary of 32 bytes; null for null."""
    if len(texts) <= FEW:
        return pa.array((hashed and hashed.digest() for hashed in _hashed(texts, prefix)), pa.binary())
    from audiences.digests import by_duckdb

    return by_duckdb.sha256_column(texts, prefix=prefix)


def sha256_below(texts: pa.Array, bound: str, *, prefix: str = "") -> pa.Array:
    """Whether each hash in lower-case hex begins with fewer than `bound`, a number of as many hex digits as it has."""
    if len(texts) <= FEW:
        # Digits are compared from the left, and a longer text is not below its own beginning.
        return pa.array((hashed and hashed.hexdigest() < bound for hashed in _hashed(texts, prefix)), pa.bool_())
    from audiences.digests import by_duckdb

    return by_duckdb.sha256_below(texts, bound, prefix=prefix)


def _hashed(texts: pa.Array, prefix: str) -> Iterator[hashlib._Hash | None]:
    """The hash of each text, None for null."""
    salt = hashlib.sha256(prefix.encode())
    for text in texts.to_pylist():
        if text is None:
            yield None
        else:
            hashed = salt.copy()
            hashed.update(text.encode())
            yield hashed

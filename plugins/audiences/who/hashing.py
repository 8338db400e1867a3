"""SHA-256 of "<salt>:<user_id>" over a whole column: who is held out and who comes first, the same on every machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    Ids: TypeAlias = pa.Array | pa.ChunkedArray | pd.Series[str]

_IDS_AT_ONCE = 32_768  # bounds the Python objects alive at a time to a few megabytes


def salted_digests(user_ids: Ids, salt: str) -> pa.Array:
    """The hashes as binary, 32 bytes each."""
    return _joined((pa.array(digests, pa.binary()) for digests in _digests(user_ids, salt)), pa.binary())


def starts_below(user_ids: Ids, salt: str, bound: str) -> pa.Array:
    """Whether a hash in lower-case hex starts with fewer than `bound`, a number of as many hex digits as it has."""
    # Bytes are compared from the left, like the digits; an odd digit more is made a whole byte by a 0, which is the least.
    least = bytes.fromhex(bound + "0" * (len(bound) % 2))
    return _joined(
        (pa.array([digest < least for digest in digests], pa.bool_()) for digests in _digests(user_ids, salt)),
        pa.bool_(),
    )


def strings(user_ids: Ids) -> pa.Array:
    """A column of ids as one Arrow array of strings."""
    given = user_ids if isinstance(user_ids, pa.Array | pa.ChunkedArray) else pa.array(user_ids)
    texts = given.cast(pa.string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _digests(user_ids: Ids, salt: str) -> Iterator[list[bytes]]:
    ids, prefix, sha256 = strings(user_ids).cast(pa.binary()), f"{salt}:".encode(), hashlib.sha256
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield [sha256(prefix + user).digest() for user in ids.slice(start, _IDS_AT_ONCE).to_pylist()]


def _joined(parts: Iterator[pa.Array], kind: pa.DataType) -> pa.Array:
    return pa.concat_arrays([pa.array([], kind), *parts])

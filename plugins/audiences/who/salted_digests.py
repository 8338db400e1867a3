"""SHA-256 of "<salt>:<user_id>" over a whole column: who is held out and who comes first, the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa

from audiences.digests import sha256_below, sha256_column

if TYPE_CHECKING:
    import pandas as pd

    Ids: TypeAlias = pa.Array | pa.ChunkedArray | pd.Series[str]


def salted_digests(user_ids: Ids, salt: str) -> pa.Array:
    """The hashes as binary, 32 bytes each."""
    return sha256_column(strings(user_ids), prefix=f"{salt}:")


def starts_below(user_ids: Ids, salt: str, bound: str) -> pa.Array:
    """Whether a hash in lower-case hex starts with fewer than `bound`, a number of as many hex digits as it has."""
    return sha256_below(strings(user_ids), bound, prefix=f"{salt}:")


def strings(user_ids: Ids) -> pa.Array:
    """A column of ids as one Arrow array of strings."""
    given = user_ids if isinstance(user_ids, pa.Array | pa.ChunkedArray) else pa.array(user_ids)
    texts = given.cast(pa.string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts

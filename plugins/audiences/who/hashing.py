"""SHA-256 of "<salt>:<user_id>" over a whole column: who is held out and who comes first, the same on every machine."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import duckdb
import pyarrow as pa
from duckdb import ColumnExpression, ConstantExpression, FunctionExpression

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import Expression

    Ids: TypeAlias = pa.Array | pa.ChunkedArray | pd.Series[str]

_ID = "user_id"


def salted_digests(user_ids: Ids, salt: str) -> pa.Array:
    """The hashes as binary, 32 bytes each."""
    return _computed(user_ids, FunctionExpression("unhex", _hex(salt)))


def starts_below(user_ids: Ids, salt: str, bound: str) -> pa.Array:
    """Whether a hash in lower-case hex starts with fewer than `bound`, a number of as many hex digits as it has."""
    start = FunctionExpression("left", _hex(salt), ConstantExpression(len(bound)))
    return _computed(user_ids, start < ConstantExpression(bound))


def strings(user_ids: Ids) -> pa.Array:
    """A column of ids as one Arrow array of strings."""
    given = user_ids if isinstance(user_ids, pa.Array | pa.ChunkedArray) else pa.array(user_ids)
    texts = given.cast(pa.string())
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def _hex(salt: str) -> Expression:
    salted = FunctionExpression("concat", ConstantExpression(f"{salt}:"), ColumnExpression(_ID))
    return FunctionExpression("sha256", salted)


def _computed(user_ids: Ids, expression: Expression) -> pa.Array:
    with _database().cursor() as session:
        result = session.from_arrow(pa.table({_ID: strings(user_ids)})).select(expression).to_arrow_table()
    return result.column(0).combine_chunks()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """Holds nothing, and takes as long to open as thirty thousand hashes."""
    return duckdb.connect(config={"threads": 1})

"""Hashes of columns against hashes of single texts."""

from __future__ import annotations

import hashlib

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from audiences.digests import FEW, by_duckdb, sha256_below, sha256_column
from audiences.digests.hex_digits import from_hex

TEXTS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=20), max_size=20)
PREFIXES = st.text(st.characters(codec="utf-8"), max_size=10)


def _hash(prefix: str, text: str) -> str:
    return hashlib.sha256((prefix + text).encode()).hexdigest()


@given(texts=TEXTS, prefix=PREFIXES)
def test_every_text_is_hashed_after_the_prefix(texts: list[str | None], prefix: str):
    expected = [None if text is None else bytes.fromhex(_hash(prefix, text)) for text in texts]
    for hashed in (sha256_column, by_duckdb.sha256_column):  # of a few texts, and of many
        hashes = hashed(pa.array(texts, pa.string()), prefix=prefix)
        assert hashes.type == pa.binary()
        assert hashes.to_pylist() == expected


@given(texts=TEXTS, prefix=PREFIXES, bound=st.integers(0, 16**3 - 1), digits=st.sampled_from([3, 15, 64]))
def test_a_hash_is_below_a_bound_when_its_first_digits_are(
    texts: list[str | None], prefix: str, bound: int, digits: int
):
    limit = f"{bound:03x}".ljust(digits, "0")
    expected = [None if text is None else _hash(prefix, text)[:digits] < limit for text in texts]
    for below in (sha256_below, by_duckdb.sha256_below):
        found = below(pa.array(texts, pa.string()), limit, prefix=prefix)
        assert found.type == pa.bool_()
        assert found.to_pylist() == expected


@given(values=st.lists(st.none() | st.binary(max_size=40), max_size=20), first=st.integers(0, 20), hidden=st.booleans())
def test_hex_digits_become_the_bytes_that_they_stand_for(values: list[bytes | None], first: int, hidden: bool):
    digits = pa.array(["no digits" if value is None else value.hex() for value in values], pa.string())
    if hidden:  # behind a null
        there = pa.array([value is not None for value in values], pa.bool_())
        digits = pa.Array.from_buffers(pa.string(), len(values), [there.buffers()[1], *digits.buffers()[1:]])
    else:
        digits = pa.array([None if value is None else value.hex() for value in values], pa.string())
    assert from_hex(digits.slice(first)).to_pylist() == values[first:]


def test_many_texts_are_hashed_by_duckdb(monkeypatch):
    monkeypatch.setattr(by_duckdb, "sha256_column", lambda texts, *, prefix: (len(texts), prefix))
    assert sha256_column(pa.array(["a"] * (FEW + 1)), prefix="s") == (FEW + 1, "s")

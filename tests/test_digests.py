"""Hashes of columns against hashes of single texts."""

from __future__ import annotations

import hashlib

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from audiences.digests import FEW, by_duckdb, sha256_below, sha256_column

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


def test_many_texts_are_hashed_by_duckdb(monkeypatch):
    monkeypatch.setattr(by_duckdb, "sha256_column", lambda texts, *, prefix: (len(texts), prefix))
    assert sha256_column(pa.array(["a"] * (FEW + 1)), prefix="s") == (FEW + 1, "s")

"""Hashes of columns against hashes of single texts."""

from __future__ import annotations

import hashlib

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from audiences.digests import sha256_below, sha256_column

TEXTS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=20), max_size=20)
PREFIXES = st.text(st.characters(codec="utf-8"), max_size=10)


def _hash(prefix: str, text: str) -> str:
    return hashlib.sha256((prefix + text).encode()).hexdigest()


@given(texts=TEXTS, prefix=PREFIXES)
def test_every_text_is_hashed_after_the_prefix(texts: list[str | None], prefix: str):
    hashes = sha256_column(pa.array(texts, pa.string()), prefix=prefix)
    assert hashes.to_pylist() == [None if text is None else bytes.fromhex(_hash(prefix, text)) for text in texts]


@given(texts=TEXTS, prefix=PREFIXES, bound=st.integers(0, 16**3 - 1), digits=st.sampled_from([3, 15, 64]))
def test_a_hash_is_below_a_bound_when_its_first_digits_are(
    texts: list[str | None], prefix: str, bound: int, digits: int
):
    limit = f"{bound:03x}".ljust(digits, "0")
    below = sha256_below(pa.array(texts, pa.string()), limit, prefix=prefix).to_pylist()
    assert below == [None if text is None else _hash(prefix, text)[:digits] < limit for text in texts]

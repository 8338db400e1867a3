from __future__ import annotations

import hashlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.what.identifiers.hashing import sha256_column, sha256_hex

TEXTS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=20), max_size=20)


@given(texts=TEXTS, repeats=st.booleans())
def test_a_column_is_hashed_as_its_texts_in_utf_8(texts: list[str | None], repeats: bool):
    hashes = sha256_column(pa.array(texts, pa.string()), repeats=repeats)

    assert hashes.type == pa.binary()
    assert hashes.to_pylist() == [None if text is None else hashlib.sha256(text.encode()).digest() for text in texts]


def test_a_slice_is_hashed_from_where_it_starts():
    texts = pa.array(["a", "b", None, "c"])
    assert sha256_column(texts.slice(1)) == sha256_column(texts).slice(1)


def test_long_columns_are_hashed_to_the_last_row():
    texts = [str(number) for number in range(70_000)]
    hashes = sha256_column(pa.array(texts))

    assert len(hashes) == len(texts)
    assert hashes[-1].as_py().hex() == sha256_hex(texts[-1])


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("mary@example.com", "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79"),
        ("정", "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
        ("valéry", "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
    ],
)
def test_the_examples_of_facebooks_documentation_have_their_hashes(text: str, digest: str):
    assert sha256_hex(text) == digest

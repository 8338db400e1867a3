"""SHA-256, here and nowhere else, over text that Python has lower-cased: databases treat a few letters differently."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING, Final

from audiences import digests
from audiences.what.identifiers.text import PLACEHOLDERS, SHORT_PLACEHOLDERS

if TYPE_CHECKING:
    import pyarrow as pa

HEX: Final = "[0-9a-f]{64}"
"""A SHA-256 as Facebook wants it."""


def sha256_hex(text: str) -> str:
    """The hash of the UTF-8 text in lower-case hex."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def hashes_of_nothing(*, short_words: bool) -> frozenset[str]:
    """What a pipeline upstream makes of a missing value when it hashes without looking: `""`, `"null"`, `"nan"` …"""
    words = PLACEHOLDERS if short_words else PLACEHOLDERS | SHORT_PLACEHOLDERS | {"NaN"}
    spellings = {"", " "}.union(*((word, word.upper(), word.capitalize()) for word in words))
    return frozenset(map(sha256_hex, spellings))


def sha256_column(texts: pa.Array, *, repeats: bool = False) -> pa.Array:
    """The hashes of the UTF-8 texts, 32 bytes each; null for null. `repeats`: hash the distinct texts only."""
    if repeats:
        distinct = texts.dictionary_encode()
        return digests.sha256_column(distinct.dictionary).take(distinct.indices)
    return digests.sha256_column(texts)

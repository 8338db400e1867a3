"""A fingerprint of a user's raw identifiers: 64 bits that Postgres computes, by which it is seen whether one has changed.

It is no identifier and names nobody: each identifier goes into it under a seed of its own, which only the ledger knows.
"""

from __future__ import annotations

from functools import reduce
from hashlib import sha256
from typing import TYPE_CHECKING

import sqlalchemy as sa

from audiences.query.sources import LETTER_BY_LETTER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.query.text_columns import Value


def fingerprint(identifiers: Mapping[str, Value], secret: bytes) -> Value:
    """The fingerprint of identifiers as raw text, by their names; never null.

    Each is hashed by itself, and a missing one counts as a number that no text is likely to give, so that nothing that moves
    from one identifier to another goes unseen.
    """
    hashes = [_hash(value, _seed(secret, name)) for name, value in identifiers.items()]
    return reduce(lambda left, right: left.op("#", return_type=sa.BigInteger())(right), hashes)


def _hash(text: Value, seed: int) -> Value:
    of_bytes = sa.func.hashtextextended(sa.collate(text, LETTER_BY_LETTER), seed, type_=sa.BigInteger)
    return sa.func.coalesce(of_bytes, ~seed)


def _seed(secret: bytes, name: str) -> int:
    digest = sha256(b"fingerprint of " + name.encode() + b" by " + secret).digest()
    return int.from_bytes(digest[:8], signed=True)

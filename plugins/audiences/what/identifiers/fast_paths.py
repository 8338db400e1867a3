"""Fast paths: the values of a whole column at once, as far as they need no second look.

Each function takes a column of text and answers for ASCII values in their usual form, exactly as the rule of the identifier
does; it leaves null what the rule has to look at. Which identifier takes which is said in the table of rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.what.identifiers.email import LONGEST, PATTERN
from audiences.what.identifiers.hashing import HEX, hashes_of_nothing
from audiences.what.identifiers.text import PLACEHOLDERS, SHORT_PLACEHOLDERS
from audiences.what.identifiers.verbatim import DEVICE_ID, NO_DEVICE

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

_NOTHING: Final = pa.scalar(None, pa.string())
_ID: Final = "^[!-~]*[0-9A-Za-z][!-~]*$"
_SHORTER_THAN_A_HASH: Final = 63
_NAME: Final = "^[A-Za-z]{1,31}$"  # shorter than an MD5


def _lowered(texts: pa.Array) -> pa.Array:
    # The variants for ASCII: what they leave alone, the patterns do not match.
    return pc.ascii_lower(pc.ascii_trim_whitespace(texts))


def _where(sure: pa.Array, texts: pa.Array) -> pa.Array:
    return pc.if_else(sure, texts, _NOTHING)


def hashes(texts: pa.Array, *, short_words: bool) -> pa.Array:
    """SHA-256 in hex, of a column that is declared as hashed; `short_words` as in the table of identifiers."""
    lowered = _lowered(texts)
    nothing = pc.is_in(lowered, value_set=pa.array(hashes_of_nothing(short_words=short_words)))
    return _where(pc.and_not(pc.match_substring_regex(lowered, f"^{HEX}$"), nothing), lowered)


def emails(texts: pa.Array, _: Context) -> pa.Array:
    """E-mail addresses."""
    lowered = _lowered(texts)
    short = pc.less_equal(pc.binary_length(lowered), LONGEST)
    return _where(pc.and_(pc.match_substring_regex(lowered, PATTERN), short), lowered)


def external_ids(texts: pa.Array, _: Context) -> pa.Array:
    """Ids of the shop's own that are shorter than a hash."""
    trimmed = pc.ascii_trim_whitespace(texts)
    short = pc.less_equal(pc.binary_length(trimmed), _SHORTER_THAN_A_HASH)
    word = pc.is_in(pc.ascii_lower(trimmed), value_set=pa.array(PLACEHOLDERS | SHORT_PLACEHOLDERS))
    return _where(pc.and_not(pc.and_(pc.match_substring_regex(trimmed, _ID), short), word), trimmed)


def device_ids(texts: pa.Array, _: Context) -> pa.Array:
    """Advertising ids of devices."""
    lowered = _lowered(texts)
    return _where(
        pc.and_(pc.match_substring_regex(lowered, f"^{DEVICE_ID}$"), pc.not_equal(lowered, NO_DEVICE)), lowered
    )


def names(texts: pa.Array, _: Context) -> pa.Array:
    """First and last names that have the letters a to z only."""
    lowered = _lowered(texts)
    return _where(
        pc.and_not(pc.match_substring_regex(lowered, _NAME), pc.is_in(lowered, value_set=pa.array(PLACEHOLDERS))),
        lowered,
    )

"""The values of a column that need no second look, all at once.

Each function answers for ASCII values in their usual form, exactly as the rule of the field does, and leaves null what
the rule has to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.what.identifiers.email import LONGEST, PATTERN
from audiences.what.identifiers.hashing import HEX
from audiences.what.identifiers.identity import DEVICE_ID, NO_DEVICE
from audiences.what.identifiers.phone_column import plain_phones
from audiences.what.identifiers.rules import hashes_of_nothing
from audiences.what.identifiers.text import PLACEHOLDERS, SHORT_PLACEHOLDERS

if TYPE_CHECKING:
    from audiences.what.identifiers.fields import Field
    from audiences.what.identifiers.outcome import Context

_NOTHING: Final = pa.scalar(None, pa.string())
_ID: Final = "^[!-~]*[0-9A-Za-z][!-~]*$"
_SHORTER_THAN_A_HASH: Final = 63
_NAME: Final = "^[A-Za-z]{1,31}$"  # shorter than an MD5


def plain_values(field: Field, texts: pa.Array, context: Context) -> pa.Array:
    """The normalised text per value, null where the rule has to look."""
    if field.hashed and context.pre_hashed:
        return _hashes(field, texts)
    match field.name:
        case "email":
            return _emails(texts)
        case "phone":
            return plain_phones(texts, context)
        case "external_id":
            return _external_ids(texts)
        case "madid":
            return _device_ids(texts)
        case "first_name" | "last_name":
            return _names(texts)
        case _:
            return pa.nulls(len(texts), pa.string())


def _lowered(texts: pa.Array) -> pa.Array:
    # The variants for ASCII: what they leave alone, the patterns do not match.
    return pc.ascii_lower(pc.ascii_trim_whitespace(texts))


def _where(sure: pa.Array, texts: pa.Array) -> pa.Array:
    return pc.if_else(sure, texts, _NOTHING)


def _hashes(field: Field, texts: pa.Array) -> pa.Array:
    lowered = _lowered(texts)
    nothing = pc.is_in(lowered, value_set=pa.array(hashes_of_nothing(short_words=field.short_words)))
    return _where(pc.and_not(pc.match_substring_regex(lowered, f"^{HEX}$"), nothing), lowered)


def _emails(texts: pa.Array) -> pa.Array:
    lowered = _lowered(texts)
    short = pc.less_equal(pc.binary_length(lowered), LONGEST)
    return _where(pc.and_(pc.match_substring_regex(lowered, PATTERN), short), lowered)


def _external_ids(texts: pa.Array) -> pa.Array:
    trimmed = pc.ascii_trim_whitespace(texts)
    short = pc.less_equal(pc.binary_length(trimmed), _SHORTER_THAN_A_HASH)
    word = pc.is_in(pc.ascii_lower(trimmed), value_set=pa.array(PLACEHOLDERS | SHORT_PLACEHOLDERS))
    return _where(pc.and_not(pc.and_(pc.match_substring_regex(trimmed, _ID), short), word), trimmed)


def _device_ids(texts: pa.Array) -> pa.Array:
    lowered = _lowered(texts)
    return _where(
        pc.and_(pc.match_substring_regex(lowered, f"^{DEVICE_ID}$"), pc.not_equal(lowered, NO_DEVICE)), lowered
    )


def _names(texts: pa.Array) -> pa.Array:
    lowered = _lowered(texts)
    return _where(
        pc.and_not(pc.match_substring_regex(lowered, _NAME), pc.is_in(lowered, value_set=pa.array(PLACEHOLDERS))),
        lowered,
    )

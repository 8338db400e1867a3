"""A value of any field through its rule."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from audiences.what.identifiers import births, email, identity, names, phone, places
from audiences.what.identifiers.fields import FIELDS
from audiences.what.identifiers.hashing import HEX, sha256_hex
from audiences.what.identifiers.outcome import Context, Normalised, Outcome, Reason
from audiences.what.identifiers.text import PLACEHOLDERS, SHORT_PLACEHOLDERS, clean, is_placeholder

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.what.identifiers.fields import Field

_RULES: Final[dict[str, Callable[[str, Context], Outcome]]] = {
    "email": email.email,
    "phone": phone.phone,
    "external_id": identity.external_id,
    "madid": identity.device_id,
    "first_name": names.name,
    "first_initial": names.first_initial,
    "last_name": names.name,
    "city": places.city,
    "region": places.region,
    "zip": places.postal_code,
    "country": places.country,
    "date_of_birth": births.date_of_birth,
    "doby": births.year_of_birth,
    "dobm": births.month_of_birth,
    "dobd": births.day_of_birth,
    "gender": names.gender,
}
# SHA-1, SHA-256 and SHA-512; a shorter one, MD5, is told apart because exports of other networks hold it.
_DIGEST: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})", re.IGNORECASE)
_MD5: Final = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


def normalise_one(field: str, value: str | None, context: Context) -> Normalised:
    """One value as Facebook should receive it; `field` is a name in `FIELDS`, KeyError for any other.

    Never raises for a value, and the result is the same as in `encode_column`.
    """
    known = FIELDS[field]
    outcome = Reason.EMPTY if value is None else answer(known, value, context)
    if isinstance(outcome, Reason):
        return Normalised(None, None, outcome.value)
    if not known.hashed:
        return Normalised(outcome, None, None)
    return Normalised(outcome, outcome if context.pre_hashed else sha256_hex(outcome), None)


def answer(field: Field, value: str, context: Context) -> Outcome:
    """What the rule of the field says about a raw value."""
    try:
        value.encode()
        return _answer(field, clean(value), context)
    except Exception:  # noqa: BLE001  # One odd value must neither stop a run nor show up in a traceback; it is counted.
        return Reason.UNREADABLE


def _answer(field: Field, text: str, context: Context) -> Outcome:
    if not text:
        return Reason.EMPTY
    if not any(map(str.isalnum, text)) or is_placeholder(text, short_words=field.short_words):
        return Reason.PLACEHOLDER
    if text.lower() in hashes_of_nothing(short_words=field.short_words):
        return Reason.HASH_OF_NOTHING
    if field.hashed and context.pre_hashed:
        return _hashed_before(text.lower())
    if field.name != "external_id":  # A shop may number its people in any way, by hashes too.
        if _MD5.fullmatch(text):
            return Reason.ALREADY_MD5
        if _DIGEST.fullmatch(text):
            return Reason.ALREADY_HASHED
    return _RULES[field.name](text, context)


def _hashed_before(text: str) -> Outcome:
    if re.fullmatch(HEX, text):
        return text
    return Reason.ALREADY_MD5 if _MD5.fullmatch(text) else Reason.NOT_SHA256


@cache
def hashes_of_nothing(*, short_words: bool) -> frozenset[str]:
    """What a pipeline upstream makes of a missing value when it hashes without looking: `""`, `"null"`, `"nan"` …"""
    words = PLACEHOLDERS if short_words else PLACEHOLDERS | SHORT_PLACEHOLDERS | {"NaN"}
    spellings = {"", " "}.union(*((word, word.upper(), word.capitalize()) for word in words))
    return frozenset(map(sha256_hex, spellings))

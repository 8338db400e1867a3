"""The one table of rules, one for each identifier, and a value through its rule."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from audiences.campaign.identifiers import FIELDS
from audiences.what.identifiers import births, email, fast_paths, names, phone, phone_column, places, verbatim
from audiences.what.identifiers.hashing import HEX, hashes_of_nothing, sha256_hex
from audiences.what.identifiers.outcome import Context, Normalised, Reason, RuleResult
from audiences.what.identifiers.text import clean, is_placeholder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from audiences.campaign.identifier_fields import Field


@dataclass(frozen=True, slots=True)
class Rule:
    """How the values of an identifier are read.

    `read` takes one cleaned text; `fast_path` a whole column of text, for what needs no second look. Where an identifier
    fills several of Facebook's keys, `parts` says where the value of each stands in the normalised text.
    """

    read: Callable[[str, Context], RuleResult]
    fast_path: Callable[[pa.Array, Context], pa.Array] | None = None
    parts: Mapping[str, tuple[int, int]] = field(default_factory=dict)


RULES: Final[dict[str, Rule]] = {
    "email": Rule(email.email, fast_paths.emails),
    "phone": Rule(phone.phone, phone_column.fast_phones),
    "external_id": Rule(verbatim.external_id, fast_paths.external_ids),
    "first_name": Rule(names.name, fast_paths.names),
    "last_name": Rule(names.name, fast_paths.names),
    "city": Rule(places.city),
    "region": Rule(places.region),
    "zip": Rule(places.postal_code),
    "country": Rule(places.country),
    "date_of_birth": Rule(births.date_of_birth, parts={"DOBY": (0, 4), "DOBM": (4, 6), "DOBD": (6, 8)}),
    "year_of_birth": Rule(births.year_of_birth),
    "month_of_birth": Rule(births.month_of_birth),
    "day_of_birth": Rule(births.day_of_birth),
    "gender": Rule(names.gender),
    "madid": Rule(verbatim.device_id, fast_paths.device_ids),
    "first_initial": Rule(names.first_initial),
}


def ensure_complete(fields: Mapping[str, Field], rules: Mapping[str, Rule]) -> None:
    """Raise LookupError, with what is missing and where, unless there is a rule for each identifier and no other."""
    here, there = "RULES of audiences/what/identifiers/rule_table.py", "FIELDS of audiences/campaign/identifiers.py"
    if missing := [name for name in fields if name not in rules]:
        message = f"identifier `{missing[0]}` is in {there} and has no rule: add how it is read to {here}"
        raise LookupError(message)
    if missing := [name for name in rules if name not in fields]:
        message = f"`{missing[0]}` has a rule in {here} and is no identifier: add it to {there}"
        raise LookupError(message)
    for name, known in fields.items():
        keys = set(known.keys) if len(known.keys) > 1 else set()
        if odd := keys ^ set(rules[name].parts):
            message = f"identifier `{name}`: its keys and the `parts` of its rule in {here} differ in {', '.join(odd)}"
            raise LookupError(message)


ensure_complete(FIELDS, RULES)

# SHA-1, SHA-256 and SHA-512; a shorter one, MD5, is told apart because exports of other networks hold it.
_DIGEST: Final = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})", re.IGNORECASE)
_MD5: Final = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)


def normalise_one(name: str, value: str | None, context: Context) -> Normalised:
    """One value as Facebook should receive it; `name` is a name in `FIELDS`, KeyError for any other.

    Never raises for a value, and the result is the same as in `encode_column`.
    """
    known = FIELDS[name]
    outcome = Reason.EMPTY if value is None else answer(known, value, context)
    if isinstance(outcome, Reason):
        return Normalised(None, None, outcome.value)
    if not known.hashed:
        return Normalised(outcome, None, None)
    return Normalised(outcome, outcome if context.pre_hashed else sha256_hex(outcome), None)


def answer(known: Field, value: str, context: Context) -> RuleResult:
    """What the rule of the field says about a raw value."""
    try:
        value.encode()
        return _answer(known, clean(value), context)
    except Exception:  # noqa: BLE001  # One odd value must neither stop a run nor show up in a traceback; it is counted.
        return Reason.UNREADABLE


def _answer(known: Field, text: str, context: Context) -> RuleResult:
    if not text:
        return Reason.EMPTY
    if not any(map(str.isalnum, text)) or is_placeholder(text, short_words=known.short_words):
        return Reason.PLACEHOLDER
    if text.lower() in hashes_of_nothing(short_words=known.short_words):
        return Reason.HASH_OF_NOTHING
    if known.hashed and context.pre_hashed:
        return _hashed_before(text.lower())
    if not known.own_id:
        if _MD5.fullmatch(text):
            return Reason.ALREADY_MD5
        if _DIGEST.fullmatch(text):
            return Reason.ALREADY_HASHED
    return RULES[known.name].read(text, context)


def _hashed_before(text: str) -> RuleResult:
    if re.fullmatch(HEX, text):
        return text
    return Reason.ALREADY_MD5 if _MD5.fullmatch(text) else Reason.NOT_SHA256

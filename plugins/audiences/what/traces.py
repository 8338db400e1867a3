"""What in a text or a document names an erased person.

It is told by the salted hashes alone, so also when neither warehouse nor ledger knows the person any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from audiences.campaign.identifiers import FIELDS
from audiences.query.key_spelling import KeySpelling
from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one
from audiences.what.rows import ALONE, KEYS, LONGEST, UNHASHED

if TYPE_CHECKING:
    from datetime import date

    from audiences.what.erased import Erased

GONE: Final = "[erased]"
LIKELY: Final = r"@|[0-9][0-9 ().-]{5,}[0-9]|([0-9A-Fa-f]{4}-?){8}|never_hold_out"
"""What a text has in which an address, a number, a UUID, a hash or a list of ids may stand, for Postgres; an id is looked for
besides, as the warehouse writes it."""
_SHORTEST_ID: Final = 6  # a shorter one is a number like any other, but for where ids stand
_HASHED: Final = tuple(key for key in ALONE if key not in UNHASHED)
_AS_THEY_ARE: Final = tuple(key for key in ALONE if key in UNHASHED)
_BREAK: Final = r"\s\"'<>,;:()\[\]{}|=`"
_HASH = re.compile(r"(?<!\w)[0-9A-Fa-f]{64}(?!\w)")
_EMAIL = re.compile(rf"[^@{_BREAK}]+@[^@{_BREAK}]+(?<![.!?])")
_PHONE = re.compile(r"(?<![\w+])\+?\(?\d[\d ().-]{5,}\d(?!\w)")
_WORD = re.compile(rf"[^{_BREAK}]{{{_SHORTEST_ID},}}(?<![.!?])")


@dataclass(frozen=True)
class Traces:
    """How one erased person is recognised.

    `erased` has the hashes of that person only; `of_ids` the properties that hold the users' key, whose values are ids;
    `today` and `default_country` are for reading addresses and numbers.
    """

    erased: Erased
    of_ids: frozenset[str]
    today: date
    default_country: str | None = None
    spelling: KeySpelling = field(default_factory=KeySpelling)
    """How the users' key reads an id: where it is a number, `007` and `7.0` are the user 7."""

    def without(self, text: str) -> str:
        """The text with `[erased]` for what names the person."""
        for pattern, names in (
            (_EMAIL, self._address),
            (_HASH, self._hash),
            (_PHONE, self._number),
            (_WORD, self._id),
        ):
            text = pattern.sub(lambda match, names=names: GONE if names(match[0]) else match[0], text)  # type: ignore[misc]  # mypy knows no lambda with a default
        return text

    def cleaned(self, value: Any, *, ids: bool = False) -> Any:
        """A document of JSON or YAML without the person: ids leave lists of ids, all else becomes `[erased]`.

        With `ids` its values are ids of users, of any length.
        """
        if isinstance(value, dict):
            return {
                key: self.listed(below)
                if key == "never_hold_out"
                else self.cleaned(below, ids=ids or key in self.of_ids)
                for key, below in value.items()
            }
        if isinstance(value, list):
            return [self.cleaned(each, ids=ids) for each in value]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return value
        if self._is_id(str(value), shortest=1 if ids else _SHORTEST_ID):
            return GONE
        return self.without(value) if isinstance(value, str) else value

    def listed(self, users: Any) -> Any:
        """A list of users' ids without the person's."""
        several = users if isinstance(users, list) else [users]
        kept = [each for each in several if not self._is_id(str(each))]
        return users if len(kept) == len(several) else kept

    def _address(self, text: str) -> bool:
        return self._normalised("email", text)

    def _number(self, text: str) -> bool:
        return self._normalised("phone", text)

    def _normalised(self, name: str, text: str) -> bool:
        context = Context(today=self.today, default_country=self.default_country)
        found = normalise_one(name, text, context).sha256
        return found is not None and any(self._cell(key, bytes.fromhex(found)) for key in FIELDS[name].keys)

    def _hash(self, text: str) -> bool:
        return any(self._cell(key, bytes.fromhex(text)) for key in _HASHED) or self._id(text)

    def _id(self, text: str) -> bool:
        told = text.encode()
        return self._is_id(text, shortest=_SHORTEST_ID) or (
            len(told) <= LONGEST and any(self._cell(key, told) for key in _AS_THEY_ARE)
        )

    def _is_id(self, text: str, *, shortest: int = 1) -> bool:
        """Whether it is the person's id, in whatever spelling; as the key writes it, it has so many characters at least."""
        return any(len(each) >= shortest and self.erased.has_user(each) for each in {text, self.spelling.of(text)})

    def _cell(self, key: str, value: bytes) -> bool:
        cell = bytes([KEYS[key], len(value)]) + value
        return any(digest in self.erased.digests for digest in self.erased.digests_of_row(cell))

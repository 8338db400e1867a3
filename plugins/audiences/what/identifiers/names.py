"""First and last names, the first initial, gender.

Names keep the letters and accents of every script: Facebook's own example is `valéry`. Space, punctuation, symbols and
control characters go.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from audiences.what.identifiers.outcome import Reason, RuleResult
from audiences.what.identifiers.text import without_accents

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

# Letters to Unicode, apostrophes and prime marks to those who type them.
_APOSTROPHES: Final = frozenset("\u02b9\u02ba\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\ua78c")

# The words that Facebook's own library reads, and titles; anything else is no gender, and none is guessed.
_MALE: Final = frozenset(
    {
        *("m", "male", "man", "boy", "guy", "gentleman", "lad", "fellow", "chap", "bloke", "dude"),
        *("he", "him", "his", "himself", "mr", "mister", "sir", "lord"),
        *("father", "dad", "daddy", "papa", "son", "brother", "uncle", "nephew", "grandfather", "grandson"),
        *("husband", "boyfriend", "groom", "widower", "king", "prince", "duke", "count", "emperor", "god"),
    }
)
_FEMALE: Final = frozenset(
    {
        *("f", "female", "woman", "girl", "gal", "lady", "lass", "maiden", "dame", "belle", "chick"),
        *("she", "her", "hers", "herself", "ms", "mrs", "miss", "madam", "maam"),
        *("mother", "mom", "mommy", "mama", "mum", "daughter", "sister", "aunt", "niece"),
        *("grandmother", "granddaughter", "wife", "girlfriend", "bride", "widow"),
        *("queen", "princess", "duchess", "countess", "empress", "goddess"),
    }
)


class _KeptInNames(dict[int, int | None]):
    """For `str.translate`: which characters belong to a name, found out as they come up."""

    def __missing__(self, code: int) -> int | None:
        character = chr(code)
        # C: control and unassigned, P: punctuation, S: symbols, Z: space.
        dropped = unicodedata.category(character)[0] in "CPSZ" or character in _APOSTROPHES
        self[code] = None if dropped else code
        return self[code]


_KEPT: Final = _KeptInNames()


def name(text: str, context: Context) -> RuleResult:
    """A first or last name: `Mary-Jane O’Brien` is `maryjaneobrien`."""
    # Dropping a character or changing case can bring a letter and its accent together, so compose again.
    lowered = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.translate(_KEPT)).lower())
    return (without_accents(lowered) if context.fold_diacritics else lowered) or Reason.PLACEHOLDER


def first_initial(text: str, context: Context) -> RuleResult:
    """The first letter (or digit) of the first name."""
    whole = name(text, context)
    return whole if isinstance(whole, Reason) else next(filter(str.isalnum, whole), Reason.PLACEHOLDER)


def gender(text: str, _: Context) -> RuleResult:
    """`m` or `f` for an English word that says so."""
    word = text.translate(_KEPT).lower()
    if word in _MALE:
        return "m"
    return "f" if word in _FEMALE else Reason.UNKNOWN_GENDER

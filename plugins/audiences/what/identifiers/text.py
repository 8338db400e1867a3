"""Text as people and exports wrote it: one spelling for the same characters, and words that stand for nothing."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt) and the interlinear marks: they show nothing and
# come along when text is copied, a directional mark before a phone number for instance.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

PLACEHOLDERS: Final = frozenset(
    {
        *("n/a", "#n/a", "n.a.", "n.a", "n\\a", "n / a", "<na>", "#value!", "#ref!", "#null!"),
        *("null", "(null)", "[null]", "<null>", "\\n", "none", "(none)", "<none>", "empty", "(empty)"),
        *("undefined", "[object object]", "unknown", "(unknown)", "unspecified", "missing", "(not set)", "not set"),
        *("not available", "not applicable", "not provided", "not specified", "no data", "tbd", "tba"),
    }
)
SHORT_PLACEHOLDERS: Final = frozenset({"na", "nan", "nil"})

# Letters of the Latin script that Unicode does not decompose into a letter a-z and a mark.
_LATIN: Final = str.maketrans(
    {
        **{"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "ng", "ĸ": "k", "ø": "o", "ɔ": "o", "ɵ": "o", "ł": "l"},
        **{"ƚ": "l", "đ": "d", "ð": "d", "ɖ": "d", "ɗ": "d", "ı": "i", "ɨ": "i", "ɩ": "i", "ħ": "h", "ŧ": "t"},
        **{"ƭ": "t", "ʈ": "t", "ə": "e", "ǝ": "e", "ɛ": "e", "ɓ": "b", "ƀ": "b", "ƈ": "c", "ȼ": "c", "ƒ": "f"},
        **{"ɠ": "g", "ǥ": "g", "ƙ": "k", "ɲ": "n", "ɳ": "n", "ƥ": "p", "ʀ": "r", "ɍ": "r", "ʂ": "s", "ʉ": "u"},
        **{"ʋ": "v", "ƴ": "y", "ɏ": "y", "ƶ": "z"},
    }
)


def clean(text: str) -> str:
    """The text in Unicode's composed form (NFC), without invisible characters and without space around it."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).strip()


def is_placeholder(text: str, *, short_words: bool) -> bool:
    """Whether a cleaned text says that there is no value; `short_words` when `na`, `nan` and `nil` may be values."""
    word = " ".join(text.lower().split())
    return word in PLACEHOLDERS or (not short_words and word in SHORT_PLACEHOLDERS)


def ascii_digits(text: str) -> str:
    """The text with the decimal digits of every script as 0-9."""
    if text.isascii():
        return text
    return "".join(
        character if (digit := unicodedata.decimal(character, None)) is None else str(digit) for character in text
    )


def without_accents(text: str) -> str:
    """Lower-case text with every Latin letter as a-z; other scripts stay as they are.

    `Łódź` becomes `lodz`, `Straße` `strasse`. German umlauts lose their dots (`Köln`, `koln`), as everything else does.
    """
    folded = []
    for character in unicodedata.normalize("NFC", text.lower()).translate(_LATIN):
        base = unicodedata.normalize("NFKD", character).lower().translate(_LATIN)
        latin = "".join(letter for letter in base if not unicodedata.combining(letter))
        folded.append(latin if latin and latin.isascii() else character)
    return unicodedata.normalize("NFC", re.sub(r"(?<=[a-z])[\u0300-\u036f]+", "", "".join(folded)))

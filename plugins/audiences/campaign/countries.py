"""What people write for a country, as its ISO 3166-1 code: for the COUNTRY identifier and for conditions alike."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from audiences.campaign.country_names import english_names, letters, names_in_all_languages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_THE: Final = re.compile(r"\(the\)|,\s*the\s*$", re.IGNORECASE)
_TAIL: Final = re.compile(r"(?P<name>[^,(\[]+)[,(\[](?P<tail>[^,(\[\])]+)[)\]]?\s*")
_BETWEEN_NAMES: Final = re.compile(r"[,()\[\]/|]|\s[-\u2013\u2014]\s")
# Russia in Vietnamese, and Nigeria's code where a column has its first letters in capitals.
_TWO_COUNTRIES: Final = frozenset({"Nga"})


def country_code(text: str) -> str | None:
    """The alpha-2 code, in lower case, of an ISO code (two or three letters), `uk`, or a name; else None.

    Names are those of ISO 3166-1 and of CLDR, as they are printed there: `Philippines (the)`, `Bahamas, The`,
    `Myanmar (Burma)`, in English and, where a name means one country only, in every other language (`Deutschland`).
    Nothing is cut short to make it fit: `n/a` is not Namibia, `AUT` is not Australia. Numeric codes are not read.
    """
    return english_country_code(text) or _read(text, english_only=False)


def english_country_code(text: str) -> str | None:
    """The same for codes and English names only."""
    return _read(text, english_only=True)


@lru_cache(maxsize=4096)
def _read(text: str, *, english_only: bool) -> str | None:
    written = text.strip()
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf").strip()
    if not visible or written in _TWO_COUNTRIES:  # of nothing no names need be read
        return None
    if code := _codes().get(written.lower()):
        return code
    if code := _named(visible, english_names()):
        return code
    if english_only:
        return None
    return _named(visible, names_in_all_languages())


@cache
def _codes() -> dict[str, str]:
    # Imported here because loading the country data would slow down everything that reads campaign files.
    import pycountry

    codes = {country.alpha_3.lower(): country.alpha_2.lower() for country in pycountry.countries}
    return codes | {code: code for code in codes.values()} | {"uk": "gb"}


def _named(text: str, names: Mapping[str, str]) -> str | None:
    """The country of a name, or of several names and codes of one country (`Turkey (Türkiye)`, `IN - India`)."""
    for spelling in _spellings(text):
        if code := _one(spelling, names):
            return code
    parts = [part for part in map(str.strip, _BETWEEN_NAMES.split(text)) if part]
    found = {_one(part, names) for part in parts} if len(parts) > 1 else set()
    return found.pop() if len(found) == 1 else None


def _one(text: str, names: Mapping[str, str]) -> str | None:
    return _codes().get(text.lower()) or names.get(letters(text))


def _spellings(text: str) -> Iterator[str]:
    """The name as it stands, without an article behind it, and with what is behind it before it."""
    bare = _THE.sub("", text).strip()
    yield bare
    if turned := _TAIL.fullmatch(bare):
        yield f"{turned['tail']} {turned['name']}"

"""Cities, states, postal codes, countries."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from audiences.campaign.countries import country_code
from audiences.what.identifiers.home import home, is_nowhere
from audiences.what.identifiers.outcome import Reason, RuleResult
from audiences.what.identifiers.text import ascii_digits, without_accents

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

# What the postal service uses besides ISO 3166-2: armed forces, freely associated states (USPS Publication 28, App. B).
_USPS_EXTRA: Final = ("aa", "ae", "ap", "fm", "mh", "pw")
_DISTRICT_OF_COLUMBIA: Final = ("washingtondc", "washingtondistrictofcolumbia", "dcwashington", "washdc")
# Abbreviations from before the postal ones, and points of the compass cut to a letter.
_TRADITIONAL: Final = {
    **{"ala": "al", "ariz": "az", "ark": "ar", "cal": "ca", "calif": "ca", "colo": "co", "conn": "ct", "del": "de"},
    **{"fla": "fl", "ill": "il", "ind": "in", "kan": "ks", "kans": "ks", "mass": "ma", "mich": "mi", "minn": "mn"},
    **{"miss": "ms", "mont": "mt", "neb": "ne", "nebr": "ne", "nev": "nv", "ndak": "nd", "sdak": "sd", "nmex": "nm"},
    **{"ncarolina": "nc", "scarolina": "sc", "ndakota": "nd", "sdakota": "sd", "wvirginia": "wv"},
    **{"ncar": "nc", "scar": "sc", "okla": "ok", "ore": "or", "oreg": "or", "penn": "pa", "penna": "pa", "tenn": "tn"},
    **{"tex": "tx", "wash": "wa", "wva": "wv", "wis": "wi", "wisc": "wi", "wyo": "wy"},
}

_US_LABEL: Final = re.compile(r"\A\s*us-", re.IGNORECASE)
_PARTS: Final = re.compile(r"[()\[\],/|]|\s*[-\u2013\u2014]\s+|\s+[-\u2013\u2014]\s*")
_BRACKETED: Final = re.compile(r"(?P<name>[^()\[\]]+)[(\[](?P<inner>[^()\[\]]+)[)\]]\s*")
_STATE_CODE: Final = re.compile(r"(?:[A-Za-z]{2}-)?[A-Z0-9]{1,3}")

# What is written before postal codes besides the country's ISO code.
_POSTAL_SIGNS: Final = {
    **{"at": "a", "be": "b", "de": "d", "es": "e", "fi": "fin", "fr": "f", "gb": "uk", "hu": "h"},
    **{"it": "i", "li": "fl", "lu": "l", "no": "n", "pt": "p", "rs": "srb", "se": "s", "si": "slo"},
    **{"sm": "rsm", "va": "v"},
}
_LONGEST_POSTAL_CODE: Final = 10  # Iran's
_ZIP_COUNTRIES: Final = frozenset({"us", "as", "gu", "mp", "pr", "vi", "fm", "mh", "pw"})  # served by the USPS
# A whole number out of a column with decimals. `110.00` may be a Czech code as well, three digits and two.
_DECIMALS: Final = re.compile(r"\A([0-9]{2,}(?=\.0\Z)|[0-9]{4,}(?=\.0+\Z))\.0+\Z")
_THREE_AND_MORE: Final = re.compile(r"\A([0-9]{3})\.0+\Z")
_THREE_AND_TWO: Final = frozenset({"cz", "gr", "se", "sk"})
_ZIP_PLUS_4: Final = re.compile(r"[0-9]{5}-[0-9]{4}")
# Countries whose codes begin with their ISO code or with letters like it: it is no label there.
_OWN_LETTERS: Final = frozenset(
    {"ad", "ai", "az", "bb", "bm", "bn", "gg", "gy", "ht", "im", "je", "ky", "lc", "md", "ms", "vc", "vg", "ws"}
)
# Three digits are a ZIP code of Puerto Rico or the Virgin Islands (006-009) without its zeros, or of Holtsville (005).
_WITHOUT_TWO_ZEROS: Final = r"501|544|[6-9][0-9]{2}"


def country(text: str, _: Context) -> RuleResult:
    """Alpha-2 in lower case."""
    return country_code(text) or Reason.UNKNOWN_COUNTRY


def city(text: str, _: Context) -> RuleResult:
    """The letters a-z only, accents folded: Facebook asks for the Roman alphabet without special characters."""
    return _a_to_z(text) or Reason.NO_LATIN_LETTER


def _a_to_z(text: str) -> str:
    return "".join(letter for letter in without_accents(text) if "a" <= letter <= "z")


def region(text: str, context: Context) -> RuleResult:
    """Two letters for a state of the USA, the letters a-z of the name elsewhere; a code in brackets goes.

    Where nothing says which country it is, the full name of a state is taken for that state.
    """
    letters = _a_to_z(text)
    if not letters:
        return Reason.NO_LATIN_LETTER
    at_home = home(context)
    if at_home == "us":
        return _us_state(text) or Reason.NOT_A_US_STATE
    name = _a_to_z(_state_name(text, at_home)) or letters
    return name if at_home or is_nowhere(context) else _us_states().get(name, name)


def _us_state(text: str) -> str | None:
    """The two letters of a name, of a code, or of a name and its code (`California (CA)`, `CA - California`)."""
    whole = _us_code(_US_LABEL.sub("", text))
    if whole:
        return whole
    parts = [part for part in map(_a_to_z, _PARTS.split(text)) if part]
    named = [part for part in parts if part not in ("us", "usa")] if len(parts) > 1 else []
    codes = {_us_code(part) for part in named}
    return codes.pop() if len(codes) == 1 else None


def _us_code(text: str) -> str | None:
    letters = _a_to_z(text)
    return _us_states().get(letters) or _TRADITIONAL.get(letters)


def _state_name(text: str, at_home: str | None) -> str:
    """The name without a code in brackets after or before it, or with the country's code before it (`CA-ON`)."""
    if at_home and (coded := re.fullmatch(rf"(?:{at_home})-([a-z0-9]{{1,3}})", text.strip().lower())):
        return coded[1]
    if bracketed := _BRACKETED.fullmatch(text):
        name, inner = bracketed["name"].strip(), bracketed["inner"].strip()
        if _STATE_CODE.fullmatch(inner):
            return name
        if _STATE_CODE.fullmatch(name):
            return inner
    return text


@cache
def _us_states() -> dict[str, str]:
    # Imported here because only some campaigns send states, and the data take time to load.
    import pycountry

    states = {code: code for code in _USPS_EXTRA} | dict.fromkeys(_DISTRICT_OF_COLUMBIA, "dc") | {"virginislands": "vi"}
    for subdivision in pycountry.subdivisions.get(country_code="US"):  # type: ignore[no-untyped-call]  # pycountry has no types
        code, written = subdivision.code.removeprefix("US-").lower(), _a_to_z(subdivision.name)
        states |= dict.fromkeys((code, written, f"{written}state", f"stateof{written}"), code)
    return states


def postal_code(text: str, context: Context) -> RuleResult:
    """Letters and digits in lower case without anything between them; the first five digits in the USA."""
    # NFKC for the full-width digits of Japanese keyboards.
    written = ascii_digits(unicodedata.normalize("NFKC", text)).lower()
    at_home = home(context)
    written = _DECIMALS.sub(r"\1", written)
    if at_home not in _THREE_AND_TWO:
        written = _THREE_AND_MORE.sub(r"\1", written)
    if at_home in _ZIP_COUNTRIES:
        return _us_zip(written, at_home)
    if not at_home and _ZIP_PLUS_4.fullmatch(written):
        return Reason.NOT_A_POSTAL_CODE if is_nowhere(context) else written[:5]
    code = "".join(character for character in _without_country(written, at_home) if character.isalnum())
    if not code.isascii() or not 2 <= len(code) <= _LONGEST_POSTAL_CODE:
        return Reason.NOT_A_POSTAL_CODE
    return Reason.PLACEHOLDER if set(code) == {"0"} else code


def _without_country(written: str, at_home: str | None) -> str:
    """A postal code without the country's ISO code or sign before it."""
    if at_home is None or at_home in _OWN_LETTERS:
        return written
    labels = "|".join({at_home, _POSTAL_SIGNS.get(at_home, at_home)})
    return re.sub(rf"\A[^0-9a-z]*(?:{labels})(?:[\s\u2013-]+(?=[0-9a-z])|(?=[0-9]))", "", written)


def _us_zip(written: str, at_home: str) -> RuleResult:
    # Number columns lose the zeros at the beginning: one in New England, two in Puerto Rico, with ZIP+4 or without.
    short = rf"|{_WITHOUT_TWO_ZEROS}" if at_home in ("us", "pr", "vi") else ""
    groups = re.fullmatch(
        rf"(?:(?:usa?|{at_home})[ -]*)?([0-9]{{4,5}}{short})(?:[^0-9a-z]+[0-9]{{0,4}}|[0-9]{{4}})?", written
    )
    if not groups:
        return Reason.NOT_A_POSTAL_CODE
    five = groups[1].zfill(5)
    return Reason.PLACEHOLDER if five == "00000" else five

"""Cities, states, postal codes, countries."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

from audiences.campaign.countries import country_code
from audiences.what.identifiers.outcome import Outcome, Reason
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

# Countries whose postal codes begin with a digit, but may be written after the country's ISO code or this sign for it.
_POSTAL_SIGNS: Final = {
    **{"at": "a", "be": "b", "bg": "bg", "ch": "ch", "cy": "cy", "cz": "cz", "de": "d", "dk": "dk", "ee": "ee"},
    **{"es": "e", "fi": "fin", "fr": "f", "gr": "gr", "hr": "hr", "hu": "h", "it": "i", "li": "fl", "lt": "lt"},
    **{"lu": "l", "lv": "lv", "mc": "mc", "me": "me", "mk": "mk", "nl": "nl", "no": "n", "pl": "pl", "pt": "p"},
    **{"ro": "ro", "rs": "srb", "se": "s", "si": "slo", "sk": "sk", "sm": "rsm", "tr": "tr", "ua": "ua", "va": "v"},
}
_LONGEST_POSTAL_CODE: Final = 10  # Iran's
_ZIP_COUNTRIES: Final = frozenset({"us", "as", "gu", "mp", "pr", "vi", "fm", "mh", "pw"})  # served by the USPS
_FLOAT: Final = re.compile(r"\A([0-9]{2,})\.0\Z")  # a whole number that went through a float column


def home(context: Context) -> str | None:
    """The user's country as alpha-2 in lower case, the default country where it is unknown."""
    return country_code(context.country or "") or country_code(context.default_country or "")


def country(text: str, _: Context) -> Outcome:
    """Alpha-2 in lower case."""
    return country_code(text) or Reason.UNKNOWN_COUNTRY


def city(text: str, _: Context) -> Outcome:
    """The letters a-z only, accents folded: Facebook asks for the Roman alphabet without special characters."""
    return _a_to_z(text) or Reason.NO_LATIN_LETTER


def _a_to_z(text: str) -> str:
    return "".join(letter for letter in without_accents(text) if "a" <= letter <= "z")


def region(text: str, context: Context) -> Outcome:
    """Two letters for a state of the USA, the letters a-z of the name elsewhere.

    Where nothing says which country it is, the full name of a state is taken for that state.
    """
    letters = _a_to_z(text)
    if not letters:
        return Reason.NO_LATIN_LETTER
    at_home = home(context)
    if at_home == "us":
        code = letters.removeprefix("us") if text.lower().startswith("us-") else letters
        return _us_states().get(code) or _TRADITIONAL.get(code) or Reason.NOT_A_US_STATE
    return letters if at_home else _us_states().get(letters, letters)


@cache
def _us_states() -> dict[str, str]:
    # Imported here because only some campaigns send states, and the data take time to load.
    import pycountry

    states = {code: code for code in _USPS_EXTRA} | dict.fromkeys(_DISTRICT_OF_COLUMBIA, "dc") | {"virginislands": "vi"}
    for subdivision in pycountry.subdivisions.get(country_code="US"):  # type: ignore[no-untyped-call]  # pycountry has no types
        code, written = subdivision.code.removeprefix("US-").lower(), _a_to_z(subdivision.name)
        states |= dict.fromkeys((code, written, f"{written}state", f"stateof{written}"), code)
    return states


def postal_code(text: str, context: Context) -> Outcome:
    """Letters and digits in lower case without anything between them; the first five digits in the USA."""
    # NFKC for the full-width digits of Japanese keyboards.
    written = _FLOAT.sub(r"\1", ascii_digits(unicodedata.normalize("NFKC", text)).lower())
    at_home = home(context)
    if at_home in _ZIP_COUNTRIES:
        return _us_zip(written)
    code = "".join(character for character in written if character.isalnum())
    if at_home in _POSTAL_SIGNS:
        code = re.sub(rf"^(?:{at_home}|{_POSTAL_SIGNS[at_home]})(?=[0-9])", "", code)
    if not at_home and re.fullmatch(r"[0-9]{5}-[0-9]{4}", written):
        code = code[:5]
    if not code.isascii() or not 2 <= len(code) <= _LONGEST_POSTAL_CODE:
        return Reason.NOT_A_POSTAL_CODE
    return Reason.PLACEHOLDER if set(code) == {"0"} else code


def _us_zip(written: str) -> Outcome:
    # Number columns lose the leading zero of New England and Puerto Rico: four digits, or eight with ZIP+4.
    groups = re.fullmatch(r"(?:usa?[ -]*)?([0-9]{4,5})(?:[^0-9a-z]+[0-9]{0,4}|[0-9]{4})?", written)
    if not groups:
        return Reason.NOT_A_POSTAL_CODE
    five = groups[1].zfill(5)
    return Reason.PLACEHOLDER if five == "00000" else five

"""What people write for a country, as its ISO 3166-1 code: for the COUNTRY identifier and for conditions alike."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

# English names in everyday use that ISO 3166-1 lists in another form or not at all, as letters only.
_EVERYDAY_NAMES: Final = {
    "america": "us",
    "bolivia": "bo",
    "bonaire": "bq",
    "bosnia": "ba",
    "britain": "gb",
    "brunei": "bn",
    "burma": "mm",
    "capeverde": "cv",
    "caymans": "ky",
    "cocosislands": "cc",
    "congobrazzaville": "cg",
    "congokinshasa": "cd",
    "democraticrepublicofcongo": "cd",
    "drc": "cd",
    "drcongo": "cd",
    "easttimor": "tl",
    "england": "gb",
    "falklandislands": "fk",
    "falklands": "fk",
    "federatedstatesofmicronesia": "fm",
    "greatbritain": "gb",
    "holland": "nl",
    "holysee": "va",
    "hongkongsar": "hk",
    "iran": "ir",
    "ivorycoast": "ci",
    "korea": "kr",
    "koreanorth": "kp",
    "koreasouth": "kr",
    "laos": "la",
    "macau": "mo",
    "macedonia": "mk",
    "mainlandchina": "cn",
    "micronesia": "fm",
    "moldova": "md",
    "northernireland": "gb",
    "northkorea": "kp",
    "palestine": "ps",
    "palestinianterritories": "ps",
    "palestinianterritory": "ps",
    "pitcairnislands": "pn",
    "prc": "cn",
    "republicofireland": "ie",
    "russia": "ru",
    "sainthelena": "sh",
    "saintmartin": "mf",
    "saotome": "st",
    "scotland": "gb",
    "sintmaarten": "sx",
    "southkorea": "kr",
    "stateofpalestine": "ps",
    "svalbard": "sj",
    "swaziland": "sz",
    "syria": "sy",
    "taiwan": "tw",
    "tanzania": "tz",
    "tobago": "tt",
    "trinidad": "tt",
    "turkey": "tr",
    "uae": "ae",
    "uk": "gb",
    "us": "us",
    "usa": "us",
    "usvirginislands": "vi",
    "vatican": "va",
    "vaticancity": "va",
    "vaticancitystate": "va",
    "venezuela": "ve",
    "vietnam": "vn",
    "wales": "gb",
}


def country_code(text: str) -> str | None:
    """The alpha-2 code, in lower case, of an ISO code (two or three letters), `uk`, or an English name; else None.

    Nothing is cut short to make it fit: `n/a` is not Namibia, `AUT` is not Australia. Numeric codes are not read.
    """
    if code := _codes().get(text.strip().lower()):
        return code
    visible = "".join(character for character in text if unicodedata.category(character) != "Cf").strip().lower()
    return _codes().get(visible) or _names().get(_letters(visible))


@cache
def _codes() -> dict[str, str]:
    # Imported here because loading the country data would slow down everything that reads campaign files.
    import pycountry

    codes = {country.alpha_3.lower(): country.alpha_2.lower() for country in pycountry.countries}
    return codes | {code: code for code in codes.values()} | {"uk": "gb"}


@cache
def _names() -> dict[str, str]:
    import pycountry

    names = {}
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name"):
            # ISO writes `Korea, Republic of` for sorting; people write it the other way round as well.
            last, comma, first = getattr(country, attribute, "").partition(",")
            for name in {f"{last}{comma}{first}", f"{first} {last}"}:
                names[_letters(name)] = country.alpha_2.lower()
    names.pop("", None)
    return names | _EVERYDAY_NAMES


def _letters(text: str) -> str:
    """A name without what varies in writing: accents, case, punctuation, a leading `the`, `&` for and, `St.` for saint.

    Empty when a digit or a letter of another script is left, because then it is not just a name.
    """
    words = unicodedata.normalize("NFKD", text.lower().replace("&", " and ")).replace(".", ". ").split()
    if words and words[0] == "the":
        words = words[1:]
    spelled = "".join("saint" if word in ("st", "st.") else word for word in words)
    letters = "".join(character for character in spelled if character.isalnum())
    return letters if letters.isascii() and letters.isalpha() else ""

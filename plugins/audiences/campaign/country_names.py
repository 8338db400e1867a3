"""The names of countries, as letters only: in everyday English and by ISO 3166-1, and in all languages of Unicode's CLDR."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# English names that neither ISO 3166-1 nor CLDR lists in this form: everyday ones, and those of the UN, the World Bank
# and web shops.
_EVERYDAY_NAMES: Final = {
    "america": "us",
    "antigua": "ag",
    "belau": "pw",
    "bonaire": "bq",
    "bonairesainteustatiusandsaba": "bq",
    "bosnia": "ba",
    "britain": "gb",
    "brunei": "bn",
    "burma": "mm",
    "byelorussia": "by",
    "capeverde": "cv",
    "caymans": "ky",
    "chinahongkong": "hk",
    "chinahongkongsar": "hk",
    "chinahongkongspecialadministrativeregion": "hk",
    "chinamacao": "mo",
    "chinamacaosar": "mo",
    "chinamacaospecialadministrativeregion": "mo",
    "chinamacau": "mo",
    "chinamainland": "cn",
    "chinapr": "cn",
    "chinataiwan": "tw",
    "chinataiwanprovince": "tw",
    "cocosislands": "cc",
    "congobrazzaville": "cg",
    "congodemrep": "cd",
    "congodrc": "cd",
    "congokinshasa": "cd",
    "congorep": "cg",
    "congorepublic": "cg",
    "democraticrepublicofcongo": "cd",
    "demrepofthecongo": "cd",
    "drc": "cd",
    "drcongo": "cd",
    "easttimor": "tl",
    "egyptarabrep": "eg",
    "england": "gb",
    "faeroeislands": "fo",
    "falklandislands": "fk",
    "falklandislandsislasmalvinas": "fk",
    "falklands": "fk",
    "faroes": "fo",
    "formeryugoslavrepublicofmacedonia": "mk",
    "fyrom": "mk",
    "gambiarepublicofthe": "gm",
    "gazastrip": "ps",
    "greatbritain": "gb",
    "holland": "nl",
    "holysee": "va",
    "holyseevaticancity": "va",
    "hongkongchina": "hk",
    "hongkongsar": "hk",
    "hongkongspecialadministrativeregion": "hk",
    "iranislamicrep": "ir",
    "ivorycoast": "ci",
    "keelingislands": "cc",
    "kirghizia": "kg",
    "kirgizstan": "kg",
    "korea": "kr",
    "koreademocraticpeoplesrep": "kp",
    "koreadempeoplesrep": "kp",
    "koreanorth": "kp",
    "korearep": "kr",
    "koreasouth": "kr",
    "laopdr": "la",
    "libyanarabjamahiriya": "ly",
    "macaochina": "mo",
    "macaosar": "mo",
    "macaospecialadministrativeregion": "mo",
    "macau": "mo",
    "macauchina": "mo",
    "macausar": "mo",
    "macausarchina": "mo",
    "macedonia": "mk",
    "macedoniaformeryugoslavrepublicof": "mk",
    "mainlandchina": "cn",
    "micronesia": "fm",
    "micronesiafedsts": "fm",
    "moldovarep": "md",
    "northernireland": "gb",
    "northmacedoniarepublicof": "mk",
    "occupiedpalestinianterritory": "ps",
    "palestine": "ps",
    "palestinianterritories": "ps",
    "palestinianterritoriesoccupied": "ps",
    "palestinianterritory": "ps",
    "palestinianterritoryoccupied": "ps",
    "pitcairnisland": "pn",
    "pitcairnislands": "pn",
    "prc": "cn",
    "republicofcongo": "cg",
    "republicofireland": "ie",
    "republicofmacedonia": "mk",
    "republicofsouthkorea": "kr",
    "republicofturkey": "tr",
    "reunionisland": "re",
    "russia": "ru",
    "russianfed": "ru",
    "sainthelena": "sh",
    "saintkitts": "kn",
    "saintmartin": "mf",
    "saintmartindutchpart": "sx",
    "saintvincent": "vc",
    "saotome": "st",
    "scotland": "gb",
    "sintmaarten": "sx",
    "southgeorgia": "gs",
    "southgeorgiasandwichislands": "gs",
    "surinam": "sr",
    "svalbard": "sj",
    "svalbardandjanmayenislands": "sj",
    "swaziland": "sz",
    "taiwanchina": "tw",
    "taiwanroc": "tw",
    "theus": "us",
    "timoreast": "tl",
    "tobago": "tt",
    "trinidad": "tt",
    "turkey": "tr",
    "uae": "ae",
    "uk": "gb",
    "unitedstatesvirginislands": "vi",
    "us": "us",
    "usa": "us",
    "usminoroutlyingislands": "um",
    "vatican": "va",
    "vaticancity": "va",
    "vaticancityholysee": "va",
    "vaticancitystate": "va",
    "venezuelarb": "ve",
    "wales": "gb",
    "wallisandfutunaislands": "wf",
    "westbank": "ps",
    "westbankandgaza": "ps",
    "yemenrep": "ye",
    "zaire": "cd",
}
_SHORT: Final = 3
"""A name of so few letters (`End` for India in Wolof, `Bỉ` for Belgium in Vietnamese) may be a code or any word."""


def letters(text: str) -> str:
    """A name without what varies in writing: accents, case, punctuation, a leading `the`, `&` for and, `St.` for saint.

    Empty when a digit is left, because then it is not just a name.
    """
    words = text.casefold().replace("&", " and ").replace(".", ". ").split()
    if words and words[0] == "the":
        words = words[1:]
    spelled = "".join("saint" if word in ("st", "st.") else word for word in words)
    # Marks of other scripts are vowels and the like; those of Latin, Greek and Cyrillic letters are accents.
    marked = (
        character for character in unicodedata.normalize("NFKD", spelled) if not "\u0300" <= character <= "\u036f"
    )
    kept = "".join(character for character in marked if unicodedata.category(character)[0] in "LMN")
    return "" if any(map(str.isnumeric, kept)) else kept


@cache
def english_names() -> dict[str, str]:
    """Alpha-2 codes in lower case by the letters of English names."""
    # Imported here because loading the country data would slow down everything that reads campaign files.
    import pycountry

    names = {letters(name): code for code, name in _cldr("en")}
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name"):
            # ISO writes `Korea, Republic of` for sorting; people write it the other way round as well.
            last, comma, first = getattr(country, attribute, "").partition(",")
            for name in {f"{last}{comma}{first}", f"{first} {last}"}:
                names[letters(name)] = country.alpha_2.lower()
    names.pop("", None)
    return names | _EVERYDAY_NAMES


@cache
def names_in_all_languages() -> dict[str, str]:
    """Alpha-2 codes in lower case by the letters of names in the languages of CLDR.

    Names of more than one country, such as `Kongo`, are left out, names of up to three letters too. Reading them takes
    more than a second of CPU, which is why English names are looked up first.
    """
    from babel.localedata import locale_identifiers

    codes: dict[str, set[str]] = {}
    # Languages share names, and so do the locales of one of them: four in ten are the same as another.
    for code, name in {named for locale in locale_identifiers() for named in _cldr(locale)}:
        codes.setdefault(letters(name), set()).add(code)
    return {name: min(found) for name, found in codes.items() if len(found) == 1 and not _is_short(name)}


def _is_short(name: str) -> bool:
    return name.isascii() and len(name) <= _SHORT


def _cldr(locale: str) -> Iterator[tuple[str, str]]:
    """Codes and names of the countries of ISO 3166-1 in what CLDR has for one locale, without what that inherits."""
    # Babel's own `load` keeps all that it has read: 180 MB for the names in all languages.
    import pickle
    from pathlib import Path

    from babel.localedata import resolve_locale_filename

    data = pickle.loads(Path(resolve_locale_filename(locale)).read_bytes())  # noqa: S301  # A file of the pinned package.
    for code, name in data.get("territories", {}).items():
        if code in _alpha_2():  # others are regions of the world, and what is no country to ISO
            yield code.lower(), name


@cache
def _alpha_2() -> frozenset[str]:
    import pycountry

    return frozenset(country.alpha_2 for country in pycountry.countries)

"""Values as warehouses hold them: mostly plausible, in many spellings, some of them nonsense."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import phonenumbers
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from audiences.campaign.identifiers import BY_ANY_NAME
from audiences.what.identifiers.outcome import Context

TODAY = date(2026, 3, 1)
COUNTRIES = [
    "us",
    "GB",
    "DEU",
    "Japan",
    "BR",
    "ar",
    "AU",
    "fr",
    "IN",
    "IT",
    "MX",
    "ru",
    "KZ",
    "gg",
    "BS",
    "Italia",
    "Méjico",
    "n/a",
    "",
    None,
]

_ODD = st.sampled_from(
    "\u200b\u00a0\u3000\u202a\u0301\u0307ßẞİıŁłΣςéÉ٣３+＋-–.,'’()/@#xXoO0 \t\n\x00\x1f\x7f中정😀½№ﬁ〒"
)
_TEXT = st.text(st.one_of(st.characters(codec="utf-8"), _ODD), max_size=24)
_SPACE = st.sampled_from(["", "", "", " ", "  ", "\t", "\u00a0", "\u200b", "\x1f", "\r\n"])
_NOTHING = st.sampled_from(["", " ", "n/a", "NULL", "-", "nan", "NaN", "None", "unknown", "na", "???", "\u200b"])
_HASHES = st.one_of(
    st.text("0123456789abcdefABCDEF", min_size=64, max_size=64),
    st.text("0123456789abcdef", min_size=32, max_size=32),
    st.just("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
)


def _around(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda before, value, after: before + value + after, _SPACE, values, _SPACE)


@st.composite
def _spoiled(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    value = draw(values)
    at = draw(st.integers(0, len(value)))
    return value[:at] + draw(_ODD) + value[at:]


@st.composite
def phones(draw: st.DrawFn) -> str:
    """A number that looks like those of some region, with or without its prefixes and separators."""
    region = draw(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
    kind = draw(st.sampled_from([PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE]))
    example = phonenumbers.example_number_for_type(region, kind)
    code = str(phonenumbers.country_code_for_region(region))
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
    national = phonenumbers.national_significant_number(example) if example else "12345678"
    kept = draw(st.integers(0, len(national)))
    national = national[:kept] + draw(st.text("0123456789", min_size=len(national) - kept, max_size=13 - kept))
    prefix = draw(
        st.sampled_from(["+" + code, "+" + code + trunk, "00" + code, code, trunk, "", "+", "00", "011" + code])
    )
    separators = st.sampled_from(["", "", "", "", " ", "-", ".", "(", ")", "/"])
    number = "".join(digit + draw(separators) for digit in prefix + national)
    tail = draw(
        st.sampled_from(["", "", "", "", ".0", ".00", "E10", " ext 5", "x12", " home", ")", " (2)", " after 6", "O"])
    )
    second = st.sampled_from(["", "", "", f" / {trunk}{national}", f"\n{national}", f" {prefix}{national}"])
    return draw(st.sampled_from(["", "", "", "1) ", "2. ", "Tel. "])) + number + tail + draw(second)


_EMAILS = st.from_regex(r"[A-Za-z0-9._+'-]{1,12}@([A-Za-z0-9-]{1,8}\.){1,2}[A-Za-z]{1,4}", fullmatch=True)
_NAMES = st.from_regex(r"[A-Za-zÀ-ž'’ .-]{1,16}", fullmatch=True)
_DATES = st.one_of(
    st.dates().map(str),
    st.from_regex(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-](19|20)[0-9]{2}( 00:00)?", fullmatch=True),
    st.from_regex(r"(19|20)?[0-9]{6}", fullmatch=True),
)
_ZIPS = st.from_regex(r"([A-Z]{1,2}[ -]?)?[0-9]{3,5}([ -]?[0-9A-Z]{3,4}|\.0{1,2})?", fullmatch=True)
USUAL = {
    "email": _EMAILS,
    "phone": phones(),
    "external_id": st.from_regex(r"[A-Za-z]{0,4}[-_]?[0-9]{0,6}", fullmatch=True),
    "madid": st.uuids().map(str),
    "first_name": _NAMES,
    "first_initial": _NAMES,
    "last_name": _NAMES,
    "city": _NAMES,
    "region": st.one_of(
        _NAMES, st.sampled_from(["California", "N.Y.", "US-TX", "Ontario", "Bayern (BY)", "dc", "CA-ON"])
    ),
    "zip": _ZIPS,
    "country": st.sampled_from([name for name in COUNTRIES if name]) | _NAMES,
    "date_of_birth": _DATES,
    "year_of_birth": st.integers(1850, 2050).map(str),
    "month_of_birth": st.integers(-1, 14).map(str) | st.sampled_from(["May", "sept.", "06"]),
    "day_of_birth": st.integers(-1, 33).map(str),
    "gender": st.sampled_from(["m", "F", "Male", "mrs.", "x", "ma'am", "0"]),
}


def agreed(file: str) -> list[dict[str, Any]]:
    """The cases of a file beside this one; `asked` is the name that `audiences normalise` is asked by, `field` ours."""
    cases: list[dict[str, Any]] = json.loads(Path(__file__).with_name(file).read_text())
    for case in cases:
        case["asked"], case["field"] = case["field"], BY_ANY_NAME[case["field"]].name
        if order := case["context"].get("date_order"):
            case["context"]["date_order"] = {"DMY": "day_first", "MDY": "month_first"}[order]
    return cases


def values_of(field: str) -> st.SearchStrategy[str]:
    """Raw values for a field, most of them in a usual form."""
    usual = _around(USUAL[field])
    return st.one_of(usual, usual, usual, _spoiled(usual), _around(_NOTHING), _around(_HASHES), _TEXT)


contexts: st.SearchStrategy[Context] = st.builds(
    Context,
    today=st.just(TODAY),
    country=st.sampled_from(COUNTRIES),
    default_country=st.sampled_from(COUNTRIES),
    date_order=st.sampled_from([None, "month_first", "day_first", "year_first"]),
    strict_valid=st.sampled_from([False, False, False, True]),
    vanity=st.booleans(),
    fold_diacritics=st.booleans(),
)

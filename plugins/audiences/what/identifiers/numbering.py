"""The numbering plans of libphonenumber's metadata, in a form that whole columns can be checked against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

CALLING_CODES: Final = tuple(sorted(map(str, COUNTRY_CODE_TO_REGION_CODE)))
"""Every calling code; none of them is the beginning of another."""

# What is neither mobile nor a fixed line, in libphonenumber's words.
_SPECIAL: Final = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
_NONE: Final = "^a^"  # matches nothing


@dataclass(frozen=True, slots=True)
class NumberingPlan:
    """How numbers of one region are written; patterns are regular expressions for RE2, anchored where they must be.

    `trunk` is the prefix for calls inside the country, `before_national` everything that may stand before the national
    number (trunk, carrier codes, …), `abroad` the prefix for calls to other countries; None where there is none.
    `national` is what a national number looks like, `lengths` those it may have. `leads` when the plan is the one
    libphonenumber takes for the calling code, which several regions may share.

    Of all these regions, `mobile` and `special` are the assigned numbers that may be mobile and that are neither mobile
    nor fixed lines, `assigned` all that are assigned; `shortest` is the length of the shortest mobile number or fixed line.
    """

    calling_code: str
    trunk: str | None
    before_national: str | None
    abroad: str | None
    national: str
    lengths: tuple[int, ...]
    mobile: str
    special: str
    assigned: str
    shortest: int
    leads: bool


@cache
def plan_of_region(region: str) -> NumberingPlan | None:
    """The plan of a region by its alpha-2 code in upper case."""
    return _plan(PhoneMetadata.metadata_for_region(region, None))


@cache
def plan_of_code(calling_code: str) -> NumberingPlan:
    """The leading plan of a calling code, KeyError when there is none."""
    code = int(calling_code)
    region = COUNTRY_CODE_TO_REGION_CODE[code][0]
    plan = _plan(PhoneMetadata.metadata_for_region_or_calling_code(code, region))
    if plan is None:
        raise KeyError(calling_code)
    return plan


def _plan(metadata: PhoneMetadata | None) -> NumberingPlan | None:
    if metadata is None or metadata.country_code is None or metadata.general_desc is None:
        return None
    sharing = _sharing(metadata.country_code)
    mobile = [each.mobile for each in sharing if each.mobile]
    fixed = [each.fixed_line for each in sharing if each.fixed_line]
    special = [kind for each in sharing for name in _SPECIAL if (kind := getattr(each, name))]
    return NumberingPlan(
        calling_code=str(metadata.country_code),
        trunk=metadata.national_prefix,
        before_national=_at_start(metadata.national_prefix_for_parsing),
        abroad=_at_start(metadata.international_prefix),
        national=f"^(?:{metadata.general_desc.national_number_pattern})$",
        lengths=tuple(metadata.general_desc.possible_length),
        mobile=_any_of(mobile),
        special=_any_of(special),
        assigned=_any_of([*mobile, *fixed, *special]),
        shortest=min((length for each in sharing for length in _lengths(each)), default=1),
        leads=COUNTRY_CODE_TO_REGION_CODE[metadata.country_code][0] == metadata.id,
    )


def _sharing(calling_code: int) -> list[PhoneMetadata]:
    """The regions that share a calling code."""
    regions = COUNTRY_CODE_TO_REGION_CODE[calling_code]
    found = (PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region) for region in regions)
    return [metadata for metadata in found if metadata and metadata.general_desc]


def _any_of(kinds: list[PhoneNumberDesc]) -> str:
    patterns = "|".join(dict.fromkeys(f"(?:{kind.national_number_pattern})" for kind in kinds))
    return f"^(?:{patterns})$" if patterns else _NONE


def _lengths(metadata: PhoneMetadata) -> list[int]:
    """The lengths of mobile numbers and fixed lines, without the area code where libphonenumber adds one."""
    kinds = [kind for kind in (metadata.mobile, metadata.fixed_line) if kind]
    any_length = metadata.general_desc.possible_length if metadata.general_desc else ()
    local = [kind.possible_length_local_only for kind in kinds if metadata.national_prefix_transform_rule]
    whole = [kind.possible_length or any_length for kind in kinds]
    return [length for lengths in (*whole, *local) for length in lengths]


def _at_start(pattern: str | None) -> str | None:
    return f"^(?:{pattern})" if pattern else None

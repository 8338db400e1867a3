"""The numbering plans of libphonenumber's metadata, in a form that whole columns can be checked against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

CALLING_CODES: Final = tuple(sorted(map(str, COUNTRY_CODE_TO_REGION_CODE)))
"""Every calling code; none of them is the beginning of another."""


@dataclass(frozen=True, slots=True)
class NumberingPlan:
    """How numbers of one region are written; patterns are regular expressions for RE2, anchored where they must be.

    `trunk` is the prefix for calls inside the country, `before_national` everything that may stand before the national
    number (trunk, carrier codes, …), `abroad` the prefix for calls to other countries; None where there is none.
    `national` is what a national number looks like, `lengths` those it may have. `leads` when the plan is the one
    libphonenumber takes for the calling code, which several regions may share.
    """

    calling_code: str
    trunk: str | None
    before_national: str | None
    abroad: str | None
    national: str
    lengths: tuple[int, ...]
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
    return NumberingPlan(
        calling_code=str(metadata.country_code),
        trunk=metadata.national_prefix,
        before_national=_at_start(metadata.national_prefix_for_parsing),
        abroad=_at_start(metadata.international_prefix),
        national=f"^(?:{metadata.general_desc.national_number_pattern})$",
        lengths=tuple(metadata.general_desc.possible_length),
        leads=COUNTRY_CODE_TO_REGION_CODE[metadata.country_code][0] == metadata.id,
    )


def _at_start(pattern: str | None) -> str | None:
    return f"^(?:{pattern})" if pattern else None

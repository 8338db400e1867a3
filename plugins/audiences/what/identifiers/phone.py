"""Phone numbers in E.164 digits, as Google's libphonenumber reads them.

A number is taken when its length is one that its country has. The prefixes for dialling abroad and inside a country,
extensions and labels go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import phonenumbers
from phonenumbers import CountryCodeSource, NumberParseException, PhoneNumber, ValidationResult

from audiences.what.identifiers.outcome import Outcome, Reason
from audiences.what.identifiers.places import home
from audiences.what.identifiers.text import ascii_digits

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

_START: Final = re.compile(r"[+＋0-9]")
_TWO_ZEROS: Final = re.compile(r"0[^0-9]*0")
_MASKED: Final = re.compile(r"[xX*•]{2,}")
_FLOAT: Final = re.compile(r"\A(\+?[0-9]{6,})\.0\Z")  # a whole number that went through a float column


def phone(text: str, context: Context) -> Outcome:
    """The calling code and the national number, digits only.

    Without `+`, `00` or the country's own prefix for calls abroad, the number is one of the user's country; if that is
    unknown there is no telling (`6505551212` is not in Singapore because it begins with 65).
    """
    dialled = _dialled(text, vanity=context.vanity)
    region = (home(context) or "").upper() or None
    if not dialled or set(_digits(dialled)) == {"0"}:
        return Reason.PLACEHOLDER if dialled else Reason.IMPOSSIBLE_NUMBER
    number = _read(dialled, region)
    if number is None:
        abroad = region or dialled[0] in "+＋" or _TWO_ZEROS.match(dialled)
        return Reason.IMPOSSIBLE_NUMBER if abroad else Reason.NO_COUNTRY_CODE
    national = phonenumbers.national_significant_number(number)
    complete = f"{number.country_code}{national}"
    if len(set(complete)) == 1 or set(national) == {"0"}:
        return Reason.PLACEHOLDER
    if not _possible(number):
        return Reason.IMPOSSIBLE_NUMBER
    if context.strict_valid and not phonenumbers.is_valid_number(number):
        return Reason.UNASSIGNED_NUMBER
    return complete


def _dialled(text: str, *, vanity: bool) -> str:
    """The part to dial, in 0-9: without a label before it, and without letters unless they stand for digits."""
    plain = "".join(" " if character.isspace() else character for character in ascii_digits(text))
    start = _START.search(plain)
    if not start or (not vanity and _MASKED.search(plain)):
        return ""
    dialled = _FLOAT.sub(r"\1", plain[start.start() :])
    if not vanity and phonenumbers.is_alpha_number(dialled):
        return "".join(character for character in dialled if not character.isalpha())
    return dialled


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())


def _read(dialled: str, region: str | None) -> PhoneNumber | None:
    zeros = _TWO_ZEROS.match(dialled)
    if not zeros:
        return _parse(dialled, region)
    # The country's own prefix for calls abroad may begin with 00 and go on (0011 in Australia).
    number = _parse(dialled, region) if region else None
    if number and number.country_code_source == CountryCodeSource.FROM_NUMBER_WITH_IDD and _possible(number):
        return number
    return _parse(f"+{dialled[zeros.end() :]}", region)


def _parse(dialled: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(dialled, region, keep_raw_input=True)
    except NumberParseException:
        return None


def _possible(number: PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE

"""Phone numbers in E.164 digits, as Google's libphonenumber reads them.

A number is taken when its length is one that its country has. The prefixes for dialling abroad and inside a country,
extensions and labels go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import phonenumbers
from phonenumbers import CountryCodeSource, NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

from audiences.what.identifiers.home import dialling_home, is_nowhere
from audiences.what.identifiers.outcome import Outcome, Reason
from audiences.what.identifiers.text import ascii_digits

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

LONGEST: Final = 250
"""What libphonenumber reads, separators and all."""

_START: Final = re.compile(r"[+＋0-9]")
_ABROAD: Final = re.compile(r"\A[+＋]|\A0[^0-9]*0|;phone-context=\+")  # the last is RFC 3966's way
_TWO_ZEROS: Final = re.compile(r"0[^0-9]*0")
_MASKED: Final = re.compile(r"[xX*•]{2,}")
_MOBILE: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_FLOAT: Final = re.compile(r"\A(\+?[0-9]{6,})\.0\Z")  # a whole number that went through a float column


def phone(text: str, context: Context) -> Outcome:
    """The calling code and the national number, digits only.

    Without `+`, `00` or the country's own prefix for calls abroad, the number is one of the user's country; if that is
    unknown there is no telling (`6505551212` is not in Singapore because it begins with 65).
    """
    dialled = _dialled(text, vanity=context.vanity) if len(text) <= LONGEST else ""
    if not dialled:
        return Reason.IMPOSSIBLE_NUMBER
    if set(filter(str.isdecimal, dialled)) == {"0"}:
        return Reason.PLACEHOLDER
    region = (dialling_home(context) or "").upper() or None
    if not region and not _ABROAD.search(dialled):
        return Reason.UNKNOWN_COUNTRY if is_nowhere(context) else Reason.NO_COUNTRY_CODE
    number = _likeliest(_readings(dialled, region))
    if number is None:
        return Reason.IMPOSSIBLE_NUMBER
    national = phonenumbers.national_significant_number(number)
    complete = f"{number.country_code}{national}"
    if len(set(complete)) == 1 or set(national) == {"0"}:
        return Reason.PLACEHOLDER
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


def _readings(dialled: str, region: str | None) -> list[PhoneNumber]:
    """What the digits may mean: one number nearly always."""
    readings = [_parse(dialled, region)]
    if zeros := _TWO_ZEROS.match(dialled):
        # A country's own prefix for calls abroad may go on after 00 (0011 in Australia, 0031 in Brazil for one carrier).
        goes_abroad = readings[0] and readings[0].country_code_source == CountryCodeSource.FROM_NUMBER_WITH_IDD
        readings = [readings[0] if goes_abroad else None, _parse(f"+{dialled[zeros.end() :]}", region)]
    found = [number for number in readings if number]
    if found and (coded := phonenumbers.national_significant_number(found[0])).startswith(str(found[0].country_code)):
        # The calling code may be there without its plus, or twice. German numbers may have up to 15 digits, so that
        # 4915112345678 could be one of the country's own.
        found += filter(None, [_parse(f"+{coded}", region)])
    return found


def _likeliest(readings: list[PhoneNumber]) -> PhoneNumber | None:
    """Of the possible numbers an assigned mobile one, else an assigned one, else the first."""
    possible = [
        number
        for number in readings
        if phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    ]
    return max(possible, key=_rank) if len(possible) > 1 else next(iter(possible), None)


def _rank(number: PhoneNumber) -> int:
    kind = phonenumbers.number_type(number)
    return 0 if kind == PhoneNumberType.UNKNOWN else 2 if kind in _MOBILE else 1


def _parse(dialled: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(dialled, region, keep_raw_input=True)
    except NumberParseException:
        return None

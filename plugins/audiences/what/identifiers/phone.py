"""Phone numbers in E.164 digits, as Google's libphonenumber reads them.

A number is taken when its length is one that its country has. The prefixes for dialling abroad and inside a country,
extensions and labels go. Where the digits may be two numbers, or another country's, there is none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import phonenumbers
from phonenumbers import CountryCodeSource, NumberParseException, PhoneNumber, PhoneNumberType, ValidationResult

from audiences.what.identifiers.dialled import Dialled, dialled
from audiences.what.identifiers.home import dialling_home, is_nowhere
from audiences.what.identifiers.numbering import plan_of_code
from audiences.what.identifiers.outcome import Reason, RuleResult

if TYPE_CHECKING:
    from audiences.what.identifiers.outcome import Context

LONGEST: Final = 250
"""What libphonenumber reads, separators and all."""

_ABROAD: Final = re.compile(r"\A[+]|\A0[^0-9]*0")
_TWO_ZEROS: Final = re.compile(r"0[^0-9]*0")
_GAP: Final = re.compile(r"(?<=[0-9])[^0-9]+(?=[0-9])")
_ITEM: Final = re.compile(r"[1-9]")
_MOBILE: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_OF_A_PERSON: Final = (*_MOBILE, PhoneNumberType.FIXED_LINE)
_MEXICO: Final = 52
# Until 2019 a 1 stood after Mexico's calling code before mobile numbers, and 01, 044 or 045 before numbers dialled there.
_OLD_MEXICAN: Final = re.compile(r"(?:01|044|045)([1-9][0-9]{9})")
_OLD_MEXICAN_AFTER_CODE: Final = re.compile(r"(?:1|01|044|045)([1-9][0-9]{9})")


def phone(text: str, context: Context) -> RuleResult:
    """The calling code and the national number, digits only.

    Without `+`, `00` or the country's own prefix for calls abroad, the number is one of the user's country; if that is
    unknown there is no telling (`6505551212` is not in Singapore because it begins with 65).
    """
    cell = dialled(text, vanity=context.vanity) if len(text) <= LONGEST else Reason.IMPOSSIBLE_NUMBER
    if isinstance(cell, Reason):
        return cell
    if set(filter(str.isdecimal, cell.number)) == {"0"}:
        return Reason.PLACEHOLDER
    region = (dialling_home(context) or "").upper() or None
    if not region and not cell.context and not _ABROAD.search(cell.number):
        return Reason.UNKNOWN_COUNTRY if is_nowhere(context) else Reason.NO_COUNTRY_CODE
    number = _likeliest(_readings(f"{cell.number}{cell.context}", region))
    if number is None:
        return Reason.IMPOSSIBLE_NUMBER
    national = phonenumbers.national_significant_number(number)
    complete = f"{number.country_code}{national}"
    if len(set(complete)) == 1 or set(national) == {"0"}:
        return Reason.PLACEHOLDER
    if not context.vanity and (doubt := _doubt(cell, number, region)):
        return doubt
    if context.strict_valid and not phonenumbers.is_valid_number(number):
        return Reason.UNASSIGNED_NUMBER
    return complete


def _doubt(cell: Dialled, number: PhoneNumber, region: str | None) -> Reason | None:
    """Why the digits may not be the one number that they were read as."""
    rank = _rank(number)
    if cell.has_remark and not rank:
        return Reason.IMPOSSIBLE_NUMBER
    if any(_splits(cell.number, gap, number, region) for gap in _GAP.finditer(cell.number)):
        return Reason.MORE_THAN_ONE_NUMBER
    if not cell.context and _is_bare(cell.number) and _has_another_reading(cell.number, number, region):
        return Reason.TWO_READINGS
    return None


def _is_bare(written: str) -> bool:
    """Whether neither a plus nor a zero says which part of the country's code and the prefixes is there."""
    return not written.startswith(("+", "0"))


def _has_another_reading(written: str, number: PhoneNumber, region: str | None) -> bool:
    """Whether the digits, with a plus before them, are a number at least as good, in this country or in another.

    Digits with the country's code and without a plus are how Facebook shows numbers: 447400123456 is a mobile number in
    the United Kingdom, and has the length of an Italian one.
    """
    rank = _rank(number)
    coded = _parse(f"+{written}", None)
    if not coded or not _is_possible(coded):
        return False
    if coded.country_code == number.country_code:
        whole = _parse(written, region)
        if not whole or not _is_possible(whole) or whole.national_number == coded.national_number:
            return False
        return 0 < _rank(whole) == _rank(coded)
    stripped = len(phonenumbers.national_significant_number(number)) < _count_digits(written)
    return _rank(coded) > rank and not (rank and stripped)


def _splits(written: str, gap: re.Match[str], number: PhoneNumber, region: str | None) -> bool:
    """Whether there is a number on one side of the gap and more than a part of it on the other."""
    before, after = written[: gap.start()], written[gap.end() :]
    is_in_a_prefix = _count_digits(after) >= len(phonenumbers.national_significant_number(number))
    shortest = plan_of_code(str(number.country_code)).shortest
    if is_in_a_prefix or max(_count_digits(before), _count_digits(after)) < shortest:
        return False
    own_region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    if not _rank(number):
        return _is_somebodys(before, region) or _is_somebodys(after, own_region)
    if "/" in gap[0] and _is_somebodys(before, region):
        return True
    if not after.startswith("0") or not _is_somebodys(after, own_region):
        return False
    return bool(_ITEM.fullmatch(before)) or _is_somebodys(before, region)


def _count_digits(written: str) -> int:
    return sum(map(str.isdecimal, written))


def _is_somebodys(written: str, region: str | None) -> bool:
    number = _parse(written, region)
    return bool(number and _is_possible(number) and phonenumbers.number_type(number) in _OF_A_PERSON)


def _readings(written: str, region: str | None) -> list[PhoneNumber]:
    """What the digits may mean, the likelier first: one number nearly always."""
    readings = [_parse(written, region)]
    if zeros := _TWO_ZEROS.match(written):
        # A country's own prefix for calls abroad may go on after 00 (0011 in Australia, 0031 in Brazil for one carrier).
        goes_abroad = readings[0] and readings[0].country_code_source == CountryCodeSource.FROM_NUMBER_WITH_IDD
        readings = [_parse(f"+{written[zeros.end() :]}", region), readings[0] if goes_abroad else None]
    found = [number for number in readings if number]
    if found and (_is_bare(written) or not _rank(found[0])):
        # The calling code may be there without its plus, or twice. German numbers may have up to 15 digits, so that
        # 4915112345678 could be one of the country's own.
        coded = phonenumbers.national_significant_number(found[0])
        if coded.startswith(str(found[0].country_code)):
            found += filter(None, [_parse(f"+{coded}", region)])
    return found


def _likeliest(readings: list[PhoneNumber]) -> PhoneNumber | None:
    """Of the possible numbers an assigned mobile one, else an assigned one, else the first."""
    possible = [number for number in readings if _is_possible(number)]
    return max(possible, key=_rank) if len(possible) > 1 else next(iter(possible), None)


def _is_possible(number: PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


def _rank(number: PhoneNumber) -> int:
    kind = phonenumbers.number_type(number)
    return 0 if kind == PhoneNumberType.UNKNOWN else 2 if kind in _MOBILE else 1


def _parse(written: str, region: str | None) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(written, region, keep_raw_input=True)
    except NumberParseException:
        return None
    return _without_old_prefix(number) if number.country_code == _MEXICO else number


def _without_old_prefix(number: PhoneNumber) -> PhoneNumber:
    """A Mexican number without what was dialled before it until 2019."""
    coded = number.country_code_source != CountryCodeSource.FROM_DEFAULT_COUNTRY
    pattern = _OLD_MEXICAN_AFTER_CODE if coded else _OLD_MEXICAN
    old = pattern.fullmatch(phonenumbers.national_significant_number(number))
    if not old:
        return number
    return PhoneNumber(
        country_code=number.country_code,
        national_number=int(old[1]),
        country_code_source=number.country_code_source,
    )

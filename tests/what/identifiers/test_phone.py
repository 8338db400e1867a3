from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from tests.what.identifiers.messy import TODAY

from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one


def phone(value: str, country: str | None = None, **context: bool) -> str | None:
    return normalise_one("phone", value, Context(today=TODAY, default_country=country, **context)).normalised


def reason(value: str, country: str | None = None, **context: bool) -> str | None:
    return normalise_one("phone", value, Context(today=TODAY, default_country=country, **context)).reason


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS - {"AC", "TA", "XK"}))
def test_the_example_numbers_of_every_country_are_read_in_all_their_formats(region: str):
    for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        digits = phonenumbers.format_number(example, PhoneNumberFormat.E164).removeprefix("+")
        for form in (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966):
            assert phone(phonenumbers.format_number(example, form)) == digits
        assert phone(phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL), region) == digits
        assert phone(phonenumbers.format_out_of_country_calling_number(example, "US"), "us") == digits
        assert phone(f"00{digits}") == digits


@given(number=st.from_regex(r"\+[1-9][0-9]{5,14}", fullmatch=True))
def test_an_international_number_is_taken_when_libphonenumber_calls_it_possible(number: str):
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        assert phone(number) is None
        return
    digits = phonenumbers.format_number(parsed, PhoneNumberFormat.E164).removeprefix("+")
    twice = phonenumbers.national_significant_number(parsed).startswith(str(parsed.country_code))
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        assert phone(number) is None or twice
    elif len(set(digits)) > 1 and not twice and parsed.national_number:
        assert phone(number) == digits


@pytest.mark.parametrize(
    ("value", "country", "digits"),
    [
        ("(650) 555-1212 ext. 5", "US", "16505551212"),
        ("650-555-1212 x123", "US", "16505551212"),
        ("8 912 345-67-89 доб. 12", "RU", "79123456789"),
        ("tel:650-555-1212;phone-context=+1", None, "16505551212"),
        ("Call me: (650) 555-1212 (evenings)", "US", "16505551212"),
        ("\u202a+1 650 555 1212\u202c", None, "16505551212"),
        ("06\u202f12\u202f34\u202f56\u202f78", "FR", "33612345678"),
        ("٠٥٠١٢٣٤٥٦٧", "AE", "971501234567"),
        ("०९८७६५४३२१०", "IN", "919876543210"),
        ("+39 06 6982 1234", None, "390669821234"),
        ("+49 (0)151 12345678", None, "4915112345678"),
        ("011 15-2345-6789", "AR", "5491123456789"),
        ("16505551212.0", "US", "16505551212"),
        ("+800 1234 5678", None, "80012345678"),
    ],
)
def test_labels_extensions_trunk_prefixes_and_other_digits_are_understood(value: str, country: str | None, digits: str):
    assert phone(value, country) == digits


@pytest.mark.parametrize(
    ("value", "country", "digits"),
    [
        ("0044 20 7946 0958", "US", "442079460958"),
        ("(0044) 20 7946 0958", "AU", "442079460958"),
        ("0 0 44 20 7946 0958", None, "442079460958"),
        ("0011 49 30 123456", "AU", "4930123456"),
        ("011 44 20 7946 0958", "CA", "442079460958"),
        ("8~10 44 20 7946 0958", "RU", "442079460958"),
        ("010 44 20 7946 0958", "JP", "442079460958"),
        ("0031 6 12345678", "BR", "31612345678"),
    ],
)
def test_prefixes_for_calls_abroad_are_a_plus(value: str, country: str | None, digits: str):
    assert phone(value, country) == digits


@pytest.mark.parametrize(
    ("value", "country"),
    [
        ("447700900123", "GB"),
        ("919876543210", "IN"),
        ("16505551212", "US"),
        ("4915112345678", "DE"),
        ("436641234567", "AT"),
    ],
)
def test_the_countrys_own_calling_code_needs_no_plus(value: str, country: str):
    assert phone(value, country) == value
    assert phone(f"+{value}") == value


def test_a_national_number_that_begins_like_the_calling_code_stays_whole():
    assert phone("9198765432", "IN") == "919198765432"


def test_without_a_country_there_is_no_telling_whose_number_it_is():
    assert reason("6505551212") == "no country code"
    assert reason("1-650-555-1212") == "no country code"
    assert reason("6505551212", "nowhere") == "no country code"


def test_the_users_country_goes_before_the_default():
    context = Context(today=TODAY, country="United Kingdom", default_country="US")
    assert normalise_one("phone", "020 7946 0958", context).normalised == "442079460958"


@pytest.mark.parametrize(
    "value",
    [
        "0000000000",
        "+0000000000",
        "000-000-0000",
        "+1 000 000 0000",
        "1111111111",
        "+11111111111",
        "+77777777777",
        "00",
    ],
)
def test_one_digit_all_through_is_a_placeholder(value: str):
    assert reason(value, "US") == "placeholder"


@pytest.mark.parametrize(
    "value",
    [
        "123",
        "911",
        "555-1212",
        "+1 650 555",
        "+1 650 555 1212 / +1 650 555 3434",
        "650 555 1212, 650 555 3434",
        "+999 123456789",
        "+44 (0)20 7946 095 812",
        "1.65E+10",
        "+1 650 555 xxxx",
        "+1 650 *** 1212",
        "1-800-FLOWERS",
        "phone",
        "+",
        "1" + " " * 250 + "6505551212",
    ],
)
def test_what_no_country_dials_is_rejected(value: str):
    assert phone(value, "US") is None


def test_letters_are_digits_only_where_that_is_asked_for():
    assert phone("1-800-FLOWERS", "US", vanity=True) == "18003569377"
    assert phone("+1 650 555 1212 home") == "16505551212"
    assert phone("+1 650 555 1212 home", vanity=True) is None


def test_a_number_must_be_assigned_only_where_that_is_asked_for():
    assert phone("555-555-5555", "US") == "15555555555"
    assert reason("555-555-5555", "US", strict_valid=True) == "unassigned number"
    assert phone("650-253-0000", "US", strict_valid=True) == "16502530000"


MOBILES = {
    region: phonenumbers.format_number(example, PhoneNumberFormat.E164).removeprefix("+")
    for region in ("AR", "BR", "CN", "DE", "ET", "FR", "GB", "IN", "IT", "JP", "MC", "MX", "PT", "UG", "US", "VE")
    if (example := phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE))
}


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS - {"AC", "TA", "XK"}))
def test_behind_two_zeros_every_country_reads_the_calling_code(region: str):
    assert {abroad: phone(f"00{digits}", region) for abroad, digits in MOBILES.items()} == MOBILES


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS - {"AC", "TA", "XK"}))
def test_digits_with_another_countrys_code_and_no_plus_are_read_right_or_not_at_all(region: str):
    for digits in MOBILES.values():
        read = phone(digits, region)
        if read not in (None, digits):  # A mobile number of the country itself, as it stands.
            own = phonenumbers.parse(digits, region)
            assert read == f"{own.country_code}{digits}"
            assert phonenumbers.number_type(own) in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


@pytest.mark.parametrize(
    ("value", "country"),
    [
        ("447400123456", "IT"),
        ("447400123456", "IN"),
        ("33612345678", "JP"),
        ("919876543210", "DE"),
        ("16502531212", "PH"),
        ("4943767167453", "DE"),
    ],
)
def test_digits_that_two_countries_or_a_missing_plus_explain_are_dropped(value: str, country: str):
    assert reason(value, country) in ("two readings, for want of a plus", "impossible number")


def test_a_possible_number_that_no_other_country_has_is_taken():
    assert phone("555-555-5555", "US") == "15555555555"
    assert phone("8 (492) 066-00-55", "RU") == "74920660055"


@pytest.mark.parametrize(
    ("value", "country", "digits"),
    [
        ("+52 (1) 811 987 8677", None, "528119878677"),
        ("+52 1 55 1234 5678", None, "525512345678"),
        ("5215512345678", "MX", "525512345678"),
        ("00 52 1 55 1234 5678", None, "525512345678"),
        ("011 52 1 55 1234 5678", "US", "525512345678"),
        ("044 55 1234 5678", "MX", "525512345678"),
        ("045 55 1234 5678", "MX", "525512345678"),
        ("01 55 1234 5678", "MX", "525512345678"),
        ("01 800 123 4567", "MX", "528001234567"),
        ("55 1234 5678", "MX", "525512345678"),
        ("16502531212", "MX", None),
    ],
)
def test_mexico_is_read_as_before_2019_and_since(value: str, country: str | None, digits: str | None):
    assert phone(value, country) == digits


@pytest.mark.parametrize(
    ("value", "country", "digits"),
    [
        ("15112345678.00", "DE", "4915112345678"),
        ("15112345678,00", "DE", "4915112345678"),
        ("6505551212.000", "US", "16505551212"),
        ("0788382382.0", "RW", "250788382382"),
        ("+4915112345678.0", None, "4915112345678"),
        ("4.915112345678E12", "DE", "4915112345678"),
        ("1.5112345678E10", "DE", "4915112345678"),
        ("9.012345678e+9", "JP", "819012345678"),
        ("4.41E+11", "GB", None),
        ("1.65055512E+10", "US", None),
        ("15112345678.5", "DE", None),
        ("15112345678.25", "DE", None),
    ],
)
def test_decimals_and_exponents_are_no_digits_of_a_number(value: str, country: str | None, digits: str | None):
    assert phone(value, country) == digits


@pytest.mark.parametrize(
    ("value", "country", "digits"),
    [
        ("9876543210 after 6", "IN", "919876543210"),
        ("0664 1234567 privat 2", "AT", "436641234567"),
        ("0412 345 678 after 3", "AU", "61412345678"),
        ("312 3456789 ore 18", "IT", "393123456789"),
        ("030 12345 ab 1830 Uhr", "DE", "493012345"),
        ("0151 1234 after 6", "DE", None),
        ("0151 I2345678", "DE", None),
        ("0151 1234567O", "DE", None),
        ("O151 12345678", "DE", None),
        ("030 12345*", "DE", None),
        ("0917 123 4567 (2)", "PH", None),
        ("1) 0151 12345678", "DE", None),
        ("1 0151 12345678", "DE", None),
        ("1. 9876543210", "IN", None),
        ("2. 030 123456", "DE", None),
    ],
)
def test_digits_of_a_remark_are_no_digits_of_the_number(value: str, country: str, digits: str | None):
    assert phone(value, country) == digits


@pytest.mark.parametrize(
    "value",
    [
        "069 1234 / 069 5678",
        "030 12345 / 030 12346",
        "030 12345 / 12346",
        "030 12345\n030 12346",
        "030 12345 030 12346",
        "030 12345, 030 12346",
        "030 12345; 030 12346",
        "030 12345 oder 030 12346",
        "+49 30 12345 / +49 30 12346",
        "+49 30 12345 030 12346",
    ],
)
def test_two_numbers_in_a_cell_are_not_one_long_number(value: str):
    assert reason(value, "DE") == "more than one number"


@pytest.mark.parametrize(
    ("value", "country", "digits"),
    [
        ("030/1234567", "DE", "49301234567"),
        ("030 / 123 45 67", "DE", "49301234567"),
        ("+49 (0) 2871 / 123456", "DE", "492871123456"),
        ("0664/1234567", "AT", "436641234567"),
        ("02/123.45.67", "BE", "3221234567"),
        ("49 0151 12345678", "DE", "4915112345678"),
        ("8 029 491-19-11", "BY", "375294911911"),
        ("06 01 02 03 04", "FR", "33601020304"),
        ("090-0123-4567", "JP", "819001234567"),
        ("(2) 2123 4567", "CL", "56221234567"),
        ("650) 253 1212", "US", "16502531212"),
        ("Mobil (privat): 0151 12345678", "DE", "4915112345678"),
        ("0151–12345678", "DE", "4915112345678"),
    ],
)
def test_usual_ways_to_group_digits_are_one_number(value: str, country: str, digits: str):
    assert phone(value, country) == digits

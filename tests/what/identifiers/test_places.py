from __future__ import annotations

import pycountry
import pytest
from tests.what.identifiers.messy import TODAY

from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one


def normalise(field: str, value: str, country: str | None = None) -> str | None:
    return normalise_one(field, value, Context(today=TODAY, country=country)).normalised


@pytest.mark.parametrize(
    ("value", "normalised"),
    [
        ("New York, NY", "newyorkny"),
        ("Frankfurt (Main)", "frankfurtmain"),
        ("'s-Hertogenbosch", "shertogenbosch"),
        ("San\u2013Francisco\u00a0Bay", "sanfranciscobay"),
        ("Gießen", "giessen"),
        ("København", "kobenhavn"),
        ("Malmö", "malmo"),
        ("İstanbul", "istanbul"),
        ("IĞDIR", "igdir"),
        ("Iğdır", "igdir"),
        ("Đà Nẵng", "danang"),
        ("Łódź", "lodz"),
        ("Ｔｏｋｙｏ", "tokyo"),
        ("東京 Tokyo", "tokyo"),
        ("Paris 16", "paris"),
        ("Москва", None),
        ("北京", None),
        ("75", None),
    ],
)
def test_cities_are_spelled_with_the_letters_a_to_z(value: str, normalised: str | None):
    assert normalise("city", value) == normalised


@pytest.mark.parametrize(
    ("value", "normalised"),
    [
        ("California", "ca"),
        ("CALIFORNIA", "ca"),
        ("Calif.", "ca"),
        ("us-ca", "ca"),
        ("N. Carolina", "nc"),
        ("West Virginia", "wv"),
        ("Virginia", "va"),
        ("Washington", "wa"),
        ("Washington State", "wa"),
        ("State of Washington", "wa"),
        ("Washington D.C.", "dc"),
        ("District of Columbia", "dc"),
        ("Puerto Rico", "pr"),
        ("AE", "ae"),
        ("Ontario", None),
        ("zz", None),
        ("New York City", None),
        ("12", None),
    ],
)
def test_states_of_the_usa_become_their_two_letters(value: str, normalised: str | None):
    for country in ("us", "USA", "United States"):
        assert normalise("region", value, country) == normalised


def test_every_state_of_the_usa_is_known_by_name_and_code():
    for state in pycountry.subdivisions.get(country_code="US"):
        code = state.code.removeprefix("US-").lower()
        assert {normalise("region", written, "us") for written in (state.name, state.code, code)} == {code}


@pytest.mark.parametrize(
    ("value", "country", "normalised"),
    [
        ("Ontario", "ca", "ontario"),
        ("ON", "ca", "on"),
        ("Québec", "ca", "quebec"),
        ("Baden-Württemberg", "Germany", "badenwurttemberg"),
        ("Georgia", "ge", "georgia"),
        ("東京都", "jp", None),
        ("California", None, "ca"),
        ("Bayern", None, "bayern"),
        ("ill", None, "ill"),
    ],
)
def test_states_elsewhere_keep_their_name(value: str, country: str | None, normalised: str | None):
    assert normalise("region", value, country) == normalised


@pytest.mark.parametrize(
    ("value", "normalised"),
    [
        ("94035", "94035"),
        ("94035-1234", "94035"),
        ("94035 1234", "94035"),
        ("940351234", "94035"),
        ("94035-", "94035"),
        ("94035.0", "94035"),
        ("US-94035", "94035"),
        ("2134", "02134"),
        ("2134-1234", "02134"),
        ("21341234", "02134"),
        ("123", None),
        ("940351", None),
        ("ABCDE", None),
        ("K1A 0B1", None),
        ("00000", None),
    ],
)
def test_zip_codes_of_the_usa_have_five_digits(value: str, normalised: str | None):
    assert normalise("zip", value, "us") == normalise("zip", value, "Puerto Rico") == normalised


@pytest.mark.parametrize(
    ("value", "country", "normalised"),
    [
        ("ec1a 1bb", "gb", "ec1a1bb"),
        ("L1 1AA", "uk", "l11aa"),
        ("K1A-0B1", "ca", "k1a0b1"),
        ("D02 X285", "ie", "d02x285"),
        ("1012 AB", "nl", "1012ab"),
        ("〒100-0001", "jp", "1000001"),
        ("１００－０００１", "jp", "1000001"),
        ("12345-678", "br", "12345678"),
        ("1000-001", "pt", "1000001"),
        ("75018.0", "fr", "75018"),
        ("F-75018", "fr", "75018"),
        ("A-1010", "at", "1010"),
        ("CH 8001", "ch", "8001"),
        ("SE-111 22", "se", "11122"),
        ("L-1234", "lu", "1234"),
        ("B1636FDA", "ar", "b1636fda"),
        ("HM CX", "bm", "hmcx"),
        ("1234", "au", "1234"),
        ("D-10115", None, "d10115"),
        ("12345-6789", None, "12345"),
        ("1", "de", None),
        ("0000", "be", None),
        ("10115 Berlin, Germany", "de", None),
        ("インド", "jp", None),
    ],
)
def test_postal_codes_elsewhere_keep_all_letters_and_digits(value: str, country: str | None, normalised: str | None):
    assert normalise("zip", value, country) == normalised


@pytest.mark.parametrize("country", [None, "", " ", "n/a", "-", "NULL", "nan"])
def test_the_default_country_stands_in_where_no_country_is_stated(country: str | None):
    context = Context(today=TODAY, country=country, default_country="US")

    assert normalise_one("zip", "2134", context).normalised == "02134"
    assert normalise_one("region", "Ohio", context).normalised == "oh"
    assert normalise_one("phone", "650 253 1212", context).normalised == "16502531212"


@pytest.mark.parametrize("country", ["Narnia", "Méjico", "Emirates", "1", "ZZ", "Europe"])
def test_the_default_country_does_not_stand_in_for_one_that_is_not_understood(country: str):
    context = Context(today=TODAY, country=country, default_country="US")

    assert normalise_one("zip", "8001", context).normalised == "8001"
    assert normalise_one("zip", "12345-6789", context).normalised is None
    assert normalise_one("region", "Bayern", context).normalised == "bayern"
    assert normalise_one("phone", "312 345 6789", context).reason == "unknown country"
    assert normalise_one("phone", "+39 312 345 6789", context).normalised == "393123456789"
    assert normalise_one("phone", "0039 312 345 6789", context).normalised == "393123456789"


@pytest.mark.parametrize(
    ("country", "default", "digits"),
    [
        ("Italia", "US", None),
        ("Italia", "IT", "393123456789"),
        ("Italia", None, "393123456789"),
        ("Italy", "US", "393123456789"),
        ("IT", "US", "393123456789"),
    ],
)
def test_a_country_named_in_another_language_counts_for_phones_unless_the_default_country_contradicts(
    country: str, default: str | None, digits: str | None
):
    context = Context(today=TODAY, country=country, default_country=default)

    assert normalise_one("phone", "312 345 6789", context).normalised == digits


@pytest.mark.parametrize(
    ("value", "country", "normalised"),
    [
        ("681", "pr", "00681"),
        ("907", "us", "00907"),
        ("907.0", "us", "00907"),
        ("802", "vi", "00802"),
        ("501", "us", "00501"),
        ("544", "us", "00544"),
        ("9071234", "us", "00907"),
        ("907-1234", "us", "00907"),
        ("6520", "us", "06520"),
        ("PR-00681", "pr", "00681"),
        ("510", "us", None),
        ("404", "us", None),
        ("681", "gu", None),
        ("90712", "us", "90712"),
        ("906812", "us", None),
    ],
)
def test_zip_codes_that_lost_their_zeros_get_them_back(value: str, country: str, normalised: str | None):
    assert normalise("zip", value, country) == normalised


@pytest.mark.parametrize(
    ("value", "country", "normalised"),
    [
        ("2000.00", "au", "2000"),
        ("75018.00", "fr", "75018"),
        ("10115.000", "de", "10115"),
        ("94035.00", "us", "94035"),
        ("101.00", "is", "101"),
        ("110.00", "cz", "11000"),
        ("111.22", "se", "11122"),
    ],
)
def test_the_decimals_of_a_whole_number_are_no_digits_of_a_postal_code(value: str, country: str, normalised: str):
    assert normalise("zip", value, country) == normalised


@pytest.mark.parametrize(
    ("value", "country", "normalised"),
    [
        ("JP-100-0001", "jp", "1000001"),
        ("JP 100-0001", "jp", "1000001"),
        ("MX-06600", "mx", "06600"),
        ("KR03187", "kr", "03187"),
        ("GB-SW1A 1AA", "gb", "sw1a1aa"),
        ("UK SW1A 1AA", "gb", "sw1a1aa"),
        ("CA-K1A 0B1", "ca", "k1a0b1"),
        ("AR-B1636FDA", "ar", "b1636fda"),
        ("JE2 3AB", "je", "je23ab"),
        ("KY1-1001", "ky", "ky11001"),
        ("AD500", "ad", "ad500"),
        ("LV-1010", "lv", "1010"),
    ],
)
def test_a_postal_code_loses_the_code_of_its_country_and_no_letters_of_its_own(
    value: str, country: str, normalised: str
):
    assert normalise("zip", value, country) == normalised


@pytest.mark.parametrize(
    ("value", "country", "normalised"),
    [
        ("California (CA)", "us", "ca"),
        ("New York [NY]", "us", "ny"),
        ("CA - California", "us", "ca"),
        ("TX, Texas", "us", "tx"),
        ("Georgia (US)", "us", "ga"),
        ("Washington (DC)", "us", "dc"),
        ("Texas (CA)", "us", None),
        ("Bayern (BY)", "de", "bayern"),
        ("ON (Ontario)", "ca", "ontario"),
        ("Ontario (CA-ON)", "ca", "ontario"),
        ("CA-ON", "ca", "on"),
        ("California (CA)", None, "ca"),
        ("Frankfurt (Oder)", "de", "frankfurtoder"),
    ],
)
def test_a_state_with_its_code_in_brackets_is_the_state(value: str, country: str | None, normalised: str | None):
    assert normalise("region", value, country) == normalised

from __future__ import annotations

import pycountry
import pytest
from tests.what.identifiers.messy import TODAY

from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rules import normalise_one


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
        assert normalise("state", value, country) == normalised


def test_every_state_of_the_usa_is_known_by_name_and_code():
    for state in pycountry.subdivisions.get(country_code="US"):
        code = state.code.removeprefix("US-").lower()
        assert {normalise("state", written, "us") for written in (state.name, state.code, code)} == {code}


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
    assert normalise("state", value, country) == normalised


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


def test_the_default_country_stands_in_for_an_unknown_one():
    context = Context(today=TODAY, country="nowhere", default_country="US")

    assert normalise_one("zip", "2134", context).normalised == "02134"
    assert normalise_one("state", "Ohio", context).normalised == "oh"

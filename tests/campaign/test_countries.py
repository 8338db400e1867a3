from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pycountry
import pytest
from babel import Locale

import audiences
from audiences.campaign.countries import country_code, english_country_code
from audiences.campaign.country_names import english_names, names_in_all_languages


def test_every_country_is_known_by_its_codes_and_names():
    for country in pycountry.countries:
        names = [getattr(country, name, country.name) for name in ("name", "common_name", "official_name")]
        for written in (country.alpha_2, country.alpha_3.lower(), *names, country.name.upper()):
            assert country_code(written) == country.alpha_2.lower()


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("  GB ", "gb"),
        ("uk", "gb"),
        ("U.K.", "gb"),
        ("Great Britain", "gb"),
        ("Scotland", "gb"),
        ("U.S.A.", "us"),
        ("The United States of America", "us"),
        ("united-states", "us"),
        ("AUT", "at"),
        ("SWE", "se"),
        ("Cote d’Ivoire", "ci"),
        ("Ivory Coast", "ci"),
        ("Korea, South", "kr"),
        ("Korea (Republic of)", "kr"),
        ("Republic of Korea", "kr"),
        ("DR Congo", "cd"),
        ("Turkey", "tr"),
        ("Russia", "ru"),
        ("Bosnia & Herzegovina", "ba"),
        ("St. Kitts and Nevis", "kn"),
        ("U.S. Virgin Islands", "vi"),
        ("the Netherlands", "nl"),
        ("Germany\u200b", "de"),
        ("NA", "na"),
    ],
)
def test_countries_are_understood_as_people_write_them(written: str, code: str):
    assert country_code(written) == code


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "n/a",
        "N.A.",
        "12",
        "840",
        "ZZ",
        "XX",
        "EU",
        "EN",
        "US1",
        "Germany France",
        "Germany (FR)",
        "Georgia (US)",
        "Kongo",
        "Narnia",
        "Méjico",
        "End",
        "Nga",
        "us日本",
        "-",
    ],
)
def test_what_is_no_country_is_never_cut_or_bent_into_one(written: str):
    assert country_code(written) is None


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Bahamas (the)", "bs"),
        ("Bahamas, The", "bs"),
        ("Bolivia (Plurinational State of)", "bo"),
        ("Central African Republic (the)", "cf"),
        ("Cocos (Keeling) Islands (the)", "cc"),
        ("Comoros (the)", "km"),
        ("Congo (the Democratic Republic of the)", "cd"),
        ("Congo (the)", "cg"),
        ("Cook Islands (the)", "ck"),
        ("Falkland Islands (the) [Malvinas]", "fk"),
        ("Faroe Islands (the)", "fo"),
        ("French Southern Territories (the)", "tf"),
        ("Gambia, The", "gm"),
        ("Holy See (the)", "va"),
        ("Iran (Islamic Republic of)", "ir"),
        ("Ireland, Republic of", "ie"),
        ("China, People's Republic of", "cn"),
        ("Korea (the Democratic People's Republic of)", "kp"),
        ("Korea (the Republic of)", "kr"),
        ("Lao People's Democratic Republic (the)", "la"),
        ("Marshall Islands (the)", "mh"),
        ("Micronesia (Federated States of)", "fm"),
        ("Moldova (the Republic of)", "md"),
        ("Netherlands (Kingdom of the)", "nl"),
        ("Niger (the)", "ne"),
        ("Philippines (the)", "ph"),
        ("Russian Federation (the)", "ru"),
        ("Saint Martin (French part)", "mf"),
        ("Sint Maarten (Dutch part)", "sx"),
        ("Sudan (the)", "sd"),
        ("Taiwan (Province of China)", "tw"),
        ("Tanzania, the United Republic of", "tz"),
        ("Turks and Caicos Islands (the)", "tc"),
        ("United Kingdom of Great Britain and Northern Ireland (the)", "gb"),
        ("United States Minor Outlying Islands (the)", "um"),
        ("United States of America (the)", "us"),
        ("Venezuela (Bolivarian Republic of)", "ve"),
        ("Virgin Islands (British)", "vg"),
        ("Virgin Islands (U.S.)", "vi"),
        ("Congo, Dem. Rep.", "cd"),
        ("Egypt, Arab Rep.", "eg"),
        ("Hong Kong SAR, China", "hk"),
        ("China, Hong Kong SAR", "hk"),
        ("United States (US)", "us"),
        ("Turkey (Türkiye)", "tr"),
        ("IN - India", "in"),
        ("Republic of Turkey", "tr"),
    ],
)
def test_countries_are_understood_as_lists_of_countries_print_them(written: str, code: str):
    assert country_code(written) == english_country_code(written) == code


def test_every_english_name_of_cldr_is_known():
    names = {code: name for code, name in Locale("en").territories.items() if pycountry.countries.get(alpha_2=code)}

    assert {code: english_country_code(name) for code, name in names.items()} == {code: code.lower() for code in names}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Deutschland", "de"),
        ("Germania", "de"),
        ("Österreich", "at"),
        ("ESPAÑA", "es"),
        ("Schweiz", "ch"),
        ("Sverige", "se"),
        ("Côte d’Ivoire", "ci"),
        ("Россия", "ru"),
        ("日本", "jp"),
        ("भारत", "in"),
        ("ไทย", "th"),
        ("Ελλάδα", "gr"),
        ("Belgique / België", "be"),
    ],
)
def test_names_in_other_languages_are_understood_where_they_mean_one_country(written: str, code: str):
    assert country_code(written) == code


def test_a_name_in_some_language_never_hides_a_code_or_an_english_name():
    for name, code in english_names().items():
        assert names_in_all_languages().get(name, code) == code


def test_the_country_data_are_not_loaded_before_they_are_needed():
    check = "import audiences.campaign.countries, sys; sys.exit(bool({'pycountry', 'babel'} & set(sys.modules)))"
    package = Path(audiences.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": str(package)}, check=False).returncode == 0


def test_the_names_in_all_languages_are_not_loaded_for_codes_and_english_names():
    check = (
        "import sys; from audiences.campaign import countries as c, country_names as n;"
        "[c.country_code(w) for w in ('us', 'France', 'Myanmar (Burma)')];"
        "sys.exit(n.names_in_all_languages.cache_info().currsize)"
    )
    package = Path(audiences.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": str(package)}, check=False).returncode == 0


@pytest.mark.parametrize("written", ["", "  ", "\u200b"])
def test_nothing_is_looked_up_in_no_language(written):
    names_in_all_languages.cache_clear()
    assert country_code(written) is None
    assert names_in_all_languages.cache_info().currsize == 0

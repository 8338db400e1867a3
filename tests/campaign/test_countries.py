from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pycountry
import pytest

import audiences
from audiences.campaign.countries import country_code


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
        "Germania",
        "Germany France",
        "日本",
        "us日本",
        "-",
    ],
)
def test_what_is_no_country_is_never_cut_or_bent_into_one(written: str):
    assert country_code(written) is None


def test_the_country_data_are_not_loaded_before_they_are_needed():
    check = "import audiences.campaign.countries, sys; sys.exit('pycountry' in sys.modules)"
    package = Path(audiences.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", check], env={"PYTHONPATH": str(package)}, check=False).returncode == 0

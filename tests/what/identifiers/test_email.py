from __future__ import annotations

import pytest
from tests.what.identifiers.messy import TODAY

from audiences.what.identifiers.email import LONGEST
from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one


def email(value: str) -> str | None:
    return normalise_one("email", value, Context(today=TODAY)).normalised


@pytest.mark.parametrize(
    ("value", "normalised"),
    [
        ("Jane.Doe+news@GoogleMail.com", "jane.doe+news@googlemail.com"),
        ("\tjane@example.com\r\n", "jane@example.com"),
        ("\ufeffjane@example.com", "jane@example.com"),
        ("jane@exam\u200bple.com", "jane@example.com"),
        ("jane@example.com\u00ad", "jane@example.com"),
        ("\u212aane@example.com", "kane@example.com"),  # the Kelvin sign is a K to Unicode
        ("!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-@example.com"),
        ("a@b.co", "a@b.co"),
        ("jane@a-b.c-d.example", "jane@a-b.c-d.example"),
        ("jane@1.2.3.4", "jane@1.2.3.4"),
    ],
)
def test_an_address_is_trimmed_and_lowered_and_nothing_else(value: str, normalised: str):
    assert email(value) == normalised


@pytest.mark.parametrize(
    "value",
    [
        "jane",
        "jane@localhost",
        "jane@@example.com",
        "jane@ex@ample.com",
        ".jane@example.com",
        "jane.@example.com",
        "ja..ne@example.com",
        "jane@.example.com",
        "jane@example..com",
        "jane@example.com.",
        "jane@-example.com",
        "jane@example-.com",
        "jane@exa_mple.com",
        "jane@[1.2.3.4]",
        '"jane doe"@example.com',
        "jane(home)@example.com",
        "jane@example.com,",
        "jane@example.com bob@example.com",
        "jane@example.com\nbob@example.com",
        "<jane@example.com>",
        "jörg@example.com",
        "jane@exämple.com",
        "jane＠example.com",
        "İ@example.com",
        "ja\x00ne@example.com",
    ],
)
def test_what_is_no_address_is_rejected_and_never_repaired(value: str):
    assert email(value) is None


def test_an_address_longer_than_mail_servers_take_is_rejected():
    domain = "@" + ".".join(["d" * 60] * 3) + ".com"
    longest = "a" * (LONGEST - len(domain)) + domain

    assert email(longest) == longest
    assert email("a" + longest) is None

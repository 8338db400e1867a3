from __future__ import annotations

import pytest
from tests.what.identifiers.messy import TODAY

from audiences.what.identifiers.hashing import sha256_hex
from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one

CONTEXT = Context(today=TODAY)


@pytest.mark.parametrize("value", ["CUST-001", "cust 001", "42", "user_中文", "jane@example.com", sha256_hex("42")])
def test_an_external_id_is_kept_as_it_is_but_for_the_space_around_it(value: str):
    outcome = normalise_one("external_id", f" {value}\n", CONTEXT)

    assert outcome.normalised == value
    assert outcome.sha256 is None


def test_an_external_id_that_stands_for_nobody_is_rejected():
    assert normalise_one("external_id", "null", CONTEXT).reason == "placeholder"
    assert normalise_one("external_id", "nan", CONTEXT).reason == "placeholder"
    assert normalise_one("external_id", sha256_hex(""), CONTEXT).reason == "hash of nothing"


def test_an_external_id_has_at_most_255_bytes():
    assert normalise_one("external_id", "é" * 127, CONTEXT).normalised == "é" * 127
    assert normalise_one("external_id", "é" * 128, CONTEXT).reason == "too long"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("AEBE52E7-03EE-455A-B3C4-E57283966239", None),
        ("00000000-0000-0000-0000-000000000000", "placeholder"),
        ("aebe52e703ee455ab3c4e57283966239", "already hashed as MD5"),
        ("{aebe52e7-03ee-455a-b3c4-e57283966239}", "not a device id"),
        ("gebe52e7-03ee-455a-b3c4-e57283966239", "not a device id"),
        ("aebe52e7-03ee-455a-b3c4-e5728396623", "not a device id"),
        ("aebe52e7-03ee-455a-b3c4-e57283966239-1", "not a device id"),
    ],
)
def test_a_device_id_is_a_uuid_in_lower_case_that_is_not_all_zeros(value: str, reason: str | None):
    outcome = normalise_one("madid", value, CONTEXT)

    assert outcome.reason == reason
    assert outcome.normalised == (None if reason else value.lower())

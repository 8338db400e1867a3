"""The numbers that columns decide at once, against the rule for single ones and against libphonenumber."""

from __future__ import annotations

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from tests.what.identifiers.messy import TODAY, phones

from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.phone_column import fast_phones
from audiences.what.identifiers.rule_table import normalise_one

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


@settings(max_examples=200, deadline=None)
@given(numbers=st.lists(phones(), min_size=5, max_size=20), region=st.none() | st.sampled_from(REGIONS))
def test_a_number_decided_at_once_is_decided_as_a_single_one(numbers: list[str], region: str | None):
    context = Context(today=TODAY, country=region)
    decided = fast_phones(pa.array(numbers), context).to_pylist()

    for number, digits in zip(numbers, decided, strict=True):
        assert digits in (None, normalise_one("phone", number, context).normalised)


@pytest.mark.parametrize(
    "region", ["US", "GB", "DE", "FR", "IN", "JP", "BR", "AU", "KR", "PL", "NG", "MX", "IT", "RU", "AR"]
)
def test_usual_numbers_of_large_countries_are_decided_at_once(region: str):
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    example.national_number += 123
    written = [
        phonenumbers.format_number(example, form) for form in (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL)
    ]
    if region != "AR":  # Dialled inside Argentina, a mobile number is rewritten (15 becomes 9), one at a time.
        written.append(phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL))

    digits = phonenumbers.format_number(example, PhoneNumberFormat.E164).removeprefix("+")
    assert fast_phones(pa.array(written), Context(today=TODAY, country=region)).to_pylist() == [digits] * len(written)


def test_numbers_that_must_be_assigned_are_left_to_the_rule():
    context = Context(today=TODAY, country="US", strict_valid=True)
    assert fast_phones(pa.array(["+16505551212"]), context).to_pylist() == [None]


def test_a_number_that_ends_in_zeros_is_decided_at_once_unless_it_has_nothing_else():
    context = Context(today=TODAY, country="US")
    written = ["+14152000000", "+442071830000", "4152000000", "+10000000000", "+440000000000", "0000000000"]
    assert fast_phones(pa.array(written), context).to_pylist() == [
        "14152000000",
        "442071830000",
        "14152000000",
        None,
        None,
        None,
    ]
    for number in written:
        decided = fast_phones(pa.array([number]), context)[0].as_py()
        assert decided in (None, normalise_one("phone", number, context).normalised)

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.what.identifiers.messy import TODAY, contexts, values_of

from audiences.campaign.identifiers import FIELDS
from audiences.what.identifiers.hashing import sha256_hex
from audiences.what.identifiers.outcome import Context, Reason
from audiences.what.identifiers.rule_table import RULES, Rule, ensure_complete, normalise_one

CONTEXT = Context(today=TODAY)
JANE = sha256_hex("jane@example.com")


@pytest.mark.parametrize("field", sorted({field.name for field in FIELDS.values()} - {"phone"}))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_normalised_value_is_its_own_normal_form(field: str, data: st.DataObject):
    context = data.draw(contexts)
    once = normalise_one(field, data.draw(values_of(field)), context)

    assert once.normalised is None or normalise_one(field, once.normalised, context) == once


@settings(max_examples=150, deadline=None)
@given(value=values_of("phone"), context=contexts)
def test_a_normalised_phone_number_with_a_plus_is_its_own_normal_form(value: str, context: Context):
    once = normalise_one("phone", value, context)
    abroad = replace(context, country=None, default_country=None)

    assert once.normalised is None or normalise_one("phone", f"+{once.normalised}", abroad) == once


@pytest.mark.parametrize("field", sorted(FIELDS))
@settings(max_examples=30, deadline=None)
@given(data=st.data(), pre_hashed=st.booleans())
def test_every_value_is_either_normalised_or_rejected_for_a_known_reason(
    field: str, data: st.DataObject, pre_hashed: bool
):
    value = data.draw(values_of(field))
    outcome = normalise_one(field, value, replace(data.draw(contexts), pre_hashed=pre_hashed))

    if outcome.normalised is None:
        assert outcome.sha256 is None
        assert Reason(outcome.reason) is not Reason.UNREADABLE
    else:
        assert outcome.normalised.strip() == outcome.normalised != ""
        assert outcome.reason is None
        assert (outcome.sha256 is not None) == FIELDS[field].hashed


@pytest.mark.parametrize("value", ["", "  ", "\u200b", "\u00a0\ufeff", "\t\r\n", None])
@pytest.mark.parametrize("field", sorted(FIELDS))
def test_nothing_is_empty_in_every_field(field: str, value: str | None):
    assert normalise_one(field, value, CONTEXT).reason == "empty"
    assert normalise_one(field, value, replace(CONTEXT, pre_hashed=True)).reason == "empty"


@pytest.mark.parametrize(
    "value", ["n/a", "N/A", " #N/A ", "null", "NULL", "(null)", "\\N", "none", "Unknown", "-", "??"]
)
@pytest.mark.parametrize("field", sorted(FIELDS))
def test_a_placeholder_is_no_value_in_any_field(field: str, value: str):
    assert normalise_one(field, value, CONTEXT).reason == "placeholder"


@pytest.mark.parametrize(
    ("field", "value", "normalised"),
    [("last_name", "Na", "na"), ("first_name", "Nan", "nan"), ("country", "NA", "na"), ("zip", "NA", None)],
)
def test_short_words_are_placeholders_only_where_they_cannot_be_values(field: str, value: str, normalised: str | None):
    assert normalise_one(field, value, CONTEXT).normalised == normalised


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (JANE, None),
        (JANE.upper(), None),
        (f" {JANE}\n", None),
        (JANE[:-1], "not a SHA-256 hash"),
        (JANE + "0", "not a SHA-256 hash"),
        ("g" + JANE[1:], "not a SHA-256 hash"),
        ("jane@example.com", "not a SHA-256 hash"),
        ("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d", "not a SHA-256 hash"),
        ("5D41402ABC4B2A76B9719D911017C592", "already hashed as MD5"),
        (sha256_hex(""), "hash of nothing"),
        (sha256_hex("").upper(), "hash of nothing"),
        (sha256_hex("null"), "hash of nothing"),
        (sha256_hex("None"), "hash of nothing"),
        (sha256_hex("nan"), "hash of nothing"),
        ("", "empty"),
    ],
)
def test_a_hashed_value_passes_in_lower_case_and_nothing_else_passes(value: str, reason: str | None):
    outcome = normalise_one("email", value, replace(CONTEXT, pre_hashed=True))

    assert outcome.reason == reason
    assert outcome.sha256 == outcome.normalised == (None if reason else JANE)


@pytest.mark.parametrize("field", sorted(FIELDS.keys() - {"external_id"}))
def test_a_raw_value_that_is_a_hash_is_never_hashed_again(field: str):
    assert normalise_one(field, JANE, CONTEXT).reason == "already hashed"
    assert normalise_one(field, JANE[:40], CONTEXT).reason == "already hashed"
    assert normalise_one(field, JANE[:32].upper(), CONTEXT).reason == "already hashed as MD5"


def test_a_key_that_is_not_hashed_ignores_that_its_column_is_declared_as_hashed():
    hashed = replace(CONTEXT, pre_hashed=True)

    assert normalise_one("external_id", "CUST-001", hashed).normalised == "CUST-001"
    assert normalise_one("madid", JANE, hashed).reason == "already hashed"


def test_text_that_is_no_unicode_is_unreadable():
    assert normalise_one("first_name", "Jane\ud800", CONTEXT).reason == "unreadable"


def test_an_unknown_field_is_an_error_of_the_caller():
    with pytest.raises(KeyError):
        normalise_one("emial", "jane@example.com", CONTEXT)


def test_an_identifier_without_a_rule_and_a_rule_without_an_identifier_cannot_be_imported():
    fields = {"email": FIELDS["email"], "shoe_size": replace(FIELDS["gender"], name="shoe_size")}
    with pytest.raises(LookupError, match=r"`shoe_size` is in FIELDS .* and has no rule: add how it is read to RULES"):
        ensure_complete(fields, {"email": RULES["email"]})
    with pytest.raises(LookupError, match=r"`gender` has a rule in RULES .* and is no identifier: add it to FIELDS"):
        ensure_complete({}, {"gender": RULES["gender"]})
    with pytest.raises(LookupError, match=r"`date_of_birth`: its keys and the `parts` of its rule .* differ in DOBD"):
        ensure_complete(
            {"date_of_birth": FIELDS["date_of_birth"]},
            {"date_of_birth": Rule(RULES["date_of_birth"].read, parts={"DOBY": (0, 4), "DOBM": (4, 6)})},
        )

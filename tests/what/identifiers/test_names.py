from __future__ import annotations

import pytest
from tests.what.identifiers.messy import TODAY

from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one


def normalise(field: str, value: str, *, fold_diacritics: bool = False) -> str | None:
    return normalise_one(field, value, Context(today=TODAY, fold_diacritics=fold_diacritics)).normalised


@pytest.mark.parametrize(
    ("value", "normalised"),
    [
        ("Mary-Jane", "maryjane"),
        ("  José   María ", "josémaría"),
        ("D’Angelo", "dangelo"),
        ("O´Brien", "obrien"),
        ("Kaʻahumanu", "kaahumanu"),
        ("St. John, Jr.", "stjohnjr"),
        ("Nguyễn", "nguyễn"),
        ("Straße", "straße"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("李 小龍", "李小龍"),
        ("Anne\u00adMarie", "annemarie"),
        ("Jane 😀™", "jane"),
        ("Ja\x00ne", "jane"),
        ("e'\u0301", "é"),
        ("I\u0307brahim", "i̇brahim"),
        ("John 3", "john3"),
    ],
)
def test_names_keep_letters_of_every_script_and_nothing_between_them(value: str, normalised: str):
    assert normalise("first_name", value) == normalised
    assert normalise("last_name", value) == normalised


def test_a_name_has_one_form_however_its_accents_are_encoded():
    assert normalise("last_name", "Mu\u0308ller") == normalise("last_name", "M\u00fcller") == "müller"


@pytest.mark.parametrize("value", ["'", "—", "😀", "ʼ", "\u0301"])
def test_a_name_without_a_letter_is_rejected(value: str):
    assert normalise("first_name", value) is None
    assert normalise("first_initial", value) is None


@pytest.mark.parametrize(
    ("value", "normalised"), [("José", "jose"), ("Łukasz", "lukasz"), ("Влади́мир", "влади́мир"), ("मोहन", "मोहन")]
)
def test_accents_of_latin_letters_are_folded_on_request(value: str, normalised: str):
    assert normalise("first_name", value, fold_diacritics=True) == normalised


@pytest.mark.parametrize(
    ("value", "normalised"), [("Émile", "é"), ("'Aisha", "a"), (" m.", "m"), ("李小龍", "李"), ("I\u0307brahim", "i")]
)
def test_the_initial_is_the_first_letter(value: str, normalised: str):
    assert normalise("first_initial", value) == normalised


@pytest.mark.parametrize(
    ("value", "normalised"),
    [
        *((word, "m") for word in ("m", "M.", " MALE ", "Mr", "boy", "he", "Husband", "(man)")),
        *((word, "f") for word in ("f", "Female", "Ms.", "MRS", "ma'am", "girl", "she", "wife")),
        *((word, None) for word in ("x", "d", "0", "1", "2", "other", "diverse", "non-binary", "m/f", "f/m", "he/she")),
        *((word, None) for word in ("malefemale", "femal", "mm", "w", "н", "男")),
    ],
)
def test_gender_is_read_from_words_and_never_guessed(value: str, normalised: str | None):
    assert normalise("gender", value) == normalised

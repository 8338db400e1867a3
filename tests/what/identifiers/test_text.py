from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.what.identifiers.text import ascii_digits, clean, without_accents

TEXT = st.text(st.characters(codec="utf-8"))


@given(text=TEXT)
def test_cleaned_text_is_composed_and_has_no_space_around_it(text: str):
    cleaned = clean(text)

    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned == cleaned.strip() == clean(cleaned)


@pytest.mark.parametrize("invisible", ["\u00ad", "\u200b", "\u200d", "\u200e", "\u2060", "\ufeff", "\ufe0f", "\u3164"])
def test_characters_that_show_nothing_are_dropped(invisible: str):
    assert clean(f"{invisible}ja{invisible}ne{invisible}") == "jane"
    assert clean(f"e{invisible}\u0301") == "é"


@given(text=TEXT)
def test_folded_text_has_no_accent_on_a_latin_letter(text: str):
    folded = without_accents(text)

    assert folded == without_accents(folded)
    for character in folded:
        assert not unicodedata.normalize("NFD", character)[0].isascii() or character.isascii()


@pytest.mark.parametrize("digits", ["٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "０１２３４５６７８９", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"])
def test_digits_of_every_script_are_read(digits: str):
    assert ascii_digits(f"+{digits}²") == "+0123456789²"

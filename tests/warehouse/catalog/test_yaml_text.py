"""Values as YAML: they read back as themselves, in the characters that people wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.campaign.yaml_reader import parse
from audiences.warehouse.catalog.yaml_text import scalar


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_a_text_reads_back_as_itself(text: str) -> None:
    assert parse(f"key: {scalar(text)}", "file.yml").data == {"key": text}


@pytest.mark.parametrize("name", ["Bought 🛒", 'a \\U0001F6D2 in "quotes"', "\\\\🛒"])
def test_an_emoji_stays_one_and_a_backslash_too(name: str) -> None:
    written = scalar(name)
    assert written == '"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))
    assert parse(f"key: {written}", "file.yml").data == {"key": name}

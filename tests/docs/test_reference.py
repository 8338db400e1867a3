"""The reference pages are what the models say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audiences.campaign.reference import reference_files

ROOT = Path(__file__).resolve().parents[2]
PAGES = reference_files()


@pytest.mark.parametrize("path", PAGES)
def test_a_reference_page_is_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path], "run: make schemas"


@pytest.mark.parametrize("path", PAGES)
def test_links_of_a_reference_page_lead_to_a_heading(path: str) -> None:
    headings = {heading.lower() for heading in re.findall(r"^## (\w+)$", PAGES[path], re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", PAGES[path])) <= headings


def test_keys_come_with_their_values_defaults_and_meaning() -> None:
    assert (
        "| `max_removal` | integer, 0 to 100 | `50` | Stop when more than this percentage"
        in PAGES["docs/reference-campaign.md"]
    )
    assert "| `id` | string | *required* | Facebook's id of the ad account" in PAGES["docs/reference-settings.md"]

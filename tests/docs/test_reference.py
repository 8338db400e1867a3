"""The reference pages are what the models and the commands say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from audiences.campaign.reference import reference_files
from audiences.cli.command_reference import PAGE, command_line_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {**reference_files(), PAGE: command_line_page()}


@pytest.mark.parametrize("path", PAGES)
def test_a_reference_page_is_current(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path], "run: make schemas"


@pytest.mark.parametrize("path", PAGES)
def test_links_of_a_reference_page_lead_to_a_heading(path: str) -> None:
    headings = re.findall(r"^## (.+)$", PAGES[path], re.MULTILINE)
    links = set(re.findall(r"\]\(#([^)]+)\)", PAGES[path]))
    assert links
    assert links <= {heading.lower().replace(" ", "-") for heading in headings}


def test_keys_come_with_their_values_defaults_and_meaning() -> None:
    assert (
        "| `max_removal` | integer, 0 to 100 | `50` | Stop when more than this percentage"
        in PAGES["docs/reference-campaign.md"]
    )
    assert "| `id` | string | *required* | Facebook's id of the ad account" in PAGES["docs/reference-settings.md"]


def test_commands_come_with_their_arguments_options_exit_codes_and_an_example() -> None:
    (section,) = re.findall(r"^## audiences explain\n.+?(?=^## )", PAGES[PAGE], re.MULTILINE | re.DOTALL)
    assert "`audiences explain [OPTIONS] CAMPAIGN`" in section
    assert "| `CAMPAIGN` | text | *required* | The campaign's id" in section
    assert "| `--email` | `ADDRESS\\|-` |  | Whoever has this e-mail address" in section
    assert "Exit code 1 when the warehouse has no user of this id" in section
    assert "Example: `audiences explain abandoned_cart --user 1814`" in section
    assert "| `--next` | integer, 1 to 1000 | `10` | How many run times. |" in PAGES[PAGE]
    assert "| `--offset` | integer, 0 or more | `0` |" in PAGES[PAGE]
    assert "## audiences catalog check\n" in PAGES[PAGE]

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from markdown_it import MarkdownIt
from tests.campaign.checks.test_campaign import LIVE
from tests.campaign.conftest import CAMPAIGN, ROOT
from tests.campaign.test_malformed import RICH

from audiences.campaign.describe import describe, effective_yaml
from audiences.campaign.model import Campaign
from audiences.campaign.project import Project
from audiences.campaign.yaml_reader import parse

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

    from audiences.campaign.spec import CampaignSpec

EXPECTED = Path(__file__).with_name("snapshots")
SAMPLES = Project.load(ROOT).campaigns


@pytest.fixture
def rich(folder: Folder) -> CampaignSpec:
    folder.write("include/segments/saved.csv", "1\n")
    folder.campaign(RICH)
    return folder.spec()


def test_a_campaign_is_described_in_plain_english(rich: CampaignSpec) -> None:
    said = describe(rich).partition("## Configuration")[0]
    assert said == (EXPECTED / "describe.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", SAMPLES.values(), ids=SAMPLES.keys())
def test_the_effective_configuration_reads_back_as_the_same_campaign(spec: CampaignSpec) -> None:
    document = parse(effective_yaml(spec), "effective.yml")
    assert document.problems == ()
    assert Campaign.model_validate(document.data) == spec.campaign


def test_the_effective_configuration_of_a_rich_campaign_reads_back(rich: CampaignSpec) -> None:
    assert Campaign.model_validate(parse(effective_yaml(rich), "effective.yml").data) == rich.campaign


def test_the_effective_configuration_reads_the_same_in_yaml_1_1(rich: CampaignSpec) -> None:
    assert yaml.safe_load(effective_yaml(rich)) == parse(effective_yaml(rich), "effective.yml").data


@pytest.mark.parametrize(
    "text", ["1e5", "0o7", "no", "007", "2026-01-01", "12:30:00", "~", "a: b", "# x", "1_0", "*a", "ü"]
)
def test_text_that_looks_like_something_else_stays_text(folder: Folder, text: str) -> None:
    folder.campaign(CAMPAIGN.replace("name: Test\n", f"name: '{text}'\n", 1))
    assert parse(effective_yaml(folder.spec()), "effective.yml").data["name"] == text


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("now", "- Once, as soon as it is published (`UTC`)."),
        ("{date: 2026-12-01 09:00}", "- Once, at `2026-12-01 09:00:00` (`UTC`)."),
        ("{dates: [2026-12-01, 2026-12-02]}", "- At `2026-12-01`, `2026-12-02` (`UTC`)."),
        ("{cron: '0 9 * * *', timezone: Asia/Tokyo}", "- By the cron line `0 9 * * *` (`Asia/Tokyo`)."),
        ("{repeat: {every: 3 days, at: ['09:00', '18:30:15']}}", "- Every 3 days at 09:00, 18:30:15 (`UTC`)."),
        ("{repeat: {every: 1 month, on: [1, last], at: '09:00'}}", "- Every month on `1`, `last` at 09:00 (`UTC`)."),
    ],
)
def test_schedules_are_put_into_words(folder: Folder, when: str, said: str) -> None:
    folder.when(when)
    assert said in describe(folder.spec()).splitlines()


def test_a_live_campaign_is_put_into_words(folder: Folder) -> None:
    folder.campaign(LIVE)
    said = describe(folder.spec()).splitlines()
    for line in (
        "- Users who do the event under When.",
        "- When a user does `Added To Cart`",
        "  - `amount` is at least `20`",
        "- unless `Charged` follows within 30 minutes",
        "- Each user at most once per 7 days.",
        "- Members leave after 30 days.",
    ):
        assert line in said


HOSTILE = "<img src=x onerror=alert(1)> **b** [x](javascript:alert(1)) `` ``` # h\n- i\n1. | a | & <!-- ~~"


def test_nothing_in_a_file_becomes_markup(folder: Folder) -> None:
    text = yaml.safe_dump(
        {
            "name": HOSTILE,
            "description": HOSTILE,
            "who": {"with_properties": {"city": HOSTILE}},
            "what": {"audience": {"create": {"name": HOSTILE}}},
            "when": {"now": True},
        }
    )
    folder.campaign(text)
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    shown = reader.render(describe(folder.spec()))
    tags = set(re.findall(r"<(\w+)", shown))
    assert tags == {"h1", "h2", "p", "ul", "li", "code", "pre"}
    assert (shown.count("<h1>"), shown.count("<pre>"), shown.count("<p>")) == (1, 1, 2)
    assert shown.count("&lt;img src=x onerror=alert(1)&gt;") == 8  # each twice: in words and in the configuration


def test_no_name_of_a_file_turns_breaks_or_steers_the_page(folder: Folder) -> None:
    name = "Zoë\\n# forged \\e[2J \\u202e <b>![x](http://y)</b> \\u2028 end"
    folder.campaign(CAMPAIGN.replace("name: Test\n", f'name: "{name}"\ndescription: "{name}"\n', 1))
    spec = folder.spec()
    said = describe(spec)
    assert not set(said) & set("\x1b\u202e\u2028")
    assert not [line for line in said.splitlines() if line.startswith("# forged")]
    shown = MarkdownIt().render(said.partition("## Configuration")[0])
    assert "<b>" not in shown
    assert "<img" not in shown
    assert Campaign.model_validate(parse(effective_yaml(spec), "effective.yml").data) == spec.campaign

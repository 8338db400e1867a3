from __future__ import annotations

import json
from decimal import Decimal

import pytest
from tests.campaign.conftest import CAMPAIGN, ROOT, Folder
from tests.campaign.test_malformed import RICH

from audiences.campaign.project import Project
from audiences.campaign.spec import CampaignSpec

SAMPLES = Project.load(ROOT).campaigns


@pytest.fixture
def rich(folder: Folder) -> CampaignSpec:
    folder.write(
        "include/segments/saved.yml", "did: {event: Charged, within: 'between [2026-01-01, 2026-02-01 10:00]'}\n"
    )
    folder.campaign(RICH)
    return folder.spec()


def through_json(spec: CampaignSpec) -> CampaignSpec:
    return CampaignSpec.model_validate(json.loads(json.dumps(spec.model_dump(mode="json", by_alias=True))))


@pytest.mark.parametrize("spec", SAMPLES.values(), ids=SAMPLES.keys())
def test_a_sample_survives_json_without_loss(spec: CampaignSpec) -> None:
    assert through_json(spec) == spec
    assert through_json(spec).digest == spec.digest


def test_a_rich_campaign_survives_json_without_loss(rich: CampaignSpec) -> None:
    assert through_json(rich) == rich
    assert through_json(rich).digest == rich.digest


@pytest.mark.parametrize("percent", ["10", "0.1", "33.333", "0.30000000000000004", "'12.345678901234567890123'"])
def test_a_percentage_stays_exact(folder: Folder, percent: str) -> None:
    folder.who(f"did: {{event: Charged}}\ncontrol_group: {{percent: {percent}}}")
    spec = folder.spec()
    assert spec.campaign.who.control_group.percent == Decimal(percent.strip("'"))
    assert through_json(spec).campaign.who.control_group.percent == Decimal(percent.strip("'"))


def test_the_digest_is_of_the_meaning_and_not_of_the_writing(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    digest = folder.spec().digest
    folder.campaign(
        "# a comment\n" + CAMPAIGN.replace("who:\n  did: {event: Charged}", "who: {did: {event: 'Charged'}}")
    )
    assert folder.spec().digest == digest


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("campaigns/test.yml", "event: Charged", "event: Wishlisted"),
        ("campaigns/test.yml", "when: now", "when: {date: 2026-01-01}"),
        ("include/warehouse.yml", "default_country: US", "default_country: IN"),
        ("include/settings.yml", "act_1001", "act_1002"),
        ("include/settings.yml", "percent: 2", "percent: 3"),
    ],
)
def test_the_digest_changes_with_anything_that_matters(folder: Folder, file: str, old: str, new: str) -> None:
    folder.campaign(CAMPAIGN)
    digest = folder.spec().digest
    text = (folder.root / file).read_text()
    assert old in text
    folder.write(file, text.replace(old, new, 1))
    assert folder.spec().digest != digest

"""What a change in the folders of brands is told as, from the files alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.campaign.conftest import CAMPAIGN, Folder

from audiences.review.changed_campaigns import changes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A project with the campaign `carts` of the brand `acme`."""
    folder = Folder(tmp_path)
    (folder.root / "campaigns/acme").mkdir()
    folder.campaign(CAMPAIGN, "acme/carts.yml")
    return folder


def told(folder: Folder, before: object) -> dict[str, str]:
    return {each.campaign: each.kind for each in changes(before, folder.load())}


def test_a_campaign_of_a_brand_is_told_by_its_id(folder: Folder) -> None:
    before = folder.load()
    folder.campaign(CAMPAIGN.replace("name: Test}", "name: More}"), "acme/more.yml")
    folder.campaign("name: [", "acme/carts.yml")
    assert told(folder, before) == {"carts": "broken", "more": "added"}


def test_a_move_to_another_brand_changes_nothing_for_anybody(folder: Folder) -> None:
    before = folder.load()
    (folder.root / "campaigns/acme").rename(folder.root / "campaigns/umbrella")
    assert told(folder, before) == {}


def test_campaigns_of_a_folder_that_can_be_read_no_more_are_not_told_as_removed(folder: Folder) -> None:
    before = folder.load()
    (folder.root / "campaigns/acme").rename(folder.root / "away")
    assert told(folder, before) == {"carts": "removed"}
    (folder.root / "campaigns/acme").symlink_to("nowhere")
    assert told(folder, before) == {"carts": "broken"}

"""Folders in `campaigns/`, each of a brand: their campaigns are campaigns like any other, with ids that are unique over all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from tests.campaign import hostile
from tests.campaign.conftest import CAMPAIGN, Folder

from audiences.airflow.polling import signature
from audiences.campaign.files import accounted_for, brands, former_ids, may_be_live, on_file
from audiences.campaign.project import Project
from audiences.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIVE = "name: T\nqualification: live\nwhat: {audience: {create: {name: T}}}\nwhen: {on: {event: Charged}}\n"


def of_brand(folder: Folder, brand: str, name: str, text: str | None = None) -> None:
    """A campaign of a brand, with an audience of its own."""
    (folder.root / "campaigns" / brand).mkdir(exist_ok=True)
    folder.campaign(
        text or CAMPAIGN.replace("create: {name: Test}", f"create: {{name: {name}}}"), f"{brand}/{name}.yml"
    )


def test_a_campaign_in_the_folder_of_a_brand_is_one_like_any_other(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    of_brand(folder, "acme", "carts")
    project = folder.load()
    assert (project.problems, project.warnings) == ((), ())
    assert {name: spec.brand for name, spec in project.campaigns.items()} == {"carts": "acme", "test": None}
    assert project.files == {"carts": "campaigns/acme/carts.yml", "test": "campaigns/test.yml"}
    assert Project.load_campaign(folder.root, "carts") == project.campaigns["carts"]
    assert accounted_for(folder.root) == on_file(folder.root) == {"carts", "test"}


def test_a_mistake_is_told_with_the_folder_and_stays_its_files_own(folder: Folder) -> None:
    of_brand(folder, "acme", "wrong", CAMPAIGN + "status: publishd\n")
    of_brand(folder, "acme", "carts")
    project = folder.load()
    assert list(project.campaigns) == ["carts"]
    assert str(project.problems[0]).startswith("campaigns/acme/wrong.yml:8:9: status: ")
    assert list(project.broken_campaigns) == ["wrong"]


@pytest.mark.parametrize(
    "others", [("umbrella/carts.yml",), ("carts.yaml",), ("umbrella/carts.yaml", "zeta/carts.yml")]
)
def test_one_id_in_two_brands_is_an_error_of_each_file_that_names_them_all(
    folder: Folder, others: tuple[str, ...]
) -> None:
    of_brand(folder, "acme", "carts")
    of_brand(folder, "acme", "other")
    for other in others:
        (folder.root / "campaigns" / other).parent.mkdir(exist_ok=True)
        folder.campaign(CAMPAIGN, other)
    project = folder.load()
    files = ["campaigns/acme/carts.yml", *(f"campaigns/{other}" for other in others)]
    assert list(project.campaigns) == ["other"]
    assert sorted(project.broken) == sorted(files)
    said = str(project.broken[files[0]])
    assert all(file in said for file in files)
    assert said.endswith("have one name, which is the campaign's id, in all brands; a campaign has one file")
    with pytest.raises(ConfigError, match="have one name"):
        Project.load_campaign(folder.root, "carts")


def test_what_is_taken_over_may_have_belonged_to_another_brand(folder: Folder) -> None:
    of_brand(folder, "acme", "new", CAMPAIGN + "formerly: old\n")
    assert former_ids(folder.root) == {"old"}
    of_brand(folder, "umbrella", "old")
    assert "campaigns/umbrella/old.yml is still there" in str(folder.load().broken["campaigns/acme/new.yml"])


def test_a_live_campaign_of_a_brand_is_found_and_watched(folder: Folder) -> None:
    assert not may_be_live(folder.root)
    before = signature(folder.root)
    of_brand(folder, "acme", "live", LIVE)
    assert may_be_live(folder.root)
    assert signature(folder.root) != before


@pytest.mark.parametrize("name", ["ACME Germany", "café", "-x", "a" * 101])
def test_a_folder_whose_name_can_be_no_brands_is_told_with_each_of_its_campaigns(folder: Folder, name: str) -> None:
    of_brand(folder, name, "carts")
    (error,) = folder.load().broken.values()
    assert error.problems[0].code == "bad-name"
    assert "the folder's name is the brand" in str(error)
    assert accounted_for(folder.root) == {"carts"}, "it is there, so it is not taken for deleted"


@pytest.mark.parametrize("name", [".git", "__pycache__", "..2026_11_29"])
def test_folders_that_editors_and_kubernetes_make_are_no_brands(folder: Folder, name: str) -> None:
    of_brand(folder, name, "carts")
    assert (brands(folder.root), list(folder.load().broken)) == ([], [])


def test_folders_in_the_folder_of_a_brand_are_not_read_with_a_warning(folder: Folder) -> None:
    of_brand(folder, "acme", "carts")
    (folder.root / "campaigns/acme/germany").mkdir()
    folder.campaign(CAMPAIGN, "acme/germany/test.yml")
    project = folder.load()
    assert list(project.campaigns) == ["carts"]
    message = "folders inside campaigns/acme/, which is a brand's, are not read; move its files up"
    assert [str(warning) for warning in project.warnings] == [f"campaigns/acme/germany: {message}"]


def test_whatever_lies_in_the_folder_of_a_brand_takes_no_campaign_offline(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    of_brand(folder, "acme", "carts")
    hostile.put_in(folder.root / "campaigns/acme")
    project = folder.load()
    assert list(project.campaigns) == ["carts", "test"]
    assert {"campaigns/acme/caf\\xe9.yml", "campaigns/acme/nowhere.yml"} < project.broken.keys()
    assert "leads out of the project" in str(project.broken["campaigns/acme/outside.yml"])


def away(brand: Path) -> None:
    """A link to where a disk was mounted."""
    brand.symlink_to("/nowhere/acme")


def elsewhere(brand: Path) -> None:
    """A link out of the project."""
    other = brand.parents[2] / "elsewhere"
    other.mkdir()
    (other / "carts.yml").write_text(CAMPAIGN)
    brand.symlink_to(other)


def loop(brand: Path) -> None:
    """A link to itself."""
    brand.symlink_to(brand.name)


@pytest.mark.parametrize("make", [away, elsewhere, loop])
def test_a_folder_that_is_not_there_to_be_read_hurts_its_brand_alone_and_nobody_takes_its_campaigns_for_deleted(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    (tmp_path / "project").mkdir()
    folder = Folder(tmp_path / "project")
    folder.campaign(CAMPAIGN)
    make(folder.root / "campaigns/acme")
    project = folder.load()
    assert list(project.campaigns) == ["test"]
    assert list(project.broken) == list(project.unread) == ["campaigns/acme"]
    assert (project.broken_campaigns, project.warnings) == ({}, ())
    assert Project.load_campaign(folder.root, "test").id == "test"
    with pytest.raises(ConfigError, match="no campaign `carts` in the folders that can be read") as unknown:
        Project.load_campaign(folder.root, "carts")
    assert [problem.file for problem in unknown.value.problems] == ["campaigns", "campaigns/acme"]
    assert on_file(folder.root) is None
    with pytest.raises(ConfigError, match="campaigns/acme"):
        accounted_for(folder.root)
    assert may_be_live(folder.root), "nobody knows"


def test_a_folder_that_can_be_no_brands_and_cannot_be_read_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    """As `lost+found` is on a volume of its own, where it belongs to root."""
    (tmp_path / "project").mkdir()
    folder = Folder(tmp_path / "project")
    of_brand(folder, "acme", "carts")
    elsewhere(folder.root / "campaigns/lost+found")
    project = folder.load()
    assert (list(project.campaigns), project.broken) == (["carts"], {})
    assert [str(each) for each in project.warnings] == [
        "campaigns/lost+found: cannot be read, and is passed over, since no brand can have this name"
    ]
    assert accounted_for(folder.root) == {"carts"}
    assert not may_be_live(folder.root)


@pytest.mark.parametrize("to", [".", "../campaigns", "acme", "../shared"])
def test_a_second_name_of_a_folder_that_is_read_takes_no_campaign_offline(folder: Folder, to: str) -> None:
    folder.campaign(CAMPAIGN)
    of_brand(folder, "acme", "carts")
    (folder.root / "shared").mkdir()
    (folder.root / "shared/more.yml").write_text(CAMPAIGN.replace("{name: Test}", "{name: More}"))
    (folder.root / "campaigns/zeta").symlink_to("../shared")
    (folder.root / "campaigns/zz").symlink_to(to)
    project = folder.load()
    assert (list(project.campaigns), project.broken) == (["carts", "more", "test"], {})
    assert [str(each) for each in project.warnings] == [
        "campaigns/zz: is not read, since it is a link to a folder whose campaigns are read already"
    ]
    assert brands(folder.root) == ["acme", "zeta"]


def test_kubernetes_mounts_the_folder_of_a_brand_as_a_link_to_a_hidden_one(folder: Folder) -> None:
    (folder.root / "campaigns/..2026_11_29/acme").mkdir(parents=True)
    folder.campaign(CAMPAIGN, "..2026_11_29/acme/carts.yml")
    (folder.root / "campaigns/..data").symlink_to("..2026_11_29")
    (folder.root / "campaigns/acme").symlink_to("..data/acme")
    project = folder.load()
    assert {name: spec.brand for name, spec in project.campaigns.items()} == {"carts": "acme"}
    assert (project.broken, project.warnings) == ({}, ())


def test_the_folder_of_a_brand_may_be_a_link_inside_the_project(folder: Folder) -> None:
    (folder.root / "shared").mkdir()
    (folder.root / "shared/carts.yml").write_text(CAMPAIGN)
    (folder.root / "campaigns/acme").symlink_to("../shared")
    assert {name: spec.brand for name, spec in folder.load().campaigns.items()} == {"carts": "acme"}


def test_only_the_brands_that_are_asked_for_are_read_and_the_ids_of_the_others_are_known(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    of_brand(folder, "acme", "carts")
    of_brand(folder, "acme", "twice")
    of_brand(folder, "umbrella", "twice")
    of_brand(folder, "umbrella", "wrong", "name: [")
    (folder.root / "campaigns/zeta").symlink_to("nowhere")
    project = Project.load(folder.root, of=lambda brand: brand == "acme")
    assert list(project.campaigns) == ["carts"]
    assert sorted(project.broken) == ["campaigns/acme/twice.yml", "campaigns/umbrella/twice.yml"]
    folder.write("include/warehouse.yml", "users: [")
    assert "campaigns/test.yml" not in Project.load(folder.root, of=lambda brand: brand == "acme").broken


def test_a_brand_may_have_a_pool_of_its_own_and_moving_a_file_to_it_is_no_new_version_of_the_campaign(
    folder: Folder,
) -> None:
    folder.campaign(CAMPAIGN)
    before = folder.spec()
    assert before.pool == "facebook"
    with (folder.root / "include/settings.yml").open("a") as settings:
        settings.write("brands: {acme: {pool: facebook_acme}, umbrela: {}}\n")
    (folder.root / "campaigns/acme").mkdir()
    (folder.root / "campaigns/test.yml").rename(folder.root / "campaigns/acme/test.yml")
    of_brand(folder, "umbrella", "other")
    after = folder.spec()
    assert (after.brand, after.pool, folder.spec("other").pool) == ("acme", "facebook_acme", "facebook")
    assert after.digest == before.digest
    (warning,) = folder.load().warnings
    assert re.fullmatch(
        r"include/settings.yml: brands.umbrela: there is no folder `campaigns/umbrela`; did you mean `umbrella`\?",
        str(warning),
    )

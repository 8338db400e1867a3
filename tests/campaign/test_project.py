from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.campaign.conftest import CAMPAIGN, ROOT

from audiences.campaign import project as loading
from audiences.campaign.project import Project
from audiences.errors import ConfigError

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder


def test_the_sample_project_is_right() -> None:
    project = Project.load(ROOT)
    assert (project.problems, project.warnings, project.broken) == ((), (), {})
    assert {"abandoned_cart", "lapsed_high_value", "remove_buyers", "win_back_loyal"} <= set(project.campaigns)
    assert project.campaigns["win_back_loyal"].segments["once_loyal"].sql


def test_one_campaign_loads_as_it_does_among_all() -> None:
    project = Project.load(ROOT)
    for campaign_id, spec in project.campaigns.items():
        assert Project.load_campaign(ROOT, campaign_id) == spec
        assert Project.load_campaign(ROOT, campaign_id).digest == spec.digest


def test_a_broken_campaign_keeps_no_other_from_loading(folder: Folder) -> None:
    folder.campaign(CAMPAIGN, "good.yml")
    folder.campaign("name: [", "bad.yml")
    project = folder.load()
    assert list(project.campaigns) == ["good"]
    assert project.files == {"good": "campaigns/good.yml"}
    assert list(project.broken) == ["campaigns/bad.yml"]
    assert project.broken["campaigns/bad.yml"].problems == project.problems


def test_loading_one_campaign_does_not_read_the_others(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    folder.campaign("name: [", "bad.yml")
    folder.write("include/segments/bad.yml", "name: [")
    assert Project.load_campaign(folder.root, "test").campaign.name == "Test"


@pytest.mark.parametrize("campaign_id", ["tets", "../include/settings", "", "a" * 5000, "\x00"])
def test_an_unknown_campaign_is_a_config_error(folder: Folder, campaign_id: str) -> None:
    folder.campaign(CAMPAIGN)
    with pytest.raises(ConfigError, match="there is no campaign"):
        Project.load_campaign(folder.root, campaign_id)


def test_an_unknown_campaign_comes_with_the_nearest_name(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    with pytest.raises(ConfigError, match="did you mean `test`"):
        Project.load_campaign(folder.root, "tets")


@pytest.mark.parametrize("missing", ["include/warehouse.yml", "include/settings.yml"])
def test_a_missing_shared_file_is_told_once(folder: Folder, missing: str) -> None:
    folder.campaign(CAMPAIGN)
    (folder.root / missing).unlink()
    project = folder.load()
    assert [str(problem) for problem in project.problems] == [f"{missing}: does not exist"]
    assert set(project.broken) == {missing, "campaigns/test.yml"}
    with pytest.raises(ConfigError, match="does not exist"):
        Project.load_campaign(folder.root, "test")


def test_a_folder_that_is_no_project_is_a_problem(tmp_path: Path) -> None:
    assert [str(problem) for problem in Project.load(tmp_path).problems] == [
        f"campaigns: is not in {tmp_path}; `--project` or AUDIENCES_PROJECT names the project's folder"
    ]


def test_a_project_without_campaigns_and_segments_is_fine(folder: Folder) -> None:
    (folder.root / "include/segments").rmdir()
    assert folder.codes() == []


@pytest.mark.parametrize("name", ["A_b-9.yml", "9.yaml", "x.YML"])
def test_file_names_that_can_be_ids_are_accepted(folder: Folder, name: str) -> None:
    folder.campaign(CAMPAIGN, name)
    assert list(folder.load().campaigns) == [Path(name).stem]


@pytest.mark.parametrize("name", ["a b.yml", "_a.yml", "a.b.yml", "ä.yml", "x" * 101 + ".yml", "audiences_upkeep.yml"])
def test_file_names_that_cannot_be_ids_are_refused(folder: Folder, name: str) -> None:
    folder.campaign(CAMPAIGN, name)
    assert folder.codes() == ["bad-name"]


def test_two_files_with_one_stem_are_both_refused(folder: Folder) -> None:
    folder.campaign(CAMPAIGN, "a.yml")
    folder.campaign(CAMPAIGN, "a.yaml")
    project = folder.load()
    assert project.campaigns == {}
    assert set(project.broken) == {"campaigns/a.yml", "campaigns/a.yaml"}
    with pytest.raises(ConfigError):
        Project.load_campaign(folder.root, "a")


def test_what_is_not_a_campaign_file_is_passed_over(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    folder.campaign("name: [", ".#test.yml")
    folder.campaign("not YAML: [", "README.md")
    assert folder.codes() == []


def test_what_is_not_a_regular_file_is_refused_and_not_waited_for(folder: Folder) -> None:
    os.mkfifo(folder.root / "campaigns/pipe.yml")
    (folder.root / "campaigns/folder.yml").mkdir()
    (folder.root / "campaigns/device.yml").symlink_to("/dev/zero")
    (folder.root / "campaigns/nowhere.yml").symlink_to("missing")
    (folder.root / "campaigns/loop.yml").symlink_to("loop.yml")
    assert folder.codes() == ["not-readable"] * 5


def test_the_first_campaign_keeps_an_audience_name(folder: Folder) -> None:
    folder.campaign(CAMPAIGN, "a.yml")
    folder.campaign(CAMPAIGN, "b.yml")
    project = folder.load()
    assert list(project.campaigns) == ["a"]
    assert [str(problem) for problem in project.problems] == [
        "campaigns/b.yml:6:20: what.audience.create.name: the audience `Test` is created by campaigns/a.yml already; "
        "choose another name"
    ]


def test_two_campaigns_that_update_one_audience_draw_a_warning(folder: Folder) -> None:
    for name in ("a.yml", "b.yml"):
        folder.campaign(CAMPAIGN.replace("create: {name: Test}", "update: {id: '1', action: add}"), name)
    project = folder.load()
    assert set(project.campaigns) == {"a", "b"}
    assert [str(warning) for warning in project.warnings] == [
        "campaigns/b.yml:6:18: what.audience.update.id: campaigns/a.yml updates the audience 1 as well"
    ]


def test_owner_and_time_zone_come_from_the_settings_unless_the_campaign_says(folder: Folder) -> None:
    settings = (folder.root / "include/settings.yml").read_text()
    folder.write("include/settings.yml", settings + "owner: growth\ntimezone: Asia/Tokyo\n")
    folder.campaign(CAMPAIGN)
    assert (folder.spec().campaign.owner, folder.spec().timezone) == ("growth", "Asia/Tokyo")
    folder.campaign(CAMPAIGN.replace("when: now", "when: {now: true, timezone: Europe/Rome}") + "owner: me\n")
    assert (folder.spec().campaign.owner, folder.spec().timezone) == ("me", "Europe/Rome")


def test_when_time_is_up_the_largest_files_are_left_and_say_so_and_the_others_are_there(folder: Folder) -> None:
    for number, name in enumerate(["a", "b", "c"]):
        text = CAMPAIGN.replace("create: {name: Test}", f"create: {{name: {name}}}")
        folder.campaign(text + "#" * (3 - number), f"{name}.yml")
    looks = iter([False, False, True])
    project = Project.load(folder.root, time_is_up=lambda: next(looks))
    assert list(project.campaigns) == ["b", "c"]
    (problem,) = project.broken["campaigns/a.yml"].problems
    assert (problem.code, "was not yet read" in problem.message) == ("not-yet-read", True)


def test_under_a_limit_of_time_segments_that_nobody_uses_are_not_read(folder: Folder) -> None:
    folder.who("segment: used")
    folder.write("include/segments/used.sql", "select id as user_id from users")
    folder.write("include/segments/unused.sql", "drop table users")
    project = Project.load(folder.root, time_is_up=lambda: False)
    assert (list(project.campaigns), project.broken) == (["test"], {})
    assert "include/segments/unused.sql" in folder.load().broken


def test_a_check_that_fails_is_the_matter_of_its_file_alone(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.campaign(CAMPAIGN, "good.yml")
    folder.campaign(CAMPAIGN, "odd.yml")
    real = loading.read_campaign

    def odd(stem: str, *rest: Any) -> Any:
        return 1 / 0 if stem == "odd" else real(stem, *rest)

    monkeypatch.setattr(loading, "read_campaign", odd)
    project = folder.load()
    assert list(project.campaigns) == ["good"]
    assert "ZeroDivisionError" in str(project.broken["campaigns/odd.yml"])


HEAVY = (
    "pandas",
    "pyarrow",
    "duckdb",
    "psycopg",
    "adbc_driver_postgresql",
    "facebook_business",
    "sqlalchemy",
    "airflow",
)


def test_loading_campaigns_imports_nothing_heavy() -> None:
    script = (
        "import sys; from pathlib import Path; from audiences.campaign.project import Project\n"
        f"lazy = {{'pycountry', 'croniter'}} & set(sys.modules); assert not lazy, lazy\n"
        f"assert Project.load(Path({str(ROOT)!r})).campaigns\n"
        f"heavy = set({HEAVY!r}) & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")})

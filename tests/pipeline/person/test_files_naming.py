"""Every file of a project that names an erased person is told, in whichever of its folders, and behind whatever link, it lies."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.campaign.conftest import CAMPAIGN, Folder

from audiences.pipeline.person.files_naming import files_naming
from audiences.what.erased import Erased
from audiences.what.traces import Traces

if TYPE_CHECKING:
    from pathlib import Path

SALT = b"salt"


def told(folder: Folder) -> list[tuple[str, str]]:
    person = Erased(SALT, frozenset({Erased(SALT, frozenset()).digest_of_user("4711")}))
    return list(files_naming(folder.root, Traces(person, frozenset(), date(2026, 11, 29))))


def test_files_in_folders_of_brands_and_in_linked_folders_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "lists").mkdir()
    (tmp_path / "shared").mkdir()
    folder = Folder(tmp_path / "project")
    (folder.root / "include/segments").rmdir()
    (folder.root / "include/segments").symlink_to(tmp_path / "lists")
    (folder.root / "campaigns/acme").symlink_to(tmp_path / "shared")
    (folder.root / "campaigns/umbrella/old").mkdir(parents=True)
    (tmp_path / "lists/vip.csv").write_text("user_id\n4711\n")
    (tmp_path / "lists/others.csv").write_text("user_id\n4712\n")
    held = CAMPAIGN.replace("who:\n", 'who:\n  never_hold_out: ["4711"]\n')
    (tmp_path / "shared/carts.yml").write_text(held)
    folder.campaign(held, "umbrella/old/never_read.yml")
    (folder.root / "campaigns/zeta").symlink_to("nowhere")
    assert told(folder) == [
        ("campaigns/zeta", "No such file or directory"),
        ("campaigns/acme/carts.yml", ""),
        ("campaigns/umbrella/old/never_read.yml", ""),
        ("include/segments/vip.csv", ""),
    ]

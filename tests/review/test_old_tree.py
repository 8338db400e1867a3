"""What git has at a revision, put on disk as the working tree has it, and a clear error for what cannot be had."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from shutil import rmtree

import pytest

from audiences.review.change_report import as_json, as_markdown, review
from audiences.review.git_revision import commit_of, files_at
from audiences.review.old_tree import RevisionError

ROOT = Path(__file__).parents[2]
CAMPAIGN = "name: Carts\nstatus: published\nwho: {did: {event: Charged}}\nwhat: {audience: {create: {name: Carts}}}\nwhen: now\n"
NOW = datetime(2026, 11, 29, tzinfo=UTC)


def git(folder: Path, *arguments: str, given: bytes = b"") -> str:
    settings = ("user.name=T", "user.email=t@example.com", "commit.gpgsign=false", "protocol.file.allow=always")
    command = ["git", *(part for each in settings for part in ("-c", each)), *arguments]
    return subprocess.run(command, cwd=folder, input=given, capture_output=True, check=True).stdout.decode().strip()


def commit(folder: Path, message: str = "change") -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message, "--allow-empty")
    return git(folder, "rev-parse", "HEAD")


def write(folder: Path, **campaigns: str) -> None:
    for name, text in campaigns.items():
        (folder / f"campaigns/{name}.yml").write_text(text)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one campaign under git, on `main`."""
    folder = tmp_path / "project"
    for part in ("campaigns", "include/segments"):
        (folder / part).mkdir(parents=True)
    for name in ("warehouse.yml", "settings.yml"):
        (folder / "include" / name).write_bytes((ROOT / "include" / name).read_bytes())
    write(folder, carts=CAMPAIGN)
    git(folder, "init", "-qb", "main")
    commit(folder)
    return folder


def told(folder: Path, revision: str = "HEAD") -> dict[str, str]:
    """What is told of each campaign since a revision, in the heading of the report."""
    report = as_markdown(review(folder, revision, NOW, None))
    lines = [line.removeprefix("#### `") for line in report.splitlines() if line.startswith("#### ")]
    return {name: said.removeprefix(": ") for name, _, said in (line.partition("`") for line in lines)}


def test_a_file_that_was_wrong_is_told_as_such_whatever_becomes_of_it(project):
    write(project, mended="name: [", gone="name: [", old="name: [", still="name: [")
    commit(project)
    for name in ("gone", "old"):
        (project / f"campaigns/{name}.yml").unlink()
    write(
        project,
        mended=CAMPAIGN.replace("Carts", "Mended"),
        new=CAMPAIGN.replace("name: Carts\n", "name: New\nformerly: old\n").replace("Carts", "New"),
        still="name: {",
    )
    assert told(project) == {
        "gone": "removed; its file was wrong before",
        "mended": "changed (published); its file was wrong before",
        "new": "renamed from `old`; its file was wrong before",
        "still": "its file is wrong, as it was before",
    }


def test_a_shared_file_that_was_wrong_makes_no_campaign_a_new_one(project):
    settings = (project / "include/settings.yml").read_text()
    (project / "include/settings.yml").write_text("ad_accounts: [")
    commit(project)
    (project / "include/settings.yml").write_text(settings)
    assert told(project) == {"carts": "changed (published); its file was wrong before"}
    found = as_json(review(project, "HEAD", NOW, None))
    assert [each.partition(":")[0] for each in found["problems_before"]] == ["include/settings.yml"]
    assert "**Files that were wrong before**" in as_markdown(review(project, "HEAD", NOW, None))


def test_a_campaign_that_another_one_takes_over_is_told_once_and_one_that_vanishes_into_an_old_one_too(project):
    write(project, other=CAMPAIGN.replace("Carts", "Other"))
    commit(project)
    (project / "campaigns/carts.yml").unlink()
    write(project, other=CAMPAIGN.replace("name: Carts\n", "name: Other\nformerly: carts\n").replace("Carts", "Other"))
    assert told(project) == {"carts": "removed (published); its members stay", "other": "changed (published)"}
    (project / "campaigns/other.yml").unlink()
    write(project, baskets=CAMPAIGN.replace("name: Carts\n", "name: Carts\nformerly: carts\n", 1))
    assert told(project)["baskets"] == "renamed from `carts`"


def test_a_revision_before_there_was_a_project_had_no_campaigns_and_nothing_was_wrong_with_them(project):
    tree = git(project, "hash-object", "-t", "tree", "-w", "--stdin")
    first = git(project, "commit-tree", tree, "-m", "nothing yet")
    found = as_json(review(project, first, NOW, None))
    assert [(each["campaign"], each["change"], each["was_wrong"]) for each in found["campaigns"]] == [
        ("carts", "added", False)
    ]
    assert found["problems_before"] == []


def test_a_file_of_any_name_is_what_it_is_in_the_working_tree(project):
    names = ["a b.yml", "ü\n`x`.yml", "-x.yml", "\udcff.yml", "x" * 251 + ".yml"]
    for name in names:
        (project / "campaigns" / name).write_text(CAMPAIGN)
    commit(project)
    with files_at(project, "HEAD") as old:
        assert {(old / "campaigns" / name).read_text() for name in names} == {CAMPAIGN}
    assert set(told(project).values()) == {"its file is wrong, as it was before"}


def test_links_lead_where_they_lead_in_the_working_tree_also_those_of_folders(project):
    (project / "shared/lists").mkdir(parents=True)
    (project / "shared/lists/vip.csv").write_text("user_id\n1\n")
    (project / "shared/carts.yml").write_text(CAMPAIGN)
    (project / "campaigns").rename(project / "crm")
    (project / "campaigns").symlink_to("crm")
    (project / "crm/carts.yml").unlink()
    (project / "crm/carts.yml").symlink_to("../common/carts.yml")
    (project / "common").symlink_to("shared")
    rmtree(project / "include/segments", ignore_errors=True)
    (project / "include/segments").symlink_to("../common/lists")
    commit(project)
    with files_at(project, "HEAD") as old:
        assert (old / "campaigns/carts.yml").read_text() == CAMPAIGN
        assert (old / "include/segments/vip.csv").read_text() == "user_id\n1\n"
    assert told(project) == {}
    assert told(project, "HEAD~1") == {}


def test_a_link_out_of_the_project_or_to_nothing_reads_nothing_and_is_no_traceback(project):
    targets = ["/etc", "../..", "..", "nowhere", "campaigns", "x" * 300, "x/" * 2500]
    for link, target in product(("campaigns", "include/segments", "campaigns/x.yml"), targets):
        blob = git(project, "hash-object", "-w", "--stdin", given=target.encode())
        git(project, "rm", "-rqf", "--cached", "--ignore-unmatch", link)
        git(project, "update-index", "--add", "--cacheinfo", f"120000,{blob},{link}")
        linked = git(project, "commit-tree", git(project, "write-tree"), "-m", "link")
        git(project, "read-tree", "HEAD")
        if link == "campaigns":
            said = "its campaigns is a link that leads out of the project"
            with pytest.raises(RevisionError, match=said), files_at(project, linked):
                pass
            continue
        with files_at(project, linked) as old:
            assert not (old / link).is_file()
            assert not any((old / link).glob("*"))


def test_a_folder_that_is_a_file_or_a_submodule_there_is_an_error_or_unknown(project, tmp_path):
    rmtree(project / "campaigns")
    (project / "campaigns").write_text("no folder")
    commit(project)
    (project / "campaigns").unlink()
    (project / "campaigns").mkdir()
    write(project, carts=CAMPAIGN)
    assert told(project) == {"carts": "changed (published); its file was wrong before"}
    head = git(project, "rev-parse", "HEAD")
    git(project, "rm", "-q", "--cached", "campaigns")
    git(project, "update-index", "--add", "--cacheinfo", f"160000,{head},campaigns")
    git(project, "commit", "-qm", "submodule")
    with pytest.raises(
        RevisionError, match="its campaigns is a submodule, whose files are in a repository of their own"
    ):
        review(project, "HEAD", NOW, None)


def test_a_name_that_the_disk_does_not_take_is_an_error_in_words(project):
    blob = git(project, "hash-object", "-w", "--stdin")
    git(project, "update-index", "--add", "--cacheinfo", f"100644,{blob},campaigns/{'x' * 256}.yml")
    git(project, "commit", "-qm", "long")
    with pytest.raises(RevisionError, match="cannot be put on disk: File name too long"):
        review(project, "HEAD", NOW, None)


def test_a_clone_with_a_part_of_the_history_says_what_it_lacks(project, tmp_path):
    git(project, "checkout", "-qb", "branch")
    write(project, carts=CAMPAIGN.replace("Carts", "Two"))
    commit(project)
    git(project, "checkout", "-q", "main")
    git(project, "clone", "-q", "--depth=1", "--branch=branch", f"file://{project}", str(tmp_path / "shallow"))
    with pytest.raises(RevisionError, match="fetch-depth: 0"):
        commit_of(tmp_path / "shallow", None)
    git(project, "config", "uploadpack.allowFilter", "true")
    git(project, "clone", "-q", "--filter=blob:none", "--branch=branch", f"file://{project}", str(tmp_path / "partial"))
    with pytest.raises(RevisionError, match=r"does not have all its files.*fetch the whole"):
        review(tmp_path / "partial", "HEAD~1", NOW, None)


def test_a_branch_that_has_nothing_in_common_with_the_main_branch_says_so(project):
    git(project, "checkout", "-q", "--orphan", "branch")
    commit(project, "another beginning")
    with pytest.raises(RevisionError, match="no commit in common"):
        commit_of(project, None)


def test_that_a_change_takes_the_approval_out_is_said_at_the_top(project):
    write(project, carts=f"{CAMPAIGN}approval: {{approvers: anna}}\n")
    commit(project)
    write(project, carts=CAMPAIGN)
    report = as_markdown(review(project, "HEAD", NOW, None))
    top, _, below = report.partition("#### ")
    assert "**Sends without asking anybody for an approval: `carts`.**" in top
    assert (
        "**Nobody is asked: this change takes `approval` out of the file, and that itself needs no approval." in below
    )
    (found,) = as_json(review(project, "HEAD", NOW, None))["campaigns"]
    assert found["approval"]["asked"] is False
    assert found["keys"] == ["approval"]
    write(project, carts=f"{CAMPAIGN}approval: {{approvers: ben}}\n")
    (found,) = as_json(review(project, "HEAD", NOW, None))["campaigns"]
    assert found["approval"]["asked"] is None
    assert "if this very version was approved before" in found["approval"]["words"]
    assert found["approval"]["words"].endswith("The change also says who may approve it.")
    write(project, carts=CAMPAIGN.replace("published", "stopped"))
    assert as_json(review(project, "HEAD", NOW, None))["campaigns"][0]["approval"] is None

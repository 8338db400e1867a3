from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.campaign import hostile
from tests.campaign.conftest import CAMPAIGN, Folder

from audiences.airflow.polling import signature
from audiences.campaign.files import accounted_for, former_ids, may_be_live
from audiences.campaign.project import Project

if TYPE_CHECKING:
    from pathlib import Path

LIVE = "name: T\nqualification: live\nwhat: {audience: {create: {name: T}}}\nwhen: {on: {event: Charged}}\n"


def test_whatever_lies_among_the_campaigns_is_told_in_words_and_takes_no_other_offline(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    hostile.put_in(folder.root / "campaigns")
    project = folder.load()
    assert list(project.campaigns) == ["test"]
    assert {file: str(error.problems[0]).partition(": ")[2] for file, error in project.broken.items()} == {
        "campaigns/caf\\xe9.yml": "the file's name is the campaign's id and must be letters a to z, digits, `_` and `-`, at most "
        "100, and begins with a letter or digit; found `caf�`",
        "campaigns/line\\nbreak\\x1b[2J.yml": "the file's name is the campaign's id and must be letters a to z, digits, `_` and "
        "`-`, at most 100, and begins with a letter or digit; found `line�break�[2J`",
        f"campaigns/{'ü' * 120}.yml": "the file's name is the campaign's id and must be letters a to z, digits, `_` and `-`, at "
        f"most 100, and begins with a letter or digit; found `{'ü' * 59}…`",
        "campaigns/folder.yml": "is a folder, not a file",
        "campaigns/nowhere.yml": "is a link to a file that does not exist",
        "campaigns/loop.yml": "is a link to a file that does not exist",
        "campaigns/device.yml": "is not a file",
        "campaigns/outside.yml": "is a link that leads out of the project; put the file itself here",
        "campaigns/pipe.yml": "is not a file",
        "campaigns/socket.yml": "is not a file",
    }


def test_every_file_has_a_name_that_can_be_printed_and_stored(folder: Folder) -> None:
    hostile.put_in(folder.root / "campaigns")
    for name in folder.load().broken:
        assert name.isprintable()
        assert len(name.encode()) <= 1000


def test_the_same_among_saved_segments_hurts_only_those_who_use_them(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    hostile.put_in(folder.root / "include/segments")
    assert list(folder.load().campaigns) == ["test"]
    assert "include/segments/caf\\xe9.yml" in folder.load().broken


def test_a_link_inside_the_project_is_followed_as_kubernetes_makes_them(folder: Folder) -> None:
    folder.write("campaigns/..data.keep", "")
    (folder.root / "campaigns/..2026").mkdir()
    folder.write("campaigns/..2026/test.yml", CAMPAIGN)
    (folder.root / "campaigns/..data").symlink_to("..2026")
    (folder.root / "campaigns/test.yml").symlink_to("..data/test.yml")
    assert list(folder.load().campaigns) == ["test"]


def test_a_folder_of_campaigns_may_be_a_link_to_another_place(folder: Folder, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("elsewhere")
    (other / "real.yml").write_text(CAMPAIGN)
    (other / "linked.yml").symlink_to("real.yml")
    (folder.root / "campaigns").rmdir()
    (folder.root / "campaigns").symlink_to(other)
    assert "campaigns/linked.yml" not in {
        file for file, error in folder.load().broken.items() if error.problems[0].code == "not-readable"
    }


def test_only_ids_count_as_campaigns_that_have_a_file_readable_or_not(folder: Folder) -> None:
    folder.campaign(CAMPAIGN + "formerly: carts\n")
    hostile.put_in(folder.root / "campaigns")
    assert accounted_for(folder.root) == {
        *("test", "carts", "folder", "nowhere", "loop", "device", "outside", "pipe", "socket")
    }
    assert former_ids(folder.root) == {"carts"}


@pytest.mark.parametrize("name", ["test.yml ", "test.YAML.", "test.yml.txt"])
def test_a_name_that_is_nearly_a_campaigns_draws_a_warning(folder: Folder, name: str) -> None:
    folder.campaign(CAMPAIGN, name)
    assert [warning.code for warning in folder.load().warnings] == ["not-read"]


@pytest.mark.parametrize(
    "line",
    [
        "qualification: live",
        "qualification:\n  live",
        "qualification:   \n\n      live # soon",
        "'qualification': live",
        '"qualific\\u0061tion": "l\\u0069ve"',
        "? qualification\n: live",
        "qualification: >-\n  live",
        "description: &what live\nqualification: *what",
    ],
)
def test_a_live_campaign_is_one_however_its_file_is_spelled(folder: Folder, line: str) -> None:
    folder.campaign(LIVE.replace("qualification: live", line), "a.YML")
    assert list(folder.load().campaigns) == ["a"]
    assert may_be_live(folder.root)


def test_a_live_campaign_in_flow_style_is_one(folder: Folder) -> None:
    folder.campaign(
        "{name: T, qualification: live, what: {audience: {create: {name: T}}}, when: {on: {event: Charged}}}"
    )
    assert list(folder.load().campaigns) == ["test"]
    assert may_be_live(folder.root)


@pytest.mark.parametrize(
    ("text", "may_be"),
    [
        (CAMPAIGN, False),
        (CAMPAIGN + "description: we deliver live, qualification none\n", False),
        (CAMPAIGN + "tags: [live]\n", False),
        (CAMPAIGN + 'description: "qualification: live \\x41"\n', False),
        ("name: [ # a live one, once", True),
        ("name: [", False),
        ("name: caf\udce9".encode("utf-8", "surrogateescape"), True),
        ("#" * 300_000, True),
    ],
)
def test_in_doubt_a_file_may_be_a_live_campaign(folder: Folder, text: str | bytes, may_be: bool) -> None:
    folder.campaign(text)
    assert may_be_live(folder.root) is may_be


def test_a_dispatcher_is_built_where_it_would_take_long_to_find_out(folder: Folder) -> None:
    for number in range(20):
        folder.campaign(CAMPAIGN + "# we deliver\n" + "#" * 250_000, f"heavy{number}.yml")
    assert may_be_live(folder.root)


def test_what_lies_among_the_campaigns_does_not_stop_the_dispatcher(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    hostile.put_in(folder.root / "campaigns")
    assert may_be_live(folder.root), "one is a file that is not read, so it may be"
    (folder.root / "campaigns/outside.yml").unlink()
    assert not may_be_live(folder.root)
    before = signature(folder.root)
    assert before == signature(folder.root) != ""
    folder.campaign(LIVE, "new.YML")
    assert signature(folder.root) != before
    (folder.root / "campaigns/new.YML").unlink()
    assert signature(folder.root) == before


def test_a_folder_that_cannot_be_read_leaves_the_dispatcher_where_it_is(tmp_path: Path) -> None:
    assert may_be_live(tmp_path)
    assert signature(tmp_path) == ""


_BYTES = st.binary(min_size=1, max_size=200).filter(lambda name: not {0, ord("/")} & set(name))
_ENDINGS = st.sampled_from([b"", b".yml", b".yaml", b".YML", b".sql", b".csv", b".yml~", b".swp", b".txt", b" "])
_KINDS = st.sampled_from(["file", "live", "empty", "folder", "link", "out", "pipe"])


@pytest.mark.long
@settings(max_examples=3_000, deadline=None)
@given(st.lists(st.tuples(_BYTES, _ENDINGS, _KINDS), max_size=12))
def test_no_name_and_no_kind_of_file_takes_the_good_campaign_offline(
    tmp_path_factory: pytest.TempPathFactory, things: list[tuple[bytes, bytes, str]]
) -> None:
    folder = Folder(tmp_path_factory.mktemp("names", numbered=True))
    folder.campaign(CAMPAIGN, "good.yml")
    for number, (name, ending, kind) in enumerate(things):
        path = folder.root / ("include/segments" if number % 3 else "campaigns") / os.fsdecode(name + ending)
        if len(name + ending) <= 255 and not os.path.lexists(path):
            _put(path, kind, number)
    project = Project.load(folder.root)
    assert "good" in project.campaigns
    for told in (*project.problems, *project.warnings):
        assert str(told).isprintable()
        assert len(told.file.encode()) <= 1000
    if not project.unread:  # the folder of a brand, by its name, that is a link to nowhere
        assert all(name.isascii() for name in accounted_for(folder.root))
        assert signature(folder.root)
    may_be_live(folder.root)


def _put(path: Path, kind: str, number: int) -> None:
    if kind == "folder":
        path.mkdir()
    elif kind in ("link", "out"):
        path.symlink_to("missing" if kind == "link" else "/etc/passwd")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        text = {"file": CAMPAIGN, "live": LIVE, "empty": ""}[kind]
        path.write_text(re.sub("create: {name: .*?}", f"create: {{name: N{number}}}", text))


def test_a_list_whose_name_has_another_ending_is_told_and_letter_case_does_not_matter(folder: Folder) -> None:
    folder.campaign(CAMPAIGN)
    for name in ("Upper.CSV", "query.SQL"):
        folder.write(f"include/segments/{name}", "1\n" if name.endswith("CSV") else "select id as user_id from users\n")
    for name in ("users.tsv", "users.csv.txt", "users", "users.XLSX", "README", "README.md", ".users.tsv"):
        folder.write(f"include/segments/{name}", "1\n")
    found = folder.load()
    assert found.problems == ()
    message = "is not read, since its name does not end in .csv, .yml, .yaml or .sql"
    told = ("users", "users.XLSX", "users.csv.txt", "users.tsv")
    assert [str(warning) for warning in found.warnings] == [f"include/segments/{name}: {message}" for name in told]

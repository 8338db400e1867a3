from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from audiences.campaign.common_files import load_catalog
from audiences.campaign.project import Project
from audiences.campaign.segments import Segments
from audiences.errors import ConfigError
from audiences.query.render import render
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder


def segments(folder: Folder, **files: str) -> None:
    for name, text in files.items():
        stem, _, suffix = name.rpartition("_")
        folder.write(f"include/segments/{stem}.{suffix}", text)


def test_a_campaign_carries_the_segments_it_needs_and_no_others(folder: Folder) -> None:
    segments(
        folder,
        a_yml="all: [{segment: b}, {not: {exclude_segment: c}}]",
        b_yml="did: {event: Charged}",
        c_csv="user_id\n1\n2\n",
        d_yml="did: {event: Charged}",
    )
    folder.who("segment: a")
    spec = folder.spec()
    assert list(spec.segments) == ["a", "b", "c"]
    assert spec.segments["c"].users == ("1", "2")


def test_a_broken_segment_is_told_once_and_breaks_its_users(folder: Folder) -> None:
    segments(folder, a_yml="segment: b", b_yml="did: {event: Payed}", c_yml="did: {event: Charged}")
    for number, name in enumerate("abc"):
        folder.campaign(
            f"name: T\nwho: {{segment: {name}}}\nwhat: {{audience: {{create: {{name: T{number}}}}}}}\nwhen: now\n",
            f"uses_{name}.yml",
        )
    project = folder.load()
    assert [str(problem) for problem in project.problems] == [
        "include/segments/b.yml:1:14: did.event: unknown event `Payed`; allowed: "
        "App Opened, Product Viewed, Added To Cart, Charged, Wishlisted"
    ]
    assert list(project.campaigns) == ["uses_c"]
    assert "segment `a` cannot be used: include/segments/b.yml:1:14" in str(project.broken["campaigns/uses_a.yml"])
    with pytest.raises(ConfigError, match="segment `b` cannot be used"):
        Project.load_campaign(folder.root, "uses_b")


def test_a_cycle_is_named_and_told_once(folder: Folder) -> None:
    segments(
        folder,
        a_yml="segment: b",
        b_yml="all: [{not: {segment: c}}]",
        c_yml="exclude_segment: [a]",
        outside_yml="segment: c",
    )
    folder.who("segment: outside")
    project = folder.load()
    assert [str(problem) for problem in project.problems] == [
        "include/segments/a.yml: the segments refer to themselves: `a` → `b` → `c` → `a`"
    ]
    assert project.campaigns == {}
    with pytest.raises(ConfigError, match="refer to themselves"):
        Project.load_campaign(folder.root, "test")


def test_a_segment_that_refers_to_itself_is_a_cycle(folder: Folder) -> None:
    segments(folder, a_yml="{segment: a, did: {event: Charged}}")
    assert folder.codes() == ["segment-cycle"]


def test_a_diamond_is_no_cycle(folder: Folder) -> None:
    segments(folder, a_yml="segment: [b, c]", b_yml="segment: d", c_yml="segment: d", d_csv="1\n")
    folder.who("segment: a")
    assert folder.codes() == []


def chain(folder: Folder, rules: int, text: str = "segment: NEXT") -> None:
    """Segments `s0`, `s1` and so on, each of which refers to the next, and a list at the end."""
    for number in range(rules):
        folder.write(f"include/segments/s{number}.yml", text.replace("NEXT", f"s{number + 1}"))
    folder.write(f"include/segments/s{rules}.csv", "1")
    folder.who("segment: s0")


def test_a_chain_of_segments_as_long_and_nested_as_allowed_can_be_run(folder: Folder) -> None:
    chain(folder, 19, "{all: [{not: " * 9 + "{segment: NEXT}" + "}]}" * 9)
    spec = folder.spec()
    assert len(spec.segments) == 20
    assert render(qualified(spec, datetime(2026, 11, 1, tzinfo=UTC)))


def test_a_longer_chain_of_segments_is_refused_where_it_becomes_too_long(folder: Folder) -> None:
    chain(folder, 40)
    (problem,) = folder.problems()
    assert problem.startswith("include/segments/s20.yml: the segments refer to one another over more than 20 levels")
    with pytest.raises(ConfigError, match="over more than 20 levels"):
        Project.load_campaign(folder.root, "test")


def test_each_segment_of_a_long_chain_is_looked_at_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,500 of them took 148 s, since each walked the whole chain."""
    chain(folder, 300)
    asked: list[str] = []
    real = Segments._used_by

    def counted(self: Segments, name: str) -> tuple[str, ...]:
        asked.append(name)
        return real(self, name)

    monkeypatch.setattr(Segments, "_used_by", counted)
    assert "segment-depth" in folder.codes()
    assert len(asked) <= 4 * 301


def test_a_ring_of_segments_is_told_once_by_the_first_of_them(folder: Folder) -> None:
    for number in range(60):
        folder.write(f"include/segments/s{number}.yml", f"segment: s{(number + 1) % 60}")
    folder.write("include/segments/before.yml", "segment: [s7, other]")
    folder.write("include/segments/other.csv", "1")
    (problem,) = folder.load().problems
    assert (problem.file, problem.code) == ("include/segments/s0.yml", "segment-cycle")


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a.yml", "name: Says nothing", "wrong-value"),
        ("a.yml", "did: {event: Charged}\nwith_properties: {city: x}", "unknown-key"),
        ("a.yml", "segment: nobody", "unknown-segment"),
        ("a.yml", "", "empty-file"),
        ("a b.yml", "did: {event: Charged}", "bad-name"),
        ("a.csv", "", "empty-file"),
        ("a.csv", "user_id\n\n", "empty-file"),
        ("a.csv", "1,2\n", "bad-list"),
        ("a.csv", '"1\n2\n', "bad-list"),
        ("a.csv", "1\x00\n", "bad-character"),
        ("a.csv", "1\n" * 200_000, "too-large"),
        ("a.sql", "DELETE FROM users", "bad-query"),
    ],
)
def test_broken_segments_are_refused(folder: Folder, name: str, text: str, code: str) -> None:
    folder.write(f"include/segments/{name}", text)
    assert folder.codes() == [code]


def test_a_segment_has_one_file(folder: Folder) -> None:
    segments(folder, a_yml="did: {event: Charged}", a_csv="1\n")
    assert folder.codes() == ["same-name"]


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("1\n2\n", ("1", "2")),
        ("user_id\n1\n", ("1",)),
        ("ID\r\n1\r\n", ("1",)),
        (" 1 \n\nx\n1\n", ("1", "x")),
        ('"a,b"\n', ("a,b",)),
        ("1,\n2,\n", ("1", "2")),
        ("\ufeffuser_id\nü\n", ("ü",)),
        ("1\nuser_id\n", ("1", "user_id")),
    ],
)
def test_a_list_holds_one_id_a_line(folder: Folder, text: str, users: tuple[str, ...]) -> None:
    folder.write("include/segments/a.csv", text)
    folder.who("segment: a")
    assert folder.spec().segments["a"].users == users


def test_a_list_that_is_too_long_has_a_way_out(folder: Folder) -> None:
    segments(folder, many_csv="1\n" * 200_000)
    (problem,) = folder.problems()
    assert problem == (
        "include/segments/many.csv: is larger than 256 KiB, the most that is read; "
        "put the ids into a table and select them in a .sql segment"
    )


def test_ids_that_are_no_numbers_among_numbers_are_told_without_a_database(folder: Folder) -> None:
    segments(folder, staff_csv="Kundennummer\n1\n2\n3\n", others_csv="a\n1\n2\nb\n")
    assert [str(warning) for warning in folder.load().warnings] == [
        "include/segments/staff.csv: of 4 ids 1 is no number as the others are, `Kundennummer`; where the users' key is a "
        "number it is nobody's"
    ]


@pytest.mark.parametrize(
    ("leads_to", "why"), [("segments", "Too many levels of symbolic links"), ("gone", "No such file")]
)
def test_a_folder_of_segments_that_leads_nowhere_is_no_folder_without_segments(
    folder: Folder, leads_to: str, why: str
) -> None:
    (folder.root / "include/segments").rmdir()
    (folder.root / "include/segments").symlink_to(leads_to)
    (problem,) = folder.problems()
    assert problem.startswith(f"include/segments: cannot be read: {why}")


def test_a_list_that_is_gone_by_the_time_it_is_read_does_not_exist(folder: Folder) -> None:
    segments(folder, a_csv="1\n")
    found = Segments(folder.root, load_catalog(folder.root)[1])
    (folder.root / "include/segments/a.csv").unlink()
    assert [str(problem) for problem in found.problems("a")] == ["include/segments/a.csv: does not exist"]

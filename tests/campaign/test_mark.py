"""The mark in an audience's description."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audiences.campaign.mark import LONGEST_DESCRIPTION, Mark, marked, marks_in, room_for_description

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

IDENTITY = "6f9c2a51-0b1e-4d7a-9c3e-0123456789ab"
OURS = Mark.of("carts", IDENTITY)


def test_a_mark_names_the_campaign_and_the_ledger() -> None:
    assert str(OURS) == "[audiences:carts@0123456789ab]"
    assert marks_in(f"To buy {OURS}") == [OURS]
    assert marks_in("To buy [audiences:carts]") == [Mark("carts", None)]
    assert marks_in("[audiences:] [audiences:a b] [audiences:carts@xyz] audiences:carts") == []


@pytest.mark.parametrize(
    ("description", "wanted"),
    [
        ("", "[audiences:carts@0123456789ab]"),
        ("To buy", "To buy [audiences:carts@0123456789ab]"),
        ("To  buy [audiences:old] now", "To  buy now [audiences:carts@0123456789ab]"),
        ("To buy [audiences:carts@ba9876543210]", "To buy [audiences:carts@0123456789ab]"),
    ],
)
def test_a_description_carries_one_mark_behind_it(description: str, wanted: str) -> None:
    assert marked(description, OURS) == wanted
    assert marked(wanted, OURS) == wanted


def test_what_facebook_takes_is_never_passed_and_what_is_left_can_be_used_whole() -> None:
    room = room_for_description("carts")
    assert len(marked("x" * room, OURS)) == LONGEST_DESCRIPTION
    cut = marked("x" * 200, OURS)
    assert len(cut) == LONGEST_DESCRIPTION
    assert cut.endswith(f"x… {OURS}")


def described(folder: Folder, description: str, name: str = "test") -> list[str]:
    folder.campaign(
        "name: T\nwho: {did: {event: Charged}}\nwhen: now\n"
        f"what:\n  audience:\n    create:\n      name: T\n      description: '{description}'\n",
        f"{name}.yml",
    )
    return [str(problem) for problem in folder.load().problems]


@pytest.mark.parametrize(("name", "room"), [("test", 170), ("a" * 100, 74)])
def test_a_description_has_the_characters_that_the_mark_leaves(folder: Folder, name: str, room: int) -> None:
    assert room == room_for_description(name)
    assert described(folder, "x" * room, name) == []
    (problem,) = described(folder, "x" * (room + 1), name)
    assert problem.startswith(f"campaigns/{name}.yml:8:20: what.audience.create.description: ")
    assert f"has {room + 1} characters, and {room} are left for it: Facebook takes 200" in problem


def test_a_description_must_not_look_like_a_mark(folder: Folder) -> None:
    (problem,) = described(folder, "To buy [audiences:carts]")
    assert "holds `[audiences:`, which begins the mark that says whose an audience is" in problem

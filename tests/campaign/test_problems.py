"""The exact words of problems, as snapshots: `snapshots/<name>.yml` is the file, `<name>.txt` what is said about it.

After a deliberate change of words: `AUDIENCES_WRITE_SNAPSHOTS=1 pytest tests/campaign/test_problems.py`, and read the
difference.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.campaign.conftest import ROOT

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

SNAPSHOTS = Path(__file__).with_name("snapshots")


@pytest.mark.parametrize("path", sorted(SNAPSHOTS.glob("*.yml")), ids=lambda path: path.stem)
def test_mistakes_are_explained_in_the_words_of_the_file(folder: Folder, path: Path) -> None:
    folder.write("include/segments/cart_abandoners.yml", "did: {event: Added To Cart}\n")
    folder.campaign(path.read_bytes(), path.name)
    said = "\n".join(folder.problems()) + "\n"
    expected = path.with_suffix(".txt")
    if os.environ.get("AUDIENCES_WRITE_SNAPSHOTS"):
        expected.write_text(said, encoding="utf-8")
    assert said == expected.read_text(encoding="utf-8")


def test_one_mistake_is_one_problem(folder: Folder) -> None:
    folder.campaign(
        "nmae: Test\nwho: {did: {evnt: Charged}}\nwhat: {audience: {craete: {name: Test}}}\n"
        "when: {repeat: {every: 1 day, att: '09:00'}}\n"
    )
    assert [problem.key for problem in folder.load().problems] == [
        "nmae",
        "who.did.evnt",
        "what.audience.craete",
        "when.repeat.att",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("identifers: [email]", "what.identifers: unknown key `identifers`; did you mean `identifiers`?"),
        ("create: {name: x}", "what.create: unknown key `create`; it belongs under `what.audience`"),
        ("percent: 5", "what.percent: unknown key `percent`; it belongs under `who.control_group`"),
        ("zzz: 5", "what.zzz: unknown key `zzz`; allowed: audience, identifiers, refresh, "),
    ],
)
def test_an_unknown_key_comes_with_the_nearest_one_or_its_place(folder: Folder, text: str, said: str) -> None:
    folder.campaign(
        f"name: Test\nwho: {{did: {{event: Charged}}}}\nwhat:\n  audience: {{create: {{name: Test}}}}\n  {text}\nwhen: now\n"
    )
    (problem,) = folder.problems()
    assert problem.startswith(f"campaigns/test.yml:5:3: {said}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("event: Charged", "who.event: unknown key `event`; it belongs under `who.did`"),
        (
            "control_group: 10%",
            "who.control_group: must be a number or a mapping of keys such as `percent`, `salt`, `system`, "
            "`custom`; found the text `10%`; write `10`",
        ),
        (
            "target_cap: '50'",
            "who.target_cap: must be a whole number or a mapping of keys such as `users`, `per`; "
            "found the text `50`; remove the quotes",
        ),
        (
            "did: {event: Charged, within: last month}",
            "who.did.within: `last month` is not a window of time; did you mean `previous month`, or `last 1 month`?",
        ),
        (
            "did: {event: Charged, within: last hour}",
            "who.did.within: `last hour` is not a window of time; did you mean `last 1 hour`?",
        ),
    ],
)
def test_a_slip_that_many_make_comes_with_what_was_meant(folder: Folder, text: str, said: str) -> None:
    folder.campaign(
        f"name: Test\nwho:\n  segment: known\n  {text}\nwhat: {{audience: {{create: {{name: Test}}}}}}\nwhen: now\n"
    )
    folder.write("include/segments/known.csv", "1\n")
    (problem,) = folder.problems()
    assert problem.split(": ", 1)[1] == said


def test_a_repetition_by_nothing_is_told_as_that(folder: Folder) -> None:
    folder.campaign(
        "name: Test\nwho: {did: {event: Charged}}\nwhat: {audience: {create: {name: Test}}}\n"
        "when: {repeat: {every: 0 days, at: '09:00'}}\n"
    )
    (problem,) = folder.problems()
    assert problem.endswith("when.repeat.every: `0 days` is no time to repeat after; write at least `1 day`")


@pytest.mark.parametrize("key", ["name", "description"])
def test_a_text_that_is_too_long_is_told_in_characters(folder: Folder, key: str) -> None:
    create = {"name": "Test", key: "x" * 201}
    folder.campaign(
        f"name: Test\nwho: {{did: {{event: Charged}}}}\nwhat: {{audience: {{create: {create}}}}}\nwhen: now\n"
    )
    (problem,) = folder.problems()
    assert problem.endswith(f"what.audience.create.{key}: is 201 characters long; at most 200 are allowed")


@pytest.mark.parametrize(
    ("rules", "place"),
    [
        ("{all: [{}]}", "who.all[0]"),
        ("{any: [{did: {event: Charged}}, {}]}", "who.any[1]"),
        ("{not: {}}", "who.not"),
        ("{all: [{any: [{did: null}]}]}", "who.all[0].any[0]"),
    ],
)
def test_an_empty_rule_that_would_hold_for_everybody_is_a_mistake(folder: Folder, rules: str, place: str) -> None:
    folder.campaign(f"name: Test\nwho: {rules}\nwhat: {{audience: {{create: {{name: Test}}}}}}\nwhen: now\n")
    (problem,) = folder.problems()
    assert f": {place}: holds no rule; " in problem


@pytest.mark.parametrize(("key", "most"), [("name", 200), ("owner", 200), ("tags", 100)])
def test_a_text_that_airflow_has_no_room_for_is_a_mistake(folder: Folder, key: str, most: int) -> None:
    def problems(length: int) -> list[str]:
        text = "x" * length
        keys = {"name": "Test", key: [text] if key == "tags" else text}
        folder.campaign(
            json.dumps(
                {
                    **keys,
                    "who": {"did": {"event": "Charged"}},
                    "what": {"audience": {"create": {"name": "T"}}},
                    "when": "now",
                }
            )
        )
        return folder.problems()

    assert problems(most) == []
    (problem,) = problems(most + 1)
    assert problem.endswith(f"is {most + 1} characters long; at most {most} are allowed")


def test_no_problem_shows_more_of_a_value_than_a_line(folder: Folder) -> None:
    hostile = "x" * 5000 + "`\\u001b[31m\\n"
    folder.campaign(
        f'name: Test\nstatus: "{hostile}"\nad_account: "{hostile}"\n"{hostile}": 1\nwhen: {{date: "{hostile}"}}\n'
    )
    for line in "\n".join(folder.problems()).splitlines():
        assert len(line) < 400
        assert line.isprintable()
        assert line.startswith("campaigns/test.yml:")


def test_of_very_many_problems_the_first_are_listed(folder: Folder) -> None:
    folder.campaign("".join(f"k{number}: 1\n" for number in range(1000)))
    said = folder.problems()
    assert len(said) == 51
    assert "more problems" in said[-1]


def test_the_nearest_name_is_looked_for_only_for_problems_that_may_be_listed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look takes a millisecond; 5,000 unknown keys took six seconds."""
    looks: list[str] = []

    def near(name: str, names: Any, *more: Any, **_: Any) -> list[str]:
        looks.append(name)
        return []

    monkeypatch.setattr("audiences.campaign.wording.get_close_matches", near)
    folder.campaign("".join(f"k{number}: 1\n" for number in range(5000)))
    said = folder.problems()
    assert said[-1].endswith("more problems")
    assert len(looks) <= 600


def test_every_code_is_documented() -> None:
    documented = set(re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs/problem-codes.md").read_text(), re.MULTILINE))
    package = ROOT / "plugins/audiences"
    paths = [*(package / "campaign").rglob("*.py"), package / "when/never.py"]
    sources = "".join(path.read_text() for path in paths)
    codecs = {"utf-8", "utf-8-sig", "utf-16-le"}
    used = set(re.findall(r'"([a-z][a-z0-9]*(?:-[a-z0-9]+)+)"', sources)) - codecs | {"tag", "blocked"}
    assert used == documented

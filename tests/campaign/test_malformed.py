"""Whatever a campaign file holds, it gives clean problems, and no other campaign suffers."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.campaign.conftest import CAMPAIGN, Folder

from audiences.campaign.goal import Goal
from audiences.campaign.grammar import keys_of
from audiences.campaign.model import Campaign
from audiences.campaign.properties import Condition
from audiences.campaign.rules import Did
from audiences.campaign.what import What
from audiences.campaign.when import Repeat, When
from audiences.campaign.who import Who
from audiences.campaign.yaml_reader import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RICH = """\
name: Everything
description: A campaign that uses most of what there is
owner: growth
tags: [cart]
status: draft
approval: required
ad_account: main
qualification: past_behavior
who:
  all:
    - did: {event: Added To Cart, within: last 30 days, count: {at_least: 2}, where: {category: {in: [shoes, bags]}}}
    - did_not: {any_of: [Charged], within: today, time_of_day: ["09:00", "18:00"], day_of_week: [mon]}
    - any: [{did: {event: Charged, sum: {of: amount, at_least: 5}, or_never: true}}, {segment: saved}]
  with_properties:
    any: [{customer_type: Gold}, {age: {between: [25, 40]}}, {not: {country: {in: [India, US]}}}]
    signed_up_at: {within: {between: [2026-01-01, 2026-02-01]}}
    app_version: {at_least: "3.10"}
    interests: {contains_any: [shoes]}
  control_group: {percent: 10, salt: pepper, system: true, custom: holiday}
  never_hold_out: ["1"]
  target_cap: {users: 5000, per: day}
what:
  audience: {create: {name: Everything, description: All of it, action: mirror}}
  identifiers: [email, phone]
  refresh: difference
  ad_sets: ["23861234567890123"]
  exclude_from_ad_sets: ["5"]
  schedule: campaign
  keep_for: 30 days
  guards: {skip_run_above: 5, allow_empty: true, max_removal: 5, fresh_within: 6 hours}
when:
  timezone: Asia/Kolkata
  start: 2026-12-01
  end: 2027-03-01
  repeat: {every: 2 weeks, on: [mon], at: "09:00"}
  ends: {after: 10 runs}
  windows: [{days: [mon], from: "09:00", to: "18:00"}]
  outside: drop
  on_end: keep
goal: {event: Charged, where: {amount: {at_least: 5}}, within: 5 days, of: launch, revenue: amount}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A project with one campaign that is right; `broken.yml` is what each test writes."""
    folder = Folder(tmp_path_factory.mktemp("project"))
    folder.campaign(CAMPAIGN, "good.yml")
    folder.write("include/segments/saved.csv", "1\n")
    return folder


def problems(project: Folder, content: str | bytes) -> list[str]:
    """What is said about the content; the right campaign is there whatever it is."""
    project.campaign(content, "broken.yml")
    loaded = project.load()
    assert "good" in loaded.campaigns
    assert set(loaded.broken) <= {"campaigns/broken.yml"}
    said = [str(problem) for problem in loaded.problems]
    for line in said:
        assert line.startswith("campaigns/broken.yml")
        assert line.isprintable()
        assert len(line) < 1000
        for jargon in ("Traceback", "Input should", "Value error", "pydantic", "<class", "Error("):
            assert jargon not in line
    assert [problem.code for problem in loaded.warnings] == []
    return said


def paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for step, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield (*path, step)
        yield from paths(value, (*path, step))


DATA = parse(RICH, "rich.yml").data
PATHS = list(paths(DATA))


def around(path: tuple[Any, ...]) -> tuple[dict[str, Any], Any]:
    """A copy of the rich campaign, and the mapping or list in it that holds the path's last step."""
    data = copy.deepcopy(DATA)
    inside: Any = data
    for step in path[:-1]:
        inside = inside[step]
    return data, inside


def named(path: tuple[Any, ...]) -> str:
    return ".".join(map(str, path))


def test_the_rich_campaign_is_right(project: Folder) -> None:
    assert problems(project, RICH) == []


@pytest.mark.parametrize("path", [path for path in PATHS if isinstance(path[-1], str)], ids=named)
def test_a_mistyped_key_is_told_by_its_name(project: Folder, path: tuple[Any, ...]) -> None:
    data, inside = around(path)
    inside[f"{path[-1]}_x"] = inside.pop(path[-1])
    assert any(f"{path[-1]}_x" in said for said in problems(project, json.dumps(data)))


@pytest.mark.parametrize("value", [{"zz": 1}, [[]]], ids=["mapping", "list"])
@pytest.mark.parametrize("path", PATHS, ids=named)
def test_a_value_of_the_wrong_kind_is_told_in_its_place(project: Folder, path: tuple[Any, ...], value: Any) -> None:
    data, inside = around(path)
    inside[path[-1]] = value
    assert problems(project, json.dumps(data)) != []


@pytest.mark.parametrize("path", PATHS, ids=named)
def test_an_explicit_null_never_breaks_anything_but_its_campaign(project: Folder, path: tuple[Any, ...]) -> None:
    data, inside = around(path)
    inside[path[-1]] = None
    problems(project, json.dumps(data))


JUNK: dict[str, str | bytes] = {
    "empty": "",
    "blank": "  \n\n",
    "comment": "# nothing\n",
    "null": "null",
    "number": "5",
    "text": "campaign",
    "list": "- a\n- b\n",
    "binary": bytes(range(256)),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(200),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "nul": b"name: a\x00b\n",
    "nuls": bytes(100_000),
    "latin-1": "name: Müller\n".encode("latin-1"),
    "utf-16": RICH.encode("utf-16"),
    "utf-32": RICH.encode("utf-32"),
    "escape": b"name: \x1b[2J\n",
    "lone surrogate": 'name: "\\ud800"\n',
    "nul in quotes": 'name: "\\0"\n' + CAMPAIGN.partition("\n")[2],
    "bidi": "name: \u202etxt\nstatus: \u202eon\n",
    "10 MB of brackets": "[" * 10_000_000,
    "10 MB of mappings": "{a: " * 2_500_000,
    "10 MB of dashes": "- " * 5_000_000,
    "brackets": "[" * 200_000,
    "mappings": "{a: " * 60_000,
    "dashes": "- " * 100_000,
    "indents": "".join(f"{' ' * depth}a:\n" for depth in range(600)),
    "question marks": "? " * 100_000,
    "anchors": "&a " * 80_000,
    "aliases": "*a " * 80_000,
    "tags": "!" * 200_000,
    "quotes": "'" * 200_001,
    "backslashes": '"' + "\\\n" * 100_000,
    "hashes": "#" * 200_000,
    "colons": "a: " * 80_000,
    "long key": f"{'k' * 200_000}: 1",
    "long value": f"name: {'v' * 200_000}",
    "long number": f"name: {'9' * 200_000}",
    "many keys": "".join(f"k{number}: 1\n" for number in range(20_000)),
    "many lists": "a: [" + "[],".join([""] * 30_000) + "]",
    "laughs": "\n".join(
        ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
        + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    ),
    "alias to itself": "name: &a [*a]\n",
    "alias to nothing": "name: *a\n",
    "python object": "name: !!python/object/apply:os.system ['touch executed']\n",
    "python name": "name: !!python/name:os.system\n",
    "python module": "!!python/object/new:os.system [touch executed]\n",
    "custom tag": "name: !secret x\n",
    "binary tag": "name: !!binary aGVsbG8=\n",
    "set tag": "name: !!set {a}\n",
    "merge": "base: &b {a: 1}\nname:\n  <<: *b\n",
    "directive": "%YAML 9.9\n---\nname: x\n",
    "two documents": CAMPAIGN + "---\n" + CAMPAIGN,
    "jinja": "name: {{ name }}\n",
    "unclosed jinja": "name: {% for x in y %}\n",
    "json with a comma": '{"name": "x",, }',
    "xml": "<campaign><name>x</name></campaign>",
    "ini": "[campaign]\nname = x\n",
    "python": "import os\nos.system('touch executed')\n",
    "shell": "name: $(touch executed)\nwho: `touch executed`\n",
    "tabs": RICH.replace("  ", "\t"),
    "no indent": "\n".join(line.strip() for line in RICH.splitlines()),
    "reversed": "\n".join(reversed(RICH.splitlines())),
    "no colons": RICH.replace(":", ""),
    "cut in the middle": RICH[: len(RICH) // 2],
    "cut in quotes": RICH[: RICH.index('"09:00') + 3],
    "windows line ends, bare": CAMPAIGN.replace("\n", "\r").replace("name: Test", "name: [", 1),
    "every key twice": CAMPAIGN + CAMPAIGN,
    "key of a list": "? [a, b]\n: 1\n",
    "key of a mapping": "? {a: b}\n: 1\n",
    "empty key": "'': 1\n",
    "template injection": 'name: "{{ macros.os }}"\nwho: {did: {event: "${jndi:ldap://x}"}}\n',
    "sql injection": 'name: x\nwho: {did: {event: "\'; DROP TABLE users; --"}}\n',
    "path": "name: x\nwho: {segment: ../../../etc/passwd}\nwhat: {audience: {create: {name: x}}}\nwhen: now\n",
    "deep rules": "who: " + "{not: " * 38 + "{}" + "}" * 38,
    "bad pattern": "who: {with_properties: {city: {matches: '(((((a*)*)*)*)*)*\\1'}}}\n",
    "wide window": "who: {did: {event: Charged, within: last 999999 years}}\n",
    "year zero": "when: {date: 0000-01-01}\n",
    "year 9999": "when: {date: 9999-12-31}\n",
    "offset": "when: {date: 2026-01-01 00:00+99:00}\n",
    "huge length": f"what: {{keep_for: {'9' * 5000} days}}\n",
    "long cron": f"when: {{cron: '{'0-59/1,' * 20_000}1 * * * *'}}\n",
}


@pytest.mark.parametrize("content", JUNK.values(), ids=JUNK.keys())
@pytest.mark.timeout(20)
def test_junk_gives_clean_problems_and_runs_nothing(
    project: Folder, content: str | bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert problems(project, content) != []
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None)
@given(content=st.binary(max_size=300))
def test_random_bytes_give_clean_problems(project: Folder, content: bytes) -> None:
    assert problems(project, content) != []


TOKENS = [
    *"abz019:-[]{},&*!|>'\"%@`#?~\\ \n\t=.\u2028\x00\x85é🙂",
    ": ",
    "- ",
    "---\n",
    "<<: ",
    "null",
    "true",
    "1e999",
    "  ",
]
EDIT = st.tuples(st.integers(0, len(RICH)), st.integers(0, 30), st.sampled_from(TOKENS), st.booleans())


@settings(max_examples=300, deadline=None)
@given(edits=st.lists(EDIT, min_size=1, max_size=6))
def test_random_edits_give_clean_problems(project: Folder, edits: list[tuple[int, int, str, bool]]) -> None:
    text = RICH
    for position, length, token, twice in edits:
        cut = text[position : position + length]
        text = text[:position] + token + (cut * 2 if twice else "") + text[position + length :]
    problems(project, text)


KEYS = sorted({key for model in (Campaign, Who, What, When, Goal, Did, Condition, Repeat) for key in keys_of(model)})
WORDS = [
    "Charged",
    "last 3 days",
    "5 days",
    "2026-01-01",
    "09:00",
    "mon",
    "email",
    "main",
    "1",
    "country",
    "age",
    "",
    "a: b",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5)
SHAPES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*KEYS, *WORDS, "customer_type", "interests", "amount"]), inner, max_size=4)
    ),
    max_leaves=25,
)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_random_shapes_give_clean_problems(project: Folder, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PATHS))
    changed, inside = around(path)
    inside[path[-1]] = data.draw(SHAPES)
    problems(project, json.dumps(changed, ensure_ascii=False))

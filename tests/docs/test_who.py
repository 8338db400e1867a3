"""What docs/who.md says is what `audiences validate` accepts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.campaign import conftest as campaign

from audiences.campaign.operators import BY_TYPE
from audiences.campaign.windows import Window

if TYPE_CHECKING:
    from tests.campaign.conftest import Folder

folder = campaign.folder  # a fixture
PAGE = (campaign.ROOT / "docs/who.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_is_a_right_campaign(folder: Folder, example: str) -> None:
    folder.write("include/segments/cart_abandoners.yml", "did: {event: Added To Cart}\n")
    folder.campaign(f"name: Test\n{example}\nwhat: {{audience: {{create: {{name: Test}}}}}}\nwhen: now\n")
    assert folder.problems() == []


def table(heading: str) -> dict[str, str]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [
        line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ") and "---" not in line
    ]
    return {row[0]: row[1] for row in rows[1:]}


def test_the_windows_of_the_table_are_windows() -> None:
    written = [
        window for cell in re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE) for window in re.findall("`(.*?)`", cell)
    ]
    assert len(written) > 10
    for window in written:
        if window not in ("week", "year"):
            Window.model_validate(window)


def test_the_operators_of_the_table_are_those_of_each_type() -> None:
    rows = table("Filters on properties")
    for types, cell in rows.items():
        for kind in types.split(", "):
            if kind not in ("version", "all"):
                name = "list" if kind == "list of string" else kind
                written = {*re.findall("`([a-z_]+)`", cell), "is_set"}
                assert not written ^ set(BY_TYPE[name]), (
                    f"docs/who.md, the row of {kind}: {written ^ set(BY_TYPE[name])}"
                )
    assert {"version", "all", "list of string"} < set(rows)


def test_the_examples_are_yaml_for_any_reader() -> None:
    assert [list(yaml.safe_load(example)) for example in EXAMPLES] == [["who"]] * len(EXAMPLES)

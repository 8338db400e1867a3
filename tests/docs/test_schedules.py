from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from audiences.campaign.project import Project
from audiences.cli.commands import app
from audiences.when.summary import summary
from audiences.when.upcoming import recurrence_of

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "schedules.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```yaml\n(.+?)```\n\nAirflow says `([^`]+)`\.\n((?:\n```console\n.+?```\n)+)", re.DOTALL)
COMMAND = re.compile(r"```console\n\$ audiences (.+?)\n(.+?)```", re.DOTALL)
EXAMPLES = EXAMPLE.findall(PAGE)
CAMPAIGN = """\
name: Example
status: published
who: {did: {event: Charged}}
what: {audience: {create: {name: Example}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a project with one campaign, which has this `when`."""

    def make(when: str) -> Path:
        (tmp_path / "campaigns").mkdir()
        (tmp_path / "include").symlink_to(ROOT / "include")
        (tmp_path / "campaigns" / "example.yml").write_text(CAMPAIGN + when)
        return tmp_path

    return make


def test_every_block_of_the_page_belongs_to_an_example() -> None:
    assert PAGE.count("```yaml") == len(EXAMPLES)
    assert PAGE.count("```console") == sum(len(COMMAND.findall(commands)) for _, _, commands in EXAMPLES)


@pytest.mark.parametrize(("when", "said", "commands"), EXAMPLES, ids=[said for _, said, _ in EXAMPLES])
def test_the_example_runs_when_the_page_says(
    project: Callable[[str], Path], when: str, said: str, commands: str
) -> None:
    root = project(when)
    recurrence = recurrence_of(Project.load_campaign(root, "example"))
    assert recurrence is not None
    assert summary(recurrence) == said
    for command, printed in COMMAND.findall(commands):
        result = CliRunner().invoke(app, ["--project", str(root), *shlex.split(command)])
        assert (result.exit_code, result.output) == (0, printed)

"""README's first campaign, word for word on the demo's shop, and every command that the pages quote."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer.main
from tests.cli import test_commands as commands
from tests.pipeline import conftest as pipeline

from audiences.cli.commands import app
from audiences.demo import launched
from audiences.demo.shop import load_shop

if TYPE_CHECKING:
    import click

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SECTION = (ROOT / "README.md").read_text(encoding="utf-8").split("in five minutes\n")[1].split("\n## ")[0]
QUOTED = sorted(
    {
        (page.name, " ".join(found.split()))
        for page in PAGES
        for found in re.findall(
            r"`(?:source [^`;]*; )?(?:\.venv/bin/)?audiences ([a-z][^`]*)`", page.read_text(encoding="utf-8")
        )
        if not found.startswith("hello ")  # the command that docs/contributing.md makes
    }
)
sandbox_server, shop, project = pipeline.sandbox_server, pipeline.shop, pipeline.project  # fixtures
audiences = commands.audiences


@pytest.fixture
def demo(shop, project):
    """The project as it is in the repository, on the shop of the demo."""
    for folder in ("campaigns", "include"):
        shutil.rmtree(project.path / folder)
        shutil.copytree(ROOT / folder, project.path / folder)
    spec = launched.launched_campaign(ROOT)
    database = shop.connections["warehouse"].dsn(application="test")
    load_shop(database, as_of=datetime.now(UTC), reached=launched.reached(spec))
    return project


def options(command: click.Command) -> set[str]:
    """The options of a command, and of the commands in it."""
    own = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return own.union(*map(options, getattr(command, "commands", {}).values()))


def edited(text: str) -> str:
    """The copy with what step 2 says."""
    (block,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    lines = [line.removeprefix("   ") for line in block.splitlines()]
    new_who, new_when = "\n".join(lines).split("\n\n")
    text = re.sub(r"^who:\n(?:  .*\n)+", new_who + "\n", text, flags=re.MULTILINE)
    text = re.sub(r"^when:\n(?:  .*\n)+", new_when + "\n", text, flags=re.MULTILINE)
    return text.replace("name: Win back once loyal customers", "name: My first").replace("Win_Back_Loyal", "My_First")


@pytest.mark.integration
def test_the_first_campaign_runs_and_its_user_is_explained_word_for_word(demo, audiences, shop):
    copy, *quoted = [
        line for line in re.findall(r"`([^`\n]+)`", SECTION) if re.match(r"cp |source |\.venv/bin/audiences ", line)
    ]
    subprocess.run(shlex.split(copy), cwd=demo.path, check=True)
    file = demo.path / "campaigns/my_first.yml"
    file.write_text(edited(file.read_text()))
    validate, preview, explain = (shlex.split(line.split("audiences ", 1)[1]) for line in quoted)
    assert validate == ["validate", "my_first"]
    code, out, _ = audiences(*validate)
    assert code == 0
    assert "0 problems found" in out
    found = json.loads(audiences(*preview, "--json")[1].splitlines()[-1])
    assert found["outcomes"]["targeted"] > 50
    assert (found["unmatched"], found["stopped"]) == ([], None)
    assert audiences("run", "my_first", "--json")[0] == 1  # a draft
    file.write_text(file.read_text().replace("status: draft", "status: published"))
    when, *_ = json.loads(audiences("schedule", "my_first", "--json")[1])["next"]
    assert abs((datetime.fromisoformat(when) - datetime.now(UTC)).total_seconds()) < 60
    ended = json.loads(audiences("run", "my_first", "--json")[1].splitlines()[-1])
    assert (ended["state"], ended["outcomes"]["added"]) == ("success", found["outcomes"]["targeted"])
    code, out, _ = audiences(*explain)
    assert code == 0
    assert "in my_first: targeted" in out
    assert "• added in run" in out


@pytest.mark.parametrize(("page", "line"), QUOTED, ids=[f"{page}: {line}" for page, line in QUOTED])
def test_a_quoted_command_is_one_with_these_options(page: str, line: str) -> None:
    command: click.Command = typer.main.get_command(app)
    for word in shlex.split(line):
        if word.startswith("-") and len(word) > 1:
            known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
            assert word.partition("=")[0] in {*known, "--help"}, f"{page}: {line}"
        elif isinstance(command, typer.core.TyperGroup):
            assert word in command.commands, f"{page}: {line}"
            command = command.commands[word]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_option_that_stands_alone_is_one_of_a_command(page: Path) -> None:
    named = set(re.findall(r"`(--[a-z][a-z-]*)", page.read_text(encoding="utf-8")))
    # Where a page is about one command, it is one of that.
    of = typer.main.get_command(app)
    assert named <= options(of.commands.get(page.stem, of)) | {"--help"}

"""A command is a module of the package: it is on the command line once its file is there."""

from __future__ import annotations

from pathlib import Path

import typer.main

from audiences import cli
from audiences.cli import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group has them
NO_COMMANDS = {"__init__", "__main__", "app", "console", "lift", "safe_console"}


def test_every_command_has_a_module_of_its_name() -> None:
    assert set(COMMANDS) == {path.stem for path in Path(cli.__file__).parent.glob("*.py")} - NO_COMMANDS


def test_commands_are_listed_in_the_order_in_which_a_newcomer_meets_them() -> None:
    listed = typer.main.get_command(app).list_commands(None)
    assert listed[:5] == ["validate", "preview", "explain", "schedule", "run"]
    assert listed[-1] == "normalise"
    assert sorted(listed) == sorted(COMMANDS)

"""A command is a module of the package: it is on the command line once its file is there."""

from __future__ import annotations

import re
import shlex
from importlib.metadata import version
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

from audiences import cli
from audiences.cli.commands import app
from audiences.cli.one_command import needed
from audiences.ledger.migrate import NEWEST

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group has them
NO_COMMANDS = {
    *(
        "__init__",
        "__main__",
        "app",
        "campaigns_shown",
        "command_reference",
        "console",
        "errors_shown",
        "goal_table",
        "runs_shown",
    ),
    *("commands", "one_command", "safe_console", "streams", "whole_process"),
}


def test_every_command_has_a_module_of_its_name() -> None:
    modules = {path.stem for path in Path(cli.__file__).parent.glob("*.py")} - NO_COMMANDS
    assert set(COMMANDS) == {module.replace("_", "-") for module in modules}


def test_commands_are_listed_in_the_order_in_which_a_newcomer_meets_them() -> None:
    listed = typer.main.get_command(app).list_commands(None)
    assert listed[:5] == ["validate", "preview", "explain", "schedule", "run"]
    assert listed[-1] == "normalise"
    assert sorted(listed) == sorted(COMMANDS)


def test_a_command_needs_its_own_module_alone() -> None:
    assert [needed([name, "--json"]) for name in sorted(COMMANDS)] == [
        name.replace("-", "_") for name in sorted(COMMANDS)
    ]
    assert needed(["--project", "run", "-v", "--project=explain", "preview", "validate"]) == "preview"


@pytest.mark.parametrize("words", [[], ["--help"], ["--project", "preview"], ["previw", "run"], ["run_detail", "4"]])
def test_all_commands_are_there_to_be_listed_where_none_is_named(words) -> None:
    assert needed(words) == "commands"


def leaves(group, path=()):
    """Every command, those of groups too, by its words."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


LEAVES = {" ".join(path): command for path, command in leaves(typer.main.get_command(app))}


def parsed(group, words):
    """The words of the command that takes them all; raises what the command line says of wrong ones."""
    context = group.make_context(group.name, list(words), resilient_parsing=not words)
    if not hasattr(group, "commands"):
        return ()
    name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
    return (name, *parsed(command, rest))


@pytest.mark.parametrize("name", LEAVES)
def test_the_help_of_every_command_says_its_exit_codes(name):
    assert "Exit code" in LEAVES[name].help


@pytest.mark.parametrize("name", LEAVES)
def test_the_help_of_every_command_has_an_example_that_the_command_takes(name):
    examples = re.findall(r"`([^`]+)`", LEAVES[name].epilog or "")
    assert examples, 'give it one: @app.command(epilog="Example: `audiences ...`")'
    for example in examples:
        program, *words = shlex.split(example.rpartition(" | ")[2])
        assert program == "audiences"
        assert " ".join(parsed(typer.main.get_command(app), words)) == name


def test_an_example_with_an_option_that_is_not_there_is_found():
    with pytest.raises(Exception, match="No such option: --nothing"):
        parsed(typer.main.get_command(app), ["run", "carts", "--nothing"])


def test_the_version_is_told_with_that_of_the_ledgers_tables_and_nothing_else_is_asked_for():
    told = CliRunner().invoke(app, ["--version"])
    assert (told.exit_code, told.output) == (
        0,
        f"audiences {version('audiences')}, for a ledger at revision {NEWEST}\n",
    )


@pytest.mark.parametrize("words", [(), ("preview",), ("ledger",), ("ledger", "migrate")])
def test_help_is_given_for_its_short_option_too(words):
    told = {option: CliRunner().invoke(app, [*words, option]).output for option in ("--help", "-h")}
    assert told["-h"] == told["--help"] != ""

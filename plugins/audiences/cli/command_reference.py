"""The reference page of the command line: every command with its arguments, options, exit codes and an example.

It is made from the commands themselves, as `--help` is. `python -m audiences.cli.command_reference` writes it to
`docs/reference-cli.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

import typer.main
from typer.core import TyperArgument, TyperGroup, TyperOption

from audiences.campaign.reference import cell
from audiences.cli.commands import app

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE: Final = "docs/reference-cli.md"
_IN_WORDS: Final = {str: "text", int: "integer", float: "number", bool: "", Path: "path"}


def command_line_page() -> str:
    """The page as its text."""
    root = typer.main.get_command(app)
    found = list(_below(root, "audiences"))
    return "\n".join(
        (
            "# Reference: the command line\n",
            "All commands of `audiences`. This page is made from them: `make schemas`. *required* options have no default.\n",
            f"{root.help}\n",
            *_section_of(root, "audiences"),
            "| command | what it does |",
            "|---|---|",
            *(f"| [`{path}`](#{path.replace(' ', '-')}) | {cell(_first(command.help))} |" for path, command in found),
            "",
            *(line for path, command in found for line in (f"## {path}\n", *_described(path, command))),
        )
    )


def _below(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The commands of a group, and those of groups in it, by their paths. (Their type is private to typer.)"""
    for name in group.list_commands(None):
        command = group.commands[name]
        yield f"{path} {name}", command
        if isinstance(command, TyperGroup):
            yield from _below(command, f"{path} {name}")


def _described(path: str, command: Any) -> Iterator[str]:
    yield f"{command.help}\n"
    if not isinstance(command, TyperGroup):
        yield f"`{_usage(path, command)}`\n"
    yield from _section_of(command, path)


def _section_of(command: Any, path: str) -> Iterator[str]:
    """The table of what may be given, and the example."""
    rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    if rows:
        first = "option" if path == "audiences" else "argument or option"
        yield from (f"| {first} | value | default | meaning |", "|---|---|---|---|", *rows, "")
    if command.epilog:
        yield f"{command.epilog}\n"


def _usage(path: str, command: Any) -> str:
    arguments = [_name(each) for each in command.params if isinstance(each, TyperArgument)]
    options = ["[OPTIONS]"] if any(isinstance(each, TyperOption) for each in command.params) else []
    return " ".join((path, *options, *arguments))


def _name(argument: TyperArgument) -> str:
    name = argument.metavar or str(argument.name).upper()
    return (name if argument.required else f"[{name}]") + ("..." if argument.nargs == -1 else "")


def _row(parameter: Any) -> str:
    if isinstance(parameter, TyperArgument):
        names, value = f"`{_name(parameter)}`", _value(parameter, metavar=None)
    else:
        names = ", ".join(f"`{each}`" for each in (*parameter.opts, *parameter.secondary_opts))
        value = _value(parameter, metavar=parameter.metavar)
    meaning = parameter.help or ""
    if parameter.envvar:
        meaning += f" Or the environment variable `{parameter.envvar}`."
    return f"| {names} | {cell(value)} | {_default(parameter)} | {cell(meaning)} |"


def _value(parameter: Any, *, metavar: str | None) -> str:
    """What may be given, in words; nothing for an option that takes no value."""
    annotation = parameter.type_descriptor.annotation
    several = get_origin(annotation) is list
    kind = get_args(annotation)[0] if several else annotation
    if metavar:
        word = f"`{metavar}`"
    elif get_origin(kind) is Literal:
        word = ", ".join(f"`{each}`" for each in get_args(kind))
    else:
        word = _IN_WORDS[kind]
    low, high = getattr(parameter, "min", None), getattr(parameter, "max", None)
    if low is not None and high is not None:
        word += f", {low} to {high}"
    elif low is not None:
        word += f", {low} or more"
    return f"{word}, any number of times" if several else word


def _default(parameter: Any) -> str:
    if parameter.required:
        return "*required*"
    given = parameter.default
    return "" if given is None or given is False or given in ("", [], ()) else f"`{given}`"


def _first(text: str | None) -> str:
    return (text or "").partition("\n\n")[0]


def main() -> None:
    """Write the page into the project in the current folder."""
    Path(PAGE).write_text(command_line_page(), encoding="utf-8")


if __name__ == "__main__":
    main()

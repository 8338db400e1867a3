"""Does what the command line says with the module of that command alone: to prepare all of them takes longer than some take."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from audiences.cli.app import IN_ORDER_OF_USE, app
from audiences.cli.errors_shown import as_ours, tell
from audiences.cli.streams import cut_off, written_out

if TYPE_CHECKING:
    from collections.abc import Sequence


def carry_out(given: Sequence[str]) -> None:
    """Do what the arguments say: our errors become a message and exit code 1. Raises SystemExit."""
    import_module(f"audiences.cli.{needed(given)}")
    try:
        app(given)
    except Exception as error:
        if isinstance(error, OSError) and not written_out():
            sys.exit(1)
        ours = as_ours(error)
        if ours is None:
            raise
        try:
            tell(ours, as_json="--json" in given)
        except OSError as untold:
            cut_off(untold)
        sys.exit(1)


def needed(given: Sequence[str]) -> str:
    """The module that has the command of these arguments; the one with all commands, which are listed, where there is no such."""
    words = iter(given)
    for word in words:
        if word == "--project":
            next(words, None)
        elif not word.startswith("-"):
            return word.replace("-", "_") if word in IN_ORDER_OF_USE else "commands"
    return "commands"

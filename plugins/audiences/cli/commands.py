"""All commands: each module of this package adds its own to the app when it is imported, and all of them are.

The reference page alone is made afterwards, from the whole app.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from audiences.cli.app import app
from audiences.cli.errors_shown import as_ours, tell
from audiences.cli.streams import cut_off, written_out

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "carry_out"]
_NO_COMMANDS = ("__main__", "command_reference", "commands", "whole_process")
for _each in iter_modules([str(Path(__file__).parent)]):
    if _each.name not in _NO_COMMANDS:
        import_module(f"audiences.cli.{_each.name}")


def carry_out(given: Sequence[str]) -> None:
    """Do what the arguments say: our errors become a message and exit code 1. Raises SystemExit."""
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

"""All commands: each module of this package adds its own to the app when it is imported, and all of them are.

The reference page alone is made afterwards, from the whole app.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from audiences.cli.app import app

__all__ = ["app"]
_NO_COMMANDS = ("__main__", "command_reference", "commands", "whole_process")
for _each in iter_modules([str(Path(__file__).parent)]):
    if _each.name not in _NO_COMMANDS:
        import_module(f"audiences.cli.{_each.name}")

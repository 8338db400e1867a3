"""Which tests a fault is tried with, and in which order.

First those that are named with the fault. Then, if it has been recorded which test calls which function (`--record`), those
that call the one with the fault, the quickest first. Without a record: those of the same room, then those of whole runs.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.mutants.planting import Fault

_SOON_SECONDS = 6.0
_LONGEST_SECONDS = 120.0
_WHOLE_RUNS = ("tests/pipeline/test_runs.py", "tests/pipeline/test_uploads.py", "tests/pipeline/live/test_poller.py")


@dataclass(frozen=True, slots=True)
class Called:
    """A test, its seconds, and the functions that it calls, as `file:qualified name`."""

    test: str
    seconds: float
    called: frozenset[str]


def recorded(folder: Path) -> list[Called]:
    """What the plugin `called` wrote into the folder, the quickest test first."""
    lines = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    found = [Called(line["test"], line["seconds"], frozenset(line["called"])) for line in lines]
    return sorted(found, key=lambda test: (test.seconds, test.test))


def groups(root: Path, fault: Fault, record: list[Called]) -> list[list[str]]:
    """The tests in the order in which to run them, in groups for one pytest each."""
    named = [[test] for test in fault.tests]
    room = [[folder] for folder in _of_the_room(root, fault.file)]
    if not record:
        return named or room
    file = PurePosixPath(fault.file)
    mirror = "/".join(("tests", *file.parts[2:-1], f"test_{file.stem}"))
    calls = _calls(root, fault)
    matching = sorted(
        (test for test in record if calls(test.called)), key=lambda test: not test.test.startswith(mirror)
    )
    soon, later, spent = [], [], 0.0
    for test in matching:
        spent += test.seconds
        if spent <= _SOON_SECONDS:
            soon.append(test.test)
        elif spent <= _LONGEST_SECONDS:
            later.append(test.test)
    found = [group for group in (soon, later) if group]
    return [*named, *found] or room


def _of_the_room(root: Path, file: str) -> list[str]:
    """The folder of tests that mirrors the file's, or the nearest one above, and tests of whole runs."""
    parts = PurePosixPath(file).parts[2:-1]
    folders = ["/".join(("tests", *parts[:depth])) for depth in range(len(parts), 0, -1)]
    nearest = next((folder for folder in folders if (root / folder).is_dir()), None)
    return [*([nearest] if nearest else []), *(test for test in _WHOLE_RUNS if (root / test).exists())]


def _calls(root: Path, fault: Fault) -> Callable[[frozenset[str]], bool]:
    """Whether a test calls the function with the fault; any of the file where the fault is in none, or in its SQL."""
    text = (root / fault.file).read_text()
    if fault.file.endswith(".sql"):
        folder = PurePosixPath(fault.file).parent.name
        files = [
            str(file.relative_to(root))
            for file in (root / "plugins").rglob("*.py")
            if f"{folder}/" in file.read_text() and "statement(" in file.read_text()
        ]
    else:
        files = [fault.file]
        if (name := _function(text, text[: text.index(fault.before)].count("\n") + 1)) is not None:
            whole = f"{fault.file}:{name}"
            return lambda called: whole in called
    starts = tuple(f"{file}:" for file in files)
    return lambda called: any(one.startswith(starts) for one in called)


def _function(text: str, line: int) -> str | None:
    """The qualified name of the innermost function around a line (from 1)."""
    found: str | None = None

    def look(node: ast.AST, within: str) -> None:
        nonlocal found
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                if child.lineno <= line <= (child.end_lineno or child.lineno):
                    name = f"{within}{child.name}"
                    if isinstance(child, ast.ClassDef):
                        look(child, f"{name}.")
                    else:
                        found = name
                        look(child, f"{name}.<locals>.")
            else:
                look(child, within)

    look(ast.parse(text), "")
    return found

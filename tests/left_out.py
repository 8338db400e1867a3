"""Files of which no test is asked for are not even imported: a third of all, in the fast tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_CONJUNCTION = re.compile(r"not \w+(?: and not \w+)*")
_OF_A_FILE = re.compile(r"^pytestmark = .*$", re.MULTILINE)


def unwanted(expression: str) -> set[str]:
    """The marks that no test may have, by the `-m` of pytest; empty where it says more than that."""
    return set(re.findall(r"not (\w+)", expression)) if _CONJUNCTION.fullmatch(expression.strip()) else set()


def left_out(source: str, marks: set[str]) -> bool:
    """Whether every test of a file has one of the marks."""
    found = _OF_A_FILE.search(source)
    return found is not None and not marks.isdisjoint(re.findall(r"pytest\.mark\.(\w+)", found[0]))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the file; None leaves it to others to say."""
    marks = unwanted(config.getoption("markexpr"))
    if not marks or not collection_path.name.startswith("test_") or collection_path.suffix != ".py":
        return None
    return left_out(collection_path.read_text(encoding="utf-8"), marks) or None

"""A mistake that a check found, before it is known in which file it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from audiences.campaign.source import Document
from audiences.campaign.wording import Path, choice, did_you_mean, shown
from audiences.errors import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem at a path inside one file; `key` points to the key and not to the value."""

    path: Path
    code: str
    message: str
    key: bool = False

    def under(self, *path: str | int) -> Finding:
        """The same finding, when `path` leads to where the check began."""
        return replace(self, path=(*path, *self.path))

    def in_file(self, document: Document) -> Problem:
        """The problem at its place in the file."""
        return document.problem(self.path, self.code, self.message, key=self.key)


Findings = Iterator[Finding]


def unknown(kind: str, name: Any, names: Iterable[Any], *, none: str = "") -> str:
    """That a name is not known: with the nearest one, or else with all there are, or else with what to do (`none`)."""
    known = list(names)
    return f"unknown {kind} {shown(name)}{did_you_mean(name, known) or choice(name, known, none=none)}"

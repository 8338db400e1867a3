"""Reading the project's files: text within limits, and YAML as plain data with the place of every key and value."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NoReturn

from audiences.campaign.wording import Path, dotted
from audiences.errors import ConfigError, Problem

MAX_BYTES = 256 * 1024
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")  # as in YAML


@dataclass(slots=True)
class Place:
    """Where a value stands (lines and columns from 1), where its key stands, and the places of what is inside."""

    line: int
    column: int
    key: tuple[int, int] | None = None
    inside: dict[str | int, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: plain data, its places, and the problems that do not keep it from being checked further."""

    file: str
    data: dict[str, Any]
    place: Place
    problems: tuple[Problem, ...]

    def at(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `path`, or of its key; of the nearest enclosing key if it is not there."""
        written, place = self._follow(path)
        if place.key and (key or (len(written) < len(path) and place.inside)):
            return place.key
        return place.line, place.column

    def problem(self, path: Path, code: str, message: str, *, key: bool = False) -> Problem:
        """A problem with the value at `path`, or with its key."""
        return Problem(self.file, *self.at(path, key=key), dotted(self._follow(path)[0]), code, message)

    def _follow(self, path: Path) -> tuple[Path, Place]:
        """The path as the author wrote it: steps that only the long form has are passed over."""
        written: Path = ()
        place = self.place
        for step in path:
            if step in place.inside:
                written, place = (*written, step), place.inside[step]
        return written, place


def fail(file: str, code: str, message: str, line: int = 0, column: int = 0, key: str = "") -> NoReturn:
    """Give a file up: raises ConfigError with this one problem."""
    raise ConfigError((Problem(file, line, column, key, code, message),))


def read_text(path: FilePath, file: str) -> str:
    """The text of a file of at most 256 KiB of UTF-8; `file` is its name in problems. Raises ConfigError."""
    try:
        if not path.is_file():  # a pipe or a device would block
            fail(file, "not-readable", "is not a file" if path.exists() else "does not exist")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        fail(file, "not-readable", f"cannot be read: {error.strerror or type(error).__name__}")
    return decode(content, file)


def decode(content: bytes, file: str) -> str:
    """The text of a file's content. Raises ConfigError: too large, not UTF-8, or with control characters."""
    if len(content) > MAX_BYTES:
        fail(file, "too-large", f"is larger than {MAX_BYTES // 1024} KiB, the most that is read")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        fail(file, "not-utf8", "is not UTF-8 text; save it as UTF-8", line, column)
    if found := _CONTROL.search(text):
        start = found.start()
        line, column = text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
        fail(file, "bad-character", f"holds the control character U+{ord(found[0]):04X}", line, column)
    return text


def files_by_stem(folder: FilePath, suffixes: tuple[str, ...], name: str) -> dict[str, list[FilePath]]:
    """The files of a folder (not of those inside it) with these suffixes, in order; `name` is the folder's in problems.

    Hidden files, which editors leave behind, are passed over. Raises ConfigError when the folder cannot be read.
    """
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        fail(name, "not-readable", f"cannot be read: {error.strerror or type(error).__name__}")
    found: dict[str, list[FilePath]] = {}
    for path in entries:
        if path.suffix.lower() in suffixes and not path.name.startswith("."):
            found.setdefault(path.stem, []).append(path)
    return found

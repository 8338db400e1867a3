"""Reading the project's files: text within limits, and YAML as plain data with the place of every key and value."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, NoReturn

from audiences.campaign.wording import Path, dotted, file_name
from audiences.errors import ConfigError, Problem

MAX_BYTES = 256 * 1024
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")  # as in YAML


@dataclass(slots=True)
class Position:
    """Where a value stands (lines and columns from 1), where its key stands, and the places of what is inside."""

    line: int
    column: int
    key: tuple[int, int] | None = None
    inside: dict[str | int, Position] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML file: plain data, its places, and the problems that do not keep it from being checked further."""

    file: str
    data: dict[str, Any]
    place: Position
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

    def _follow(self, path: Path) -> tuple[Path, Position]:
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


def read_text(path: FilePath, file: str, *, instead: str = "") -> str:
    """The text of a file of at most 256 KiB of UTF-8; `file` is its name relative to the project. Raises ConfigError.

    `instead` says what to do in place of a larger file.
    """
    try:
        if not path.is_file():
            fail(file, "not-readable", _no_file(path))
        if leads_out(path, path.parents[file.count("/")]):
            # What it leads to was not reviewed here, and messages about it would quote it.
            fail(file, "not-readable", "is a link that leads out of the project; put the file itself here")
        # Without waiting: it may have become a pipe meanwhile, at whose other end nobody writes.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                fail(file, "not-readable", "is not a file")
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        fail(file, "not-readable", f"cannot be read: {error.strerror or type(error).__name__}")
    return decode(content, file, instead=instead)


def _no_file(path: FilePath) -> str:
    if path.exists():
        return "is a folder, not a file" if path.is_dir() else "is not a file"
    return "is a link to a file that does not exist" if path.is_symlink() else "does not exist"


def leads_out(path: FilePath, root: FilePath) -> bool:
    """Whether this is a link that ends neither in the project nor in its own folder, which may be a link itself."""
    if not path.is_symlink():
        return False
    real = real_path(path)
    return not (real.is_relative_to(real_path(root)) or real.is_relative_to(real_path(path.parent)))


def real_path(path: FilePath) -> FilePath:
    """Where the links on the way lead; of those that lead to themselves, the path as it is."""
    return FilePath(os.path.realpath(path))


def decode(content: bytes, file: str, *, instead: str = "") -> str:
    """The text of a file's content. Raises ConfigError: too large, not UTF-8, or with control characters."""
    if len(content) > MAX_BYTES:
        fail(
            file,
            "too-large",
            f"is larger than {MAX_BYTES // 1024} KiB, the most that is read{instead and '; '}{instead}",
        )
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
    """What a folder (not those inside it) holds with these suffixes, in order; `name` is the folder's in problems.

    Names that begin with a dot are passed over: hidden files, and what editors lock and keep beside a file. Whatever else
    has such a name is listed, be it a link to nowhere. Raises ConfigError when the folder cannot be read.
    """
    found: dict[str, list[FilePath]] = {}
    for path in entries(folder, name):
        if path.suffix.lower() in suffixes and not path.name.startswith("."):
            found.setdefault(path.stem, []).append(path)
    return found


def entries(folder: FilePath, name: str) -> list[FilePath]:
    """Whatever is in a folder, in order. Raises ConfigError when it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        if not is_there(folder):
            where = file_name(str(folder.parent))
            fail(
                name, "not-readable", f"is not in {where}; `--project` or AUDIENCES_PROJECT names the project's folder"
            )
        fail(name, "not-readable", f"cannot be read: {error.strerror or type(error).__name__}")


def is_there(folder: FilePath) -> bool:
    """Whether there is anything of that name: a link that leads nowhere, or to itself, is meant to be a folder."""
    return os.path.lexists(folder)


def is_anything(path: FilePath) -> bool:
    """Whether it can be said what this is; not of a link that leads nowhere, nor on a disk that is away."""
    try:
        return path.exists()
    except OSError:
        return False


def is_file(path: FilePath) -> bool:
    """Whether this is a file, or a link to one; what nobody may look at is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: FilePath) -> bool:
    """Whether this is a folder; what nobody may look at is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def named(folder: str, path: FilePath) -> str:
    """A file of a folder of the project, as messages name it."""
    return f"{folder}/{file_name(path.name)}"

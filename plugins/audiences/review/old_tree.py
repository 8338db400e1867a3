"""The files that a revision of a project consists of, and how they are put on disk: what its two folders need, and no more.

A link stays a link, and what it leads to inside the project is put there too, as in the working tree. One that leads out of the
project leads nowhere here.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath
from typing import TYPE_CHECKING, Final

from audiences.campaign.wording import file_name, shown
from audiences.errors import FixConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

FOLDERS: Final = ("campaigns", "include")
_LINK, _SUBMODULE = "120000", "160000"
_MOST_LINKS = 40  # one after the other, likewise
_LONGEST_LINK, _LONGEST_NAME = 4096, 255  # bytes, as Linux has it
_NOWHERE = ".leads-out-of-the-project"


@dataclass(eq=False)
class RevisionError(FixConfigError):
    """Git does not know the revision or does not have its files, or the project is in no repository."""

    revision: str
    why: str

    def __str__(self) -> str:
        return f"{shown(self.revision)} cannot be compared with: {self.why}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What git has at a path below the project: a file, a link or a submodule."""

    path: PurePosixPath
    mode: str
    blob: str

    @property
    def is_link(self) -> bool:
        """Whether its content is the path to which it leads."""
        return self.mode == _LINK


def needed_of(entries: Iterable[Entry], targets: Mapping[PurePosixPath, str], *, commit: str) -> list[Entry]:
    """The entries in the two folders, and those to which links lead from there. Raises RevisionError for a submodule."""
    wanted = {PurePosixPath(folder) for folder in FOLDERS}
    for _ in range(_MOST_LINKS):
        more = {path for link, target in targets.items() for path in _led_to(link, target, wanted)} - wanted
        if not more:
            break
        wanted |= more
    # A link on the way to what is needed is needed too.
    needed = [
        entry
        for entry in entries
        if any(
            entry.path.is_relative_to(each) or (entry.is_link and each.is_relative_to(entry.path)) for each in wanted
        )
    ]
    if inside := next((entry.path for entry in needed if entry.mode == _SUBMODULE), None):
        why = f"its {file_name(str(inside))} is a submodule, whose files are in a repository of their own"
        raise RevisionError(commit, why)
    return needed


@dataclass(frozen=True, slots=True)
class OldFolder:
    """A folder of our own into which the files of a commit are put; each method raises RevisionError where that cannot be."""

    root: Path
    commit: str

    def put_file(self, path: PurePosixPath, content: bytes) -> None:
        """Write one file; before any link, so that none is written through it."""
        with self._possible(path):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_bytes(content)

    def put_link(self, path: PurePosixPath, target: bytes) -> None:
        """Make a link; to nothing where it would lead out of the folder."""
        place, text = self.root / path, os.fsdecode(target)
        with self._possible(path):
            place.parent.mkdir(parents=True, exist_ok=True)
            usable = 0 < len(target) < _LONGEST_LINK and "\x00" not in text
            usable = usable and max(map(len, target.split(b"/"))) <= _LONGEST_NAME
            place.symlink_to(text if usable else _NOWHERE)
            if not os.path.realpath(place).startswith(f"{os.path.realpath(self.root)}{os.sep}"):
                place.unlink()
                place.symlink_to(_NOWHERE)

    def complete(self) -> None:
        """Make the folders that the commit lacks."""
        for folder in FOLDERS:
            place = self.root / folder
            if place.is_symlink() and not place.is_dir():
                raise RevisionError(
                    self.commit, f"its {folder} is a link that leads out of the project, or to no folder"
                )
            if not place.exists():
                place.mkdir()

    @contextmanager
    def _possible(self, path: PurePosixPath) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = f"its {file_name(str(path))} cannot be put on disk: {error.strerror or type(error).__name__}"
            raise RevisionError(self.commit, why) from None


def _led_to(link: PurePosixPath, target: str, wanted: set[PurePosixPath]) -> Iterator[PurePosixPath]:
    """The paths to which a link leads from the wanted ones, inside the project."""
    aim = PurePosixPath(normpath(link.parent / target))
    if aim.is_absolute() or aim.parts[:1] in ((), ("..",)):
        return
    for each in wanted:
        if link.is_relative_to(each):
            yield aim
        elif each.is_relative_to(link):
            yield aim / each.relative_to(link)

"""Whether files have changed since they were last looked at: by name, time, size and number on the disk, without reading them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

FileState = tuple[str, int, int, int]
"""The path of a file, the time of its last change, its size, and its number on the disk; zeros where it cannot be said."""


def state_of(file: Path) -> FileState:
    """Of one file, or of what its name leads to."""
    return _state(str(file), file)


def states_in(folders: Iterable[Path]) -> frozenset[FileState]:
    """Of whatever lies in folders, but not of what lies in folders inside them; a folder that cannot be read is empty."""
    return frozenset(state for folder in folders for state in _in(folder))


def _in(folder: Path) -> Iterator[FileState]:
    try:
        with os.scandir(folder) as listed:
            for entry in listed:
                yield _state(entry.path, entry)
    except OSError:
        return


def _state(path: str, file: Path | os.DirEntry[str]) -> FileState:
    try:
        found = file.stat()
    except OSError:
        return path, 0, 0, 0
    return path, found.st_mtime_ns, found.st_size, found.st_ino

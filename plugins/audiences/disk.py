"""Faults of the disk in words: it is full, a file is gone or may not be written. Whoever ends a step or a command asks."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from typing import Final

from audiences.errors import FixAccessError

_FULL: Final = (
    "Make room there, or set `staging` in include/settings.yml to a folder with more (the users' hashes take about 200 MB a "
    "million); then run it again"
)
_GONE: Final = (
    "It was removed in the middle of a run, or the workers do not share the folder: set `staging` in include/settings.yml to one "
    "that all of them see and that nobody else clears. Then run it again; in Airflow, clear the whole run"
)
_WAS_CHANGED: Final = "a file of the run was changed or cut short after it was written"
_CHANGED: Final = (
    "Something else wrote there, or the disk failed: leave the folder to the product. Then run it again; in Airflow, clear the "
    "whole run"
)
_CLOSED: Final = "Give the account that runs this the right to write there, or name another folder; then run it again"
_REMEDIES: Final = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), ("there is no room left for a file", _FULL)),
    **dict.fromkeys((errno.ENOENT, errno.ESTALE), ("a file or folder is not there", _GONE)),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), ("a file or folder may not be read or written", _CLOSED)),
    **dict.fromkeys(
        (errno.ENOTDIR, errno.EISDIR), ("what should be a folder is a file, or the other way round", _CLOSED)
    ),
    errno.EIO: ("the disk failed to read or write a file", "Look at the disk; then run it again"),
    errno.EMFILE: ("too many files are open", "Raise the limit of open files (`ulimit -n`); then run it again"),
}
# Object stores give the name of what they miss, and no number.
_OF_CLASS: Final[dict[type, int]] = {FileNotFoundError: errno.ENOENT, PermissionError: errno.EACCES}
_QUOTED: Final = re.compile(r"'(/[^']{1,400})'")  # Arrow names the file in the text only
_ERRNO: Final = re.compile(r"\[[Ee]rrno (\d{1,3})\]")  # as Arrow and Python write it
# Of Arrow and DuckDB, about a file of rows: they give no number, and Arrow raises one class for this and for much else.
_BROKEN: Final = re.compile(
    r"[Pp]arquet|[Cc]orrupt|deserialize thrift|Invalid or truncated|cut short after|CRC checksum"
)
_ARROW: Final = "pyarrow.lib"
_READING: Final = frozenset(
    {"duckdb", "_duckdb", _ARROW}
)  # DuckDB's errors quote those of the files that were read through it


@dataclass(eq=False)
class DiskError(FixAccessError):
    """A file could not be read or written, for a reason that a person can take away; `path` is empty where nobody says."""

    problem: str
    path: str
    remedy: str

    def __str__(self) -> str:
        where = f": {self.path}" if self.path else ""
        return f"{self.problem}{where}. {self.remedy}. What Facebook acknowledged is on record, and nothing is lost"


def changed(path: str) -> DiskError:
    """The error for a file that was whole when it was written, and cannot be read as what it was."""
    return DiskError(_WAS_CHANGED, path, _CHANGED)


def as_disk(error: BaseException) -> DiskError | None:
    """Our error for a fault of the disk; None for any other, those of the network among them."""
    text, number, name = str(error), None, None
    if isinstance(error, OSError):
        number, name = error.errno, error.filename
    elif type(error).__module__ not in _READING:
        return None
    if number is None and type(error).__module__ != _ARROW:
        found = _ERRNO.search(text)
        number = int(found[1]) if found else _OF_CLASS.get(type(error))
    if number in _REMEDIES:
        problem, remedy = _REMEDIES[number]
    elif number is None and _BROKEN.search(text):
        problem, remedy = _WAS_CHANGED, _CHANGED
    else:
        return None
    quoted = _QUOTED.search(text)
    named = quoted[1] if quoted else text if type(error) in _OF_CLASS else ""
    path = name if isinstance(name, str) else named[:400]
    return DiskError(problem, path, remedy)

"""Whether the disk or the store that is seen here is the one on which a run has staged its rows.

Two machines may have the same path, each with a disk of its own. What is missing on the one may well be on the other.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname
from typing import Final
from uuid import uuid4

from audiences.errors import FixAccessError
from audiences.ledger.staged_runs import GONE
from audiences.object_store import Folder

_MARK: Final = ".audiences-staging"


@dataclass(eq=False)
class StagedElsewhereError(FixAccessError):
    """The rows of a run are on a disk that is not seen from here, so nobody here can say whether they are gone."""

    run: int
    folder: str
    made_by: str
    here: str

    def __str__(self) -> str:
        made = f", a disk that `{self.made_by}` has used first" if self.made_by else ""
        return (
            f"run {self.run} has staged rows in `{self.folder}`{made}, and that is not what is seen there from `{self.here}`, so "
            "they are not taken for gone. Set `staging` in include/settings.yml to what all workers share (docs/staging.md), or "
            "run the campaign once where the folder is. If it is lost for good, say so and run it again: "
            f"`audiences ledger staging-gone {self.run}`"
        )


def root_of(folder: str) -> str:
    """The staging root of a run's folder."""
    return folder.rsplit("/", 2)[0]


def home(root: str, *, make: bool = False) -> str | None:
    """What tells this root from one of the same path on another machine; None where there is none, unless it is to be made.

    On a disk it is a random mark and the name of the machine that made it, in a file; an object store is known by its URL.
    """
    folder = Folder.of(root)
    if not folder.local:
        return root
    mark = Path(folder.path) / _MARK
    with suppress(FileNotFoundError):
        return mark.read_text(encoding="utf-8").strip() or None
    if not make:
        return None
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = f"{uuid4().hex} {gethostname()}"
    unfinished = mark.with_name(f"{_MARK}.{made[:32]}")
    unfinished.write_text(made, encoding="utf-8")
    try:
        os.link(unfinished, mark)  # fails where another process was faster
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        unfinished.replace(mark)
    unfinished.unlink(missing_ok=True)
    return mark.read_text(encoding="utf-8").strip()


def ensure_seen(run: int, folder: str, staged_on: str | None) -> None:
    """Raise StagedElsewhereError unless the folder is on the disk or in the store where the run has staged its rows.

    A run of an earlier version has not said where; its folder is taken for this one if its root is in use here.
    """
    seen = home(root_of(folder))
    if staged_on != GONE and (seen is None or seen != (staged_on or seen)):
        made_by = (staged_on or "").partition(" ")[2]
        raise StagedElsewhereError(run=run, folder=folder, made_by=made_by, here=gethostname())

"""Staging clean-up: the folders of runs that ended long ago, except where a request still needs its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from audiences.ledger import runs
from audiences.logs import logger
from audiences.pipeline.staging import Staging, run_folders

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.ledger.database import Ledger

KEPT_FOR = timedelta(days=7)
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Tidied:
    """How many folders of runs were removed, and how many were left: still needed, too young, or not ours."""

    removed: int
    left: int


def tidy(ledger: Ledger, root: str | None, *, ended_before: datetime) -> Tidied:
    """Clean up a staging root, of all campaigns of the project; None stands for the default one."""
    folders = run_folders(root)
    disposable = runs.disposable(ledger, folders, before=ended_before)
    for folder in disposable:
        _log.info("removing %s, whose run ended long ago", folder)
        Staging(folder).clear(root=root)
    return Tidied(removed=len(disposable), left=len(folders) - len(disposable))

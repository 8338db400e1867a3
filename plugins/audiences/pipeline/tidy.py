"""Staging clean-up: the folders of runs that ended long ago, except where a request still needs its rows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from upath import UPath

from audiences.ledger import runs
from audiences.pipeline.staging import Staging, default_root

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.pipeline.doors import Doors

KEPT_FOR = timedelta(days=7)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tidied:
    """How many folders of runs were removed, and how many were left: still needed, too young, or not ours."""

    removed: int
    left: int


def tidy(doors: Doors, at: datetime) -> Tidied:
    """Clean up the staging folder, of all campaigns of the project."""
    root = doors.spec.staging or default_root()
    folders = [
        f"{root}/{campaign.name}/{run.name}"
        for campaign in (UPath(root).iterdir() if UPath(root).exists() else ())
        if campaign.is_dir()
        for run in campaign.iterdir()
    ]
    disposable = runs.disposable(doors.ledger, folders, before=at - KEPT_FOR)
    for folder in disposable:
        _log.info("removing %s, whose run ended long ago", folder)
        Staging(folder).clear()
    return Tidied(removed=len(disposable), left=len(folders) - len(disposable))

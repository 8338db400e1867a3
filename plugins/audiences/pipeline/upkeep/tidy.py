"""Staging clean-up: the folders of runs that ended long ago, except where a request still needs its rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from audiences.errors import AudiencesError
from audiences.ledger import staged_runs
from audiences.logs import logger
from audiences.pipeline.preconditions.staged_here import home, root_of
from audiences.run_folders import clear, run_folders, staging_root

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.ledger.database import Ledger
    from audiences.ledger.staged_runs import StagedRun

KEPT_FOR = timedelta(days=7)
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Tidied:
    """How many folders of runs were removed, and how many were left: still needed, too young, or not ours."""

    removed: int
    left: int


def tidy(ledger: Ledger, root: str | None, *, ended_before: datetime) -> Tidied:
    """Clean up the staging root of all campaigns of the project, and former ones that are seen from here.

    None stands for the default root. A former root is one that the settings named when a run began.
    """
    root = staging_root(root)
    seen = [each for each in staged_runs.uncleared(ledger) if home(root_of(each.staging)) == each.staged_on]
    listed = run_folders(root)
    former = {each.staging for each in seen if root_of(each.staging) != root}
    disposable = set(
        staged_runs.disposable(ledger, list({*listed, *(each.staging for each in seen)}), before=ended_before)
    )
    removed = {folder for folder in sorted(disposable & {*listed, *former}) if _removed(folder, must=folder in listed)}
    gone = removed | (disposable - {*listed, *former})  # nothing was ever staged under the root for some
    staged_runs.cleared(ledger, [each.run for each in seen if each.staging in gone])
    return Tidied(removed=len(removed), left=len({*listed, *former} - removed))


def _removed(folder: str, *, must: bool) -> bool:
    """Remove a folder; one under a former root, whose store may be closed by now, keeps no other from being removed."""
    _log.info("removing %s, whose run ended long ago", folder)
    try:
        clear(folder, root=root_of(folder))
    except AudiencesError as error:
        if must:
            raise
        _log.warning("%s, under a former `staging`, was not removed: %s", folder, error)
        return False
    return True


def staged_elsewhere(ledger: Ledger, root: str | None) -> list[StagedRun]:
    """The runs whose staged rows `tidy` does not reach from here: on disks that are not seen, or in stores that are closed."""
    root = staging_root(root)
    return [
        each for each in staged_runs.uncleared(ledger) if root_of(each.staging) != root or home(root) != each.staged_on
    ]

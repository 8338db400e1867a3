"""What a run on record is at now: its state, and of one that never ended whether it is under way, waits for people, or died."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from audiences.ledger.runs import RunState

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.ledger.run_records import LastRun, RunRecord

DIED_AFTER: Final = timedelta(days=1)
"""A run that has not ended and gave no sign of life for so long is taken for dead, as `ledger.runs.under_way` does."""


class RunPhase(StrEnum):
    """The state of a run for people; `waiting`: for somebody to approve it, `died`: its process is gone without a word."""

    RUNNING = "running"
    WAITING = "waiting"
    DIED = "died"
    SUCCESS = "success"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def goes_on(self) -> bool:
        """Whether more is to come of the run."""
        return self in (RunPhase.RUNNING, RunPhase.WAITING)


_ENDED: Final = {
    RunState.SUCCESS: RunPhase.SUCCESS,
    RunState.FAILED: RunPhase.FAILED,
    RunState.STOPPED: RunPhase.STOPPED,
    RunState.ABANDONED: RunPhase.DIED,
}


def phase_of(run: RunRecord | LastRun, now: datetime) -> RunPhase:
    """The phase at that time."""
    if run.state is not RunState.RUNNING:
        return _ENDED[run.state]
    if run.asked_until is not None and run.asked_until > now:
        return RunPhase.WAITING
    return RunPhase.DIED if now - run.alive_at > DIED_AFTER else RunPhase.RUNNING

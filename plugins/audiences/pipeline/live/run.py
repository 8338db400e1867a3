"""Runs a batch of live events: a run like any other, over the users of the batch, who must still qualify."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field

from audiences.errors import WaitError
from audiences.ledger import live, runs
from audiences.pipeline.references import Reference, RunRequest, Summary
from audiences.pipeline.whole import TRIES, attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.pipeline.doors import Doors

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


class BatchReport(Reference):
    """The events of a batch: how many there were by what became of them, from when to when, and how late they were acted upon.

    `events` are exported, unless their users do not qualify any more, and belong to `users`, some perhaps to the same one;
    `decided` counts them all, and those since the batch before that were late, excluded, over the limit or dropped.
    """

    id: int
    tries: int
    events: int
    users: int
    first_event: AwareDatetime
    last_event: AwareDatetime
    lag_seconds: float
    decided: dict[str, int] = Field(default_factory=dict)

    def in_words(self) -> str:
        """One line for logs and notes."""
        decided = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in self.decided.items())
        return (
            f"batch {self.id}: {self.events:,} events of {self.users:,} users, {self.first_event:%d %b %H:%M:%S} to "
            f"{self.last_event:%H:%M:%S %Z}, lag {self.lag_seconds:.0f} s; {decided}"
        )


class LiveSummary(Summary):
    """A run that has ended, and its batch."""

    batch: BatchReport

    def in_words(self) -> str:
        """One line for a note."""
        return f"{self.batch.in_words()}; {super().in_words()}"


def run_batch(
    doors: Doors,
    number: int,
    request: RunRequest,
    *,
    sleep: Callable[[float], None] = time.sleep,
    tries: int = TRIES,
) -> LiveSummary | None:
    """Export a batch, each step up to `tries` times; None when that is done already.

    After a failure the dispatcher triggers another run of the batch, as soon as the error allows, then ever later. Raises
    what kept the run from being opened at all, OutsideWindowsError among it.
    """
    ledger, at = doors.ledger, request.at
    with ledger.working_on(doors.spec.id):
        batch = live.batch(ledger, number)
        if batch.state != "open":
            return None
        live.postpone(ledger, number, until=at + live.SILENT)
        try:
            done = attempt(doors, request.model_copy(update={"batch": number}), sleep=sleep, tries=tries)
        except Exception as error:
            live.postpone(ledger, number, until=at + _pause(error, batch), error=runs.error_text(error))
            raise
        if done.summary.state != "success":
            live.postpone(ledger, number, until=at + _pause(done.error, batch), error=done.summary.error)
        report = BatchReport(
            id=batch.id,
            tries=batch.tries,
            events=batch.events,
            users=batch.users,
            first_event=batch.first_event,
            last_event=batch.last_event,
            lag_seconds=(at - batch.last_due).total_seconds(),
            decided=live.counts(ledger, number),
        )
        return LiveSummary(**done.summary.model_dump(), batch=report)


def _pause(error: Exception | None, batch: live.Batch) -> timedelta:
    """For how long to leave a batch alone after a failure: as Facebook or the windows say, else longer each time."""
    if isinstance(error, WaitError):
        return timedelta(seconds=error.seconds)
    doublings = min(max(batch.tries - 1, 0), 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)

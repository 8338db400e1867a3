"""Runs a batch of live events: a run like any other, over the users of the batch, who must still qualify."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime  # noqa: TC002  # pydantic reads annotations at run time

from audiences.errors import FixConfigError, WaitError
from audiences.ledger import live_batches, live_events, members, runs
from audiences.pipeline.audience.on_record import known_audience
from audiences.pipeline.live.batch_report import BatchReport, report_on
from audiences.pipeline.live.batch_scope import BatchScope
from audiences.pipeline.live.poller import poll
from audiences.pipeline.preconditions.as_of import ON_TIME, ensure_now
from audiences.pipeline.preconditions.export_windows import OutsideWindowsError
from audiences.pipeline.preconditions.in_force import ensure_in_force
from audiences.pipeline.results import AudienceSize, Reference, RunRequest, Summary
from audiences.pipeline.run import TRIES, attempt
from audiences.when.live.watch import Watch
from audiences.who.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.pipeline.resources import CampaignResources

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)


@dataclass(eq=False)
class UnknownBatchError(FixConfigError):
    """A run was asked for a batch that its campaign does not have."""

    campaign: str
    batch: int

    def __str__(self) -> str:
        return (
            f"campaign `{self.campaign}` has no batch {self.batch}; trigger its DAG without `batch` to run what is due"
        )


class LiveSummary(Summary):
    """A run that has ended, and its batch."""

    batch: BatchReport

    def in_words(self) -> str:
        """One line for a note."""
        return f"{self.batch.in_words()}; {super().in_words()}"


def run_batch(
    resources: CampaignResources,
    number: int,
    request: RunRequest,
    *,
    sleep: Callable[[float], None] = time.sleep,
    tries: int = TRIES,
    queued: float | None = None,
) -> LiveSummary | None:
    """Export a batch, each step up to `tries` times; None when that is done already, or it was dropped.

    `queued`: how many seconds the run has waited since it was triggered, for the record.

    After a failure the dispatcher triggers another run of the batch, as soon as the error allows, then ever later; outside the
    windows, where `outside: drop` says so, the batch is over. Raises what kept the run from being opened at all,
    OutsideWindowsError and NotInForceError among it.
    """
    scope = BatchScope(number)
    ensure_in_force(resources, request, scope)
    ledger, at = resources.ledger, request.at
    with resources.working():
        batch = live_batches.batch(ledger, number, resources.spec.id)
        if batch is None:
            raise UnknownBatchError(campaign=resources.spec.id, batch=number)
        request = _no_earlier(request, batch)
        if not live_batches.postpone(ledger, number, until=at + live_batches.SILENT):
            return None
        try:
            done = attempt(resources, request, sleep=sleep, tries=tries, scope=scope, queued=queued)
        except Exception as error:
            resources.ensure_not_newer(error)
            if isinstance(error, OutsideWindowsError) and error.dropped:
                live_batches.drop(ledger, number)
            else:
                live_batches.postpone(ledger, number, until=at + _pause(error, batch), error=runs.error_text(error))
            raise
        if done.summary.state != "success":
            live_batches.postpone(ledger, number, until=at + _pause(done.error, batch), error=done.summary.error)
        return LiveSummary(**done.summary.model_dump(), batch=report_on(ledger, batch, at))


def _no_earlier(request: RunRequest, batch: live_batches.Batch) -> RunRequest:
    """The run as of the time at which its batch was formed, where this machine's clock is behind the warehouse's.

    Else the very events of the batch would not have happened yet, for rules that look at them.
    """
    behind = batch.formed_at - request.at
    return request.model_copy(update={"at": batch.formed_at}) if timedelta() < behind <= ON_TIME else request


def _pause(error: Exception | None, batch: live_batches.Batch) -> timedelta:
    """For how long to leave a batch alone after a failure: as Facebook or the windows say, else longer each time."""
    if isinstance(error, WaitError):
        return timedelta(seconds=error.seconds)
    doublings = min(max(batch.tries - 1, 0), 10)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


class Idle(Reference):
    """What `audiences run` says of a live campaign of which nothing is due; `events` counts what the poll found."""

    run: None = None
    campaign: str
    state: Literal["success"] = "success"
    at: AwareDatetime
    outcomes: dict[str, int]
    requests: int = 0
    audience: AudienceSize | None
    events: dict[str, int]

    def in_words(self) -> str:
        """One line for logs and notes."""
        counts = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in self.events.items())
        return f"nothing is due; events so far: {counts or 'none'}"


def run_due(
    resources: CampaignResources,
    request: RunRequest,
    *,
    sleep: Callable[[float], None] = time.sleep,
    queued: float | None = None,
) -> LiveSummary | Idle:
    """Poll for the events of one live campaign, and export those that are due; for a run by hand, without the dispatcher.

    `queued` as for a batch; on the command line nothing waits.

    Raises the warehouse's error when the poll failed, StoppedError for another time than now, and what `run_batch` raises.
    """
    ensure_in_force(resources, request)
    ensure_now(resources, request)
    ledger, campaign = resources.ledger, resources.spec.id
    watch = Watch.of([resources.spec])
    if watch is not None:
        polled = poll(resources, watch, at=request.at, alone=True)
        for error in polled.errors.values():
            raise error
    batch = live_batches.open_batch(ledger, campaign)
    done = run_batch(resources, batch.id, request, sleep=sleep, queued=queued) if batch else None
    if done is not None:
        return done
    known = known_audience(resources)
    return Idle(
        campaign=campaign,
        at=request.at,
        outcomes=Outcomes().as_dict(),
        audience=AudienceSize(id=known.facebook_id, members=members.count(ledger, known.id)) if known else None,
        events=live_events.events(ledger, campaign),
    )

"""A whole run in this process, without Airflow: `audiences run`, and the tests; of a small run in Airflow most steps."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
)

from audiences.errors import AudiencesError, RetryError, WaitError
from audiences.facebook.graph_errors import UnreachableError
from audiences.ledger import chunks, known_audiences, members, runs
from audiences.ledger.ledger_errors import as_ours
from audiences.ledger.migrate import LedgerNewerError
from audiences.ledger.run_timings import QUEUED
from audiences.logs import logger
from audiences.pipeline.preconditions.as_of import at_present, ensure_now
from audiences.pipeline.preconditions.export_windows import OutsideWindowsError
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.link_ad_sets import link_ad_sets
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload import full_refresh
from audiences.pipeline.upload.export import export
from audiences.pipeline.upload.resolve_unknown import resolve_unknown
from audiences.store_faults import store_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Extracted, Plan, RunRef, RunRequest, Sent, Summary

Result = TypeVar("Result")
TRIES = 5
SMALL = 100_000
"""So many users may qualify, and memberships be on record, that Airflow has one task from the extraction to the last removal."""
_log = logger(__name__)


class Timings(dict[str, float]):
    """Does steps, patiently, and keeps their seconds for the record; no decision depends on those."""

    def __init__(self, sleep: Callable[[float], None], tries: int = TRIES) -> None:
        super().__init__()
        self._patient = Retrying(
            retry=retry_if_exception(self._passes),
            stop=stop_after_attempt(tries),
            wait=_wait_for,
            before_sleep=_tell,
            sleep=sleep,
            reraise=True,
        )

    def _passes(self, error: BaseException) -> bool:
        """A window may be closed for days, an upgrade take its time, an address be wrong from the start.

        Nobody waits for that at a terminal.
        """
        hopeless = isinstance(error, OutsideWindowsError | LedgerNewerError) or (
            isinstance(error, UnreachableError) and not self
        )
        return isinstance(error, WaitError | RetryError) and not hopeless

    def of(self, step: str, work: Callable[[], Result]) -> Result:
        """Do the step, again after a wait or a passing fault, and note how long it took in all."""
        begun = time.perf_counter()
        try:
            return self._patient(store_told()(work))
        finally:
            self[step] = round(time.perf_counter() - begun, 3)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A run that has ended, and the error that ended it early, if one did."""

    summary: Summary
    error: Exception | None


def run_campaign(
    resources: CampaignResources, request: RunRequest, *, sleep: Callable[[float], None] = time.sleep
) -> Summary:
    """Run the campaign once and say what came of it, also when it failed or a guard stopped it.

    Raises what kept the run from being opened at all.
    """
    return summary_of(attempt(resources, request, sleep=sleep))


def summary_of(done: Attempt) -> Summary:
    """What came of it; raises an error that is none of ours."""
    if done.error is not None and not isinstance(done.error, AudiencesError):
        raise done.error
    return done.summary


def attempt(
    resources: CampaignResources,
    request: RunRequest,
    *,
    sleep: Callable[[float], None] = time.sleep,
    tries: int = TRIES,
    scope: Scope = EVERYBODY,
    queued: float | None = None,
) -> Attempt:
    """Run the campaign once, each step up to `tries` times. Raises what kept the run from being opened at all.

    That is among others StoppedError for a run as of another time than now. `scope` says whom the run is about, `queued` how many
    seconds it has waited for its turn, for the record.
    """
    ensure_now(resources, request)
    timings = Timings(sleep, tries)
    with resources.working():
        run = timings.of("open_run", lambda: open_run(resources, at_present(resources, request), scope=scope))
        if queued is not None:
            timings[f"open_run{QUEUED}"] = round(queued, 3)

        def planned() -> Plan:
            extracted = timings.of("extract", lambda: extract(resources, run, scope=scope))
            selected = timings.of("select", lambda: [select(resources, run, shard) for shard in extracted.shards])
            return timings.of("plan", lambda: plan(resources, run, extracted, selected, scope=scope))

        return to_its_end(resources, run, planned, timings, ad_sets=True, scope=scope)


def to_its_end(
    resources: CampaignResources,
    run: RunRef,
    plan: Callable[[], Plan],
    timings: Timings,
    *,
    ad_sets: bool = False,
    scope: Scope = EVERYBODY,
) -> Attempt:
    """Plan an opened run, send what was planned, with `ad_sets` see to those too, close the run."""
    planned: Plan | None = None
    failure: Exception | None = None
    try:
        planned = plan()
        _send(resources, run, timings)
        if ad_sets:
            timings.of("link_ad_sets", lambda: link_ad_sets(resources, run, scope=scope))
    except Exception as error:  # noqa: BLE001  # the run is closed first, whatever it was
        resources.ensure_not_newer(error)
        failure = as_ours(error) or error
        runs.note_error(resources.ledger, run.run, failure)
    return Attempt(close_run(resources, run, planned, timings=timings, ad_sets=ad_sets, scope=scope), failure)


def is_small(resources: CampaignResources, run: RunRef, extracted: Extracted) -> bool:
    """Whether the steps after the extraction are not worth a task each, and none of them is to be apart.

    People are asked between two of them, where the campaign needs an approval, and a full refresh goes on where it broke.
    """
    campaign = resources.spec.campaign
    if campaign.tasks == "by_step" or campaign.approval or run.full_refresh:
        return False
    return extracted.rows <= SMALL and not members.more_than(resources.ledger, run.audience, SMALL)


def export_at_once(
    resources: CampaignResources,
    run: RunRef,
    extracted: Extracted,
    timings: Timings,
    *,
    on_planned: Callable[[Plan], None],
) -> None:
    """Do what follows the extraction, up to the last removal; `on_planned` gets the plan before anything is sent.

    Raises what the steps raise. Calling it again, after a new extraction, plans anew what is left.
    """
    ledger = resources.ledger
    if any(chunk.run == run.run for chunk in chunks.of_unknown_fate(ledger, run.audience)):
        audience = known_audiences.find(ledger, run.facebook_id)
        runs.warn(ledger, run.run, resolve_unknown(resources, audience) if audience else [])
    selected = timings.of("select", lambda: [select(resources, run, shard) for shard in extracted.shards])
    on_planned(timings.of("plan", lambda: plan(resources, run, extracted, selected)))
    _send(resources, run, timings)


def _send(resources: CampaignResources, run: RunRef, timings: Timings) -> None:
    timings.of("remove", lambda: export(resources, run, "remove"))
    timings.of("add", lambda: _add(resources, run))
    timings.of("remove_late", lambda: export(resources, run, "remove", deferred=True))


def _add(resources: CampaignResources, run: RunRef) -> Sent:
    if full_refresh.is_planned(resources, run):
        return full_refresh.send(resources, run)
    return export(resources, run, "add")


def _wait_for(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    return error.seconds if isinstance(error, WaitError) else min(2.0**state.attempt_number, 60)


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    _log.warning("%s; going on in %.0f s", error, _wait_for(state))

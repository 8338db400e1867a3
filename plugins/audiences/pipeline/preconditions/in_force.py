"""Whether a campaign may run: its status, its end, and what the ledger knows of the runs that its schedule has had.

Airflow forgets: with the DAG that was deleted in its UI, with `airflow db clean`, with a new database. The ledger does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from audiences.errors import StoppedError
from audiences.ledger import runs
from audiences.pipeline.preconditions.as_of import ON_TIME
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.when.upcoming import recurrence_of
from audiences.when.wallclock import after_end_of, start_of

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.runs import Scheduled
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRequest

NotInForce = Literal["its end has passed", "it has had its last run", "it is stopped", "its file was deleted"]
NOBODY = 0  # no campaign of the ledger has this number
LIFT = "status"  # in a run's `allow`: run a campaign that is not in force
_STATUS = {
    "draft": "the campaign is a draft, which only previews; `status: published` in its file lets it run",
    "stopped": "the campaign is stopped; `status: published` in its file lets it run again",
}


@dataclass(eq=False)
class NotInForceError(StoppedError):
    """The campaign must not run at all: it is a draft, stopped or over, or this run of its schedule has taken place."""


def ensure_in_force(resources: CampaignResources, request: RunRequest, scope: Scope = EVERYBODY) -> None:
    """Raise NotInForceError for a campaign that is not to run, unless `allow` lifts it; the status needs no ledger."""
    if LIFT in request.allow:
        return
    found = _STATUS.get(resources.spec.campaign.status)
    if found is None and not scope.outlasts_end:
        found = _over(resources, request) or _not_begun(resources, request)
    if found is None and request.due is not None and not request.again:
        found = _had(resources, request.due)
    if found is not None:
        raise NotInForceError(
            guard=LIFT,
            found=found,
            allow_once=(
                f"To run it once all the same: `audiences run {resources.spec.id} --allow {LIFT}`, or trigger the DAG of a "
                f"published campaign with `{LIFT}` in its `allow` field"
            ),
        )


def why_over(spec: CampaignSpec, at: datetime, scheduled: int) -> NotInForce | None:
    """Why the campaign is over at `at`, None when it is not; `scheduled` of its runs have been begun by its schedule.

    A date, or `now`, is no end by itself: the audience of a single run is there to be used afterwards.
    """
    when = spec.campaign.when
    if spec.campaign.status == "stopped":
        return "it is stopped"
    if spec.campaign.status == "draft":
        return None
    if when.end and after_end_of(when.end, spec.zone) <= at:
        return "its end has passed"
    recurrence = recurrence_of(spec) if when.ends else None
    if when.ends and recurrence:
        last_was = next(recurrence.occurrences(at), None) is None if when.start else scheduled >= when.ends.after
        return "it has had its last run" if last_was else None
    return None


def told_not_in_force(resources: CampaignResources, at: datetime) -> list[str]:
    """For a preview, a sentence on a campaign that is stopped or over; a draft is there to be previewed."""
    reason = why_over(resources.spec, at, _of_schedule(resources, at).others)
    return [f"no run sends this: the campaign is over, {reason}; `--allow {LIFT}` runs it once"] if reason else []


def too_early(spec: CampaignSpec, request: RunRequest) -> list[str]:
    """A warning for a run by hand before the campaign's `start`, which is how an audience is filled in time for its ads."""
    start = spec.campaign.when.start
    begins = start_of(start, spec.zone) if start else None
    if request.due is not None or begins is None or begins <= request.at:
        return []
    return [f"run by hand before the campaign's `start` on {begins.astimezone(spec.zone):%a %d %b %Y at %H:%M %Z}"]


def _over(resources: CampaignResources, request: RunRequest) -> str | None:
    spec, now = resources.spec, resources.now()
    # The last run of a schedule that is on time was due before the end.
    at = request.at if abs(now - request.at) <= ON_TIME else now
    by_hand = request.due is None
    # A run of the schedule is told from the last one by the time for which it stands.
    scheduled = _of_schedule(resources, now).others if by_hand and spec.campaign.when.ends else 0
    reason = why_over(spec, at, scheduled)
    return f"the campaign is over: {reason}" if reason == "its end has passed" or (reason and by_hand) else None


def _not_begun(resources: CampaignResources, request: RunRequest) -> str | None:
    """A schedule keeps to the campaign's `start` by itself; what others have done comes when it comes."""
    start, zone = resources.spec.campaign.when.start, resources.spec.zone
    if not request.woken or start is None or start_of(start, zone) <= request.at:
        return None
    return f"the campaign starts on {start_of(start, zone).astimezone(zone):%a %d %b %Y at %H:%M %Z}"


def _had(resources: CampaignResources, due: datetime) -> str | None:
    """Why a run of the schedule is not to be: it has taken place, or it is one more than `ends` or `now` stand for."""
    spec, when = resources.spec, resources.spec.campaign.when
    recurrence = recurrence_of(spec)
    known = _of_schedule(resources, due)
    if recurrence is None:
        return None
    if recurrence.is_now and known.planned is not None:
        return f"`when: now` is one run in the life of the campaign, and it was run {known.planned}"
    if known.same is not None:
        return f"the run that was due on {due.astimezone(spec.zone):%a %d %b %Y at %H:%M %Z} has taken place: run {known.same}"
    if when.ends and not when.start and known.others >= when.ends.after:
        return f"the campaign has had its last run, {known.others} of {when.ends.after}"
    return None


def _of_schedule(resources: CampaignResources, due: datetime) -> Scheduled:
    """What the ledger knows of the schedule's runs, also of those under a former id of the campaign."""
    known = resources.campaign()
    return runs.of_schedule(resources.ledger, known.id if known else NOBODY, due)

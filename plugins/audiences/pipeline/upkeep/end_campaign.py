"""The end of a campaign: what `on_end` says becomes of its audience, once, and until the campaign runs again.

A campaign is over when its `end` has passed, when `ends` has counted its last run, when it is `stopped`, or when its file
was deleted; then the file of its last run counts. No run comes any more that could notice, so the daily upkeep does.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from audiences.errors import FixAccessError
from audiences.ledger import content, ended_campaigns, request_counts, runs
from audiences.ledger.campaigns import BUSY_SECONDS, CampaignBusyError
from audiences.logs import logger
from audiences.pipeline.audience import in_doubt
from audiences.pipeline.audience.on_record import known_audience
from audiences.pipeline.audience.standing import AudienceDeletedError
from audiences.pipeline.preconditions.in_force import NotInForce, why_over
from audiences.pipeline.results import UNATTENDED, Plan, Reference, RunRef, RunRequest
from audiences.pipeline.run import Timings, summary_of, to_its_end
from audiences.pipeline.steps.compare import compared
from audiences.pipeline.steps.link_ad_sets import take_back
from audiences.pipeline.steps.open_run import begin
from audiences.pipeline.steps.opt_out_again import opted_out_by_now
from audiences.pipeline.steps.plan import outcomes_before_upload
from audiences.pipeline.steps.put_on_record import put_on_record

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from audiences.ledger.database import Ledger
    from audiences.pipeline.resources import CampaignResources

DELETED_AFTER = timedelta(hours=24)
"""So long a file must be gone: a deployment that went wrong for an hour empties nothing."""
MOST_TRIES = 7
"""Facebook refuses to empty some audiences for good; after a week of days a person has been told often enough."""
_log = logger(__name__)


class EndOfCampaign(Reference):
    """What was done about a campaign's end; `error` says why it could not be."""

    campaign: str
    reason: NotInForce
    on_end: Literal["keep", "unlink", "empty"]
    removed: int = 0
    error: str | None = None

    def in_words(self) -> str:
        """One line for a log."""
        done = {
            "keep": "the audience is kept",
            "unlink": "out of its ad sets",
            "empty": f"{self.removed:,} members removed",
        }
        return f"{self.campaign} is over, {self.reason}: {self.error or done[self.on_end]}"


def end_campaign(
    resources: CampaignResources, *, deleted: bool = False, sleep: Callable[[float], None] = time.sleep
) -> EndOfCampaign | None:
    """Carry out `on_end` when the campaign is over by now; None when it is not, or there is nothing left to do.

    A run that is under way goes first. What a person must put right is returned, and tried again on the next days;
    what may pass is raised, CampaignBusyError for a run that has begun meanwhile among it.
    """
    spec, ledger, at = resources.spec, resources.ledger, resources.now()
    found = resources.campaign()
    if found is None:
        return None
    campaign, on_end = found.id, spec.campaign.when.on_end
    reason: NotInForce | None = (
        "its file was deleted" if deleted else why_over(spec, at, runs.of_schedule(ledger, campaign, at).others)
    )
    if reason is None:
        ended_campaigns.forget(ledger, campaign)
        return None
    known = ended_campaigns.find(ledger, campaign)
    done = known is not None and known.on_end == on_end and (known.error is None or known.tries >= MOST_TRIES)
    if done or runs.under_way(ledger, campaign):
        return None
    removed, error = _carry_out(resources, campaign, at, sleep)
    ended_campaigns.record(ledger, campaign=campaign, reason=reason, on_end=on_end, error=error, at=at)
    return EndOfCampaign(campaign=spec.id, reason=reason, on_end=on_end, removed=removed, error=error)


def deleted_campaigns(ledger: Ledger, present: Collection[str], at: datetime) -> list[str]:
    """Campaigns that have run and whose file is gone for good, as far as one can tell; none where no file is left at all.

    One that a file is about to take over is `present`.
    """
    return ended_campaigns.missing(ledger, present, at=at, before=at - DELETED_AFTER) if present else []


def _carry_out(
    resources: CampaignResources, campaign: int, at: datetime, sleep: Callable[[float], None]
) -> tuple[int, str | None]:
    """How many members were removed, and what stood in the way."""
    match resources.spec.campaign.when.on_end:
        case "unlink":
            return 0, "; ".join(take_back(resources, campaign=campaign, keep={})) or None
        case "empty" if known_audience(resources) is not None:
            return _empty(resources, campaign, at, sleep)
    return 0, None


def _empty(
    resources: CampaignResources, campaign: int, at: datetime, sleep: Callable[[float], None]
) -> tuple[int, str | None]:
    """Remove whom the campaign holds, as a run on record in which nobody is wanted; others' members stay."""
    timings = Timings(sleep)
    # Neither guards nor windows of the campaign are about its end; nobody needs an audience anew to see it emptied.
    request = RunRequest(external_id=f"end__{at.isoformat()}", at=at, allow=UNATTENDED)
    with resources.working():
        # One that was opened while this waited would be given up for dead.
        if runs.under_way(resources.ledger, campaign):
            what = f"a run of `{resources.spec.id}` has begun just now"
            raise CampaignBusyError(what=what, seconds=BUSY_SECONDS, campaign=resources.spec.id)
        try:
            run = timings.of("open_run", lambda: begin(resources, request))
        except AudienceDeletedError as error:
            return 0, error.found
        except FixAccessError as error:
            return 0, str(error)
        # What is left is sent as a whole only where it is not known who else is in.
        run = run.model_copy(update={"full_refresh": run.full_refresh and run.in_doubt is not None})
        summary = summary_of(
            to_its_end(resources, run, lambda: timings.of("plan", lambda: _plan(resources, run)), timings)
        )
    _log.info("%s", summary.in_words())
    postponed = request_counts.totals(resources.ledger, run.run).postponed
    refused = f"Facebook did not remove {postponed:,} rows: too few people would be left in the audience"
    unknown = (
        "; ".join(in_doubt.in_words(resources.spec, run, rows=0))
        if content.why_in_doubt(resources.ledger, run.audience)
        else None
    )
    return summary.outcomes.get("removed", 0), summary.error or (refused if postponed else unknown)


def _plan(resources: CampaignResources, run: RunRef) -> Plan:
    # A whole set sends anew whom other campaigns hold.
    since = opted_out_by_now(resources, run) if run.full_refresh else ()
    with compared(resources, run, (), action="mirror", opted_out_since=since) as (difference, counts):
        outcomes = outcomes_before_upload((), counts)
        return put_on_record(resources, run, (), difference, counts, outcomes=outcomes, rejected={}, found=False)

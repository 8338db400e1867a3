"""Expiry: members leave `keep_for` after the campaign added them, at its runs and by a run of its own kind in between.

Who still qualifies then is not added again before a run has found that they do not; a live campaign adds them again with
their next event.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from audiences.ledger import expiry, runs
from audiences.logs import logger
from audiences.pipeline.audience.on_record import known_audience
from audiences.pipeline.preconditions import approved
from audiences.pipeline.results import UNATTENDED, Plan, RunRef, RunRequest
from audiences.pipeline.run import Timings, summary_of, to_its_end
from audiences.pipeline.steps.compare import compared
from audiences.pipeline.steps.open_run import begin
from audiences.pipeline.steps.opt_out_again import opted_out_by_now
from audiences.pipeline.steps.plan import outcomes_before_upload
from audiences.pipeline.steps.put_on_record import put_on_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Summary

_log = logger(__name__)


def expire(resources: CampaignResources, *, sleep: Callable[[float], None] = time.sleep) -> Summary | None:
    """Take out the campaign's members whose time is up by now, as a run on record; None when there is nothing to do.

    A run of the campaign that is under way does it itself. Raises AudienceTakenError while another campaign changes the
    audience, and what keeps a run from being opened.
    """
    at = resources.now()
    keep_for, known, found = resources.spec.campaign.what.keep_for, known_audience(resources), resources.campaign()
    if keep_for is None or known is None or found is None:
        return None
    campaign = found.id
    if _under_way(resources, campaign):
        return None
    if not approved.in_force(resources, campaign):
        _log.info("this version of the campaign is not approved yet; nobody is taken out by it")
        return None
    since = at - keep_for.delta
    if not expiry.expiring(resources.ledger, audience=known.id, campaign=campaign, since=since).num_rows:
        return None
    timings = Timings(sleep)
    # Neither the campaign's guards nor its windows are about people whose time is up.
    request = RunRequest(external_id=f"expiry__{at.isoformat()}", at=at, allow=UNATTENDED)
    with resources.working():
        if _under_way(resources, campaign):  # it was opened while this one looked, or waited for it
            return None
        run = timings.of("open_run", lambda: begin(resources, request))
        return summary_of(
            to_its_end(resources, run, lambda: timings.of("plan", lambda: plan_expiry(resources, run)), timings)
        )


def _under_way(resources: CampaignResources, campaign: int) -> bool:
    under_way = runs.under_way(resources.ledger, campaign)
    if under_way:
        _log.info("a run of the campaign is under way, and takes out whose time is up")
    return under_way


def plan_expiry(resources: CampaignResources, run: RunRef) -> Plan:
    """Put the removals on record; nobody is wanted anew, and nobody leaves for another reason."""
    # A whole set sends anew whom other campaigns hold as well.
    since = opted_out_by_now(resources, run) if run.full_refresh else ()
    with compared(resources, run, (), action="add", opted_out_since=since) as (difference, counts):
        return put_on_record(
            resources,
            run,
            (),
            difference,
            counts,
            outcomes=outcomes_before_upload((), counts),
            rejected={},
            found=False,
        )

"""Expiry: members leave `keep_for` after the campaign added them, at its runs and by a run of its own kind in between.

Who still qualifies then is not added again before a run has found that they do not; a live campaign adds them again with
their next event.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from audiences.ledger import expiry, runs
from audiences.logs import logger
from audiences.pipeline.audience import known_audience
from audiences.pipeline.open_run import begin
from audiences.pipeline.plan import compared, outcomes_before_upload, put_on_record
from audiences.pipeline.references import UNATTENDED, Planned, RunRef, RunRequest, Summary
from audiences.pipeline.whole import Timings, summary_of, to_its_end

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.pipeline.doors import Doors

_log = logger(__name__)


def expire(doors: Doors, *, sleep: Callable[[float], None] = time.sleep) -> Summary | None:
    """Take out the campaign's members whose time is up by now, as a run on record; None when there is nothing to do.

    A run of the campaign that is under way does it itself. Raises AudienceTakenError while another campaign changes the
    audience, and what keeps a run from being opened.
    """
    at = doors.now()
    keep_for, known, found = doors.spec.campaign.what.keep_for, known_audience(doors), doors.campaign()
    if keep_for is None or known is None or found is None:
        return None
    campaign = found.id
    if runs.under_way(doors.ledger, campaign):
        _log.info("a run of the campaign is under way, and takes out whose time is up")
        return None
    since = at - keep_for.delta
    if not expiry.expiring(doors.ledger, audience=known.id, campaign=campaign, since=since).num_rows:
        return None
    timings = Timings(sleep)
    # Neither the campaign's guards nor its windows are about people whose time is up.
    request = RunRequest(external_id=f"expiry__{at.isoformat()}", at=at, allow=UNATTENDED)
    with doors.working():
        run = timings.of("open_run", lambda: begin(doors, request))
        return summary_of(to_its_end(doors, run, lambda: timings.of("plan", lambda: plan_expiry(doors, run)), timings))


def plan_expiry(doors: Doors, run: RunRef) -> Planned:
    """Put the removals on record; nobody is wanted anew, and nobody leaves for another reason."""
    with compared(doors, run, (), action="add") as (difference, counts):
        return put_on_record(
            doors, run, (), difference, counts, outcomes=outcomes_before_upload((), counts), rejected={}, found=False
        )

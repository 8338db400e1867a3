"""Close a run: final outcome counts that reconcile, the record closed, the audience released, staging gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.errors import AudiencesError, FixAccessError, RetryError
from audiences.facebook import custom_audiences as facebook_audiences
from audiences.ledger import (
    audience_revisions,
    audiences_in_doubt,
    chunks,
    identifier_keys,
    known_audiences,
    members,
    replace_sessions,
    request_counts,
    run_timings,
    runs,
    staged_runs,
)
from audiences.ledger.audience_revisions import Holding
from audiences.logs import logger
from audiences.pipeline.audience import in_doubt
from audiences.pipeline.audience.on_record import note_status
from audiences.pipeline.results import AudienceSize, Summary, Would
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.pipeline.steps.link_ad_sets import not_as_wanted
from audiences.pipeline.steps.outcomes_at_the_end import outcomes_at_the_end
from audiences.pipeline.steps.verdict import judge
from audiences.run_folders import clear

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Plan, RunRef

_log = logger(__name__)


def close_run(
    resources: CampaignResources,
    run: RunRef,
    planned: Plan | None,
    *,
    timings: Mapping[str, float] | None = None,
    ad_sets: bool = True,
    scope: Scope = EVERYBODY,
) -> Summary:
    """End the run on record with its outcomes; `planned` is None when it did not get that far.

    Whether it succeeded follows from the record: everything planned was acknowledged, and where the run was about
    `ad_sets` too, they are as the file says. A plan that is not on record is one of before the run was cleared. Raises
    UnreconciledError when the outcome counts do not add up, which no correct run does.
    """
    ledger = resources.ledger
    totals, noted = request_counts.totals(ledger, run.run), runs.noted(ledger, run.run)
    # What is on record may be counts alone, of a run that was not approved; then the plan is one of an earlier attempt.
    on_record = "begun_unsent" in noted.planned
    partly_cleared = planned is not None and not on_record
    planned = planned if on_record else None
    outcomes, rekeyed = outcomes_at_the_end(resources, run, planned, totals, noted)
    verdict = judge(
        totals,
        noted,
        planned=planned is not None,
        partly_cleared=partly_cleared,
        quarantined=planned.quarantined if planned else 0,
    )
    if verdict.uploaded and ad_sets:
        verdict = verdict.with_ad_sets(not_as_wanted(resources, run))
    runs.warn(ledger, run.run, verdict.warnings)
    rejected = runs.reject(ledger, run.run, totals.rejected)
    complete = verdict.uploaded and not totals.rejected
    size, as_planned = _members(resources, run, planned, complete=complete)
    runs.end(
        ledger,
        run.run,
        state=verdict.state,
        outcomes=outcomes.as_dict(),
        requests=totals.requests,
        timings=dict(timings or {}),
        error=verdict.error,
        size=size,
        rekeyed=rekeyed,
    )
    if verdict.uploaded:
        _note_uploaded(resources, run, planned, scope)
        if planned and planned.remembered and complete and as_planned:
            _remember(resources, run, planned)
    _release(resources, run, sent=totals.requests > 0)
    return Summary(
        run=run.run,
        campaign=resources.spec.id,
        state=verdict.state,
        at=run.at,
        outcomes=outcomes.as_dict(),
        rekeyed=rekeyed,
        requests=totals.requests,
        audience=AudienceSize(id=run.facebook_id, members=size),
        action=resources.spec.campaign.what.audience.action,
        would=_would(noted.planned) if planned is None else None,
        rejected=rejected,
        timings=run_timings.of_run(ledger, run.run),
        error=verdict.error,
        warnings=tuple(runs.noted(ledger, run.run).warnings),
    )


def _remember(resources: CampaignResources, run: RunRef, planned: Plan) -> None:
    """Remember whom the run found; not where the store of the staged rows is away or refuses, since the run itself is over."""
    from audiences.pipeline.steps.known import remember  # without it, closing a run needs no Arrow

    try:
        remember.put_on_record(resources, run, planned)
    except (RetryError, FixAccessError) as error:
        _log.warning("whom the run found is not remembered, so the next one looks at everybody: %s", error)


def _release(resources: CampaignResources, run: RunRef, *, sent: bool) -> None:
    """Leave the audience to other campaigns, and no staged rows but those of requests whose fate is unknown."""
    ledger = resources.ledger
    if sent:  # else it is as it was when the run was opened
        _note_status(resources, run)
    if not runs.another_has_begun(ledger, campaign=run.campaign, run=run.run):  # the claim is that one's by now
        known_audiences.release(ledger, run.audience, run.campaign)
    if not chunks.of_unknown_fate(ledger, run.audience) and not replace_sessions.unfinished(ledger, run.audience):
        _clear_staging(resources, run)


def _clear_staging(resources: CampaignResources, run: RunRef) -> None:
    """Remove the staged rows; where their store is away or refuses, that is left to the daily upkeep: the run itself is over."""
    try:
        clear(run.staging, root=resources.spec.staging)
        staged_runs.cleared(resources.ledger, [run.run])
    except (RetryError, FixAccessError) as error:
        _log.warning("the staged rows of the run are left to the daily upkeep, which removes them: %s", error)


def _note_uploaded(resources: CampaignResources, run: RunRef, planned: Plan | None, scope: Scope) -> None:
    """Put on record what a complete upload ends: a change of identifiers, what the scope waits for, a doubt about nobody."""
    if planned and planned.complete:
        identifier_keys.moved(resources.ledger, campaign=run.campaign, audience=run.audience)
    scope.uploaded(resources.ledger, run=run.run)
    if run.in_doubt and resources.spec.campaign.what.audience.action == "remove_matching":
        _end_doubt_of_nobody(resources, run)


def _would(counted: Mapping[str, int]) -> Would | None:
    return Would(added=counted["begun"], removed=counted["leaving"]) if "leaving" in counted else None


def _members(resources: CampaignResources, run: RunRef, planned: Plan | None, *, complete: bool) -> tuple[int, bool]:
    """The rows of the audience, and whether it holds what was planned: it does if so many memberships are on record.

    `complete`: it is known that it was. So is a figure that was counted; either is put on record for the next comparison.
    """
    ledger, audience = resources.ledger, run.audience
    # What nobody changes meanwhile need not be counted again by the next run.
    now = audience_revisions.newest(ledger, audience)
    known = audience_revisions.memberships(ledger, audience)
    memberships = members.memberships(ledger, audience) if known is None else known
    as_planned = planned is not None and planned.after.memberships == memberships
    rows = planned.after.rows if planned and as_planned else members.count(ledger, audience)
    if complete or not as_planned:
        audience_revisions.count(ledger, audience, at=now, holding=Holding(memberships=memberships, rows=rows))
    return rows, as_planned


def _end_doubt_of_nobody(resources: CampaignResources, run: RunRef) -> None:
    """All who match were sent for removal again; unless members of other campaigns are in doubt, nothing is any more."""
    if not members.memberships(resources.ledger, run.audience):
        audiences_in_doubt.end(resources.ledger, run.audience)


def _note_status(resources: CampaignResources, run: RunRef) -> None:
    try:
        status = facebook_audiences.read(resources.facebook, run.facebook_id)
    except AudiencesError as error:  # the run itself is over; the next one will ask again
        _log.warning("the audience's status could not be read: %s", error)
        return
    if doubted := in_doubt.check_content(resources.ledger, run.audience, status, under_way=True):
        runs.warn(resources.ledger, run.run, [f"while the run was under way: {doubted}. The next run sees to it"])
    note_status(resources.ledger, run.audience, status)

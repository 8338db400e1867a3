"""Preview: what a run would do right now, counted on the real data; nothing is written anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.errors import (
    AudiencesError,
    FacebookAccessError,
    FixAccessError,
    FixConfigError,
    RefusedError,
    RetryError,
    StoppedError,
    WaitError,
)
from audiences.ledger import formerly
from audiences.pipeline.audience import shared_audience
from audiences.pipeline.audience.in_doubt import rehearse as rehearse_doubt
from audiences.pipeline.audience.left_behind import told_left_behind
from audiences.pipeline.audience.on_record import NOBODY, known_audience
from audiences.pipeline.audience.ownership import NotOursError
from audiences.pipeline.audience.standing import ensure_not_deleted, find_audience
from audiences.pipeline.live.rehearse import rehearsal_of
from audiences.pipeline.person.masked_cells import masked_cells
from audiences.pipeline.preconditions import approved
from audiences.pipeline.preconditions.event_misfits import event_misfits
from audiences.pipeline.preconditions.in_force import LIFT as NOT_IN_FORCE
from audiences.pipeline.preconditions.in_force import told_not_in_force
from audiences.pipeline.preconditions.known_ids import LIFT, stop, unknown_ids
from audiences.pipeline.preconditions.same_clock import ensure_same_clock
from audiences.pipeline.preconditions.unmatched import advised, unmatched
from audiences.pipeline.results import DOUBT
from audiences.pipeline.staging import Staging, candidates_file
from audiences.pipeline.steps.compare import compared
from audiences.pipeline.steps.opt_out_again import opted_out_by_now
from audiences.pipeline.steps.plan import check_guards, outcomes_before_upload
from audiences.pipeline.steps.preview_report import Changes, Preview, SampleUser
from audiences.pipeline.steps.put_on_record import rows_to_replace
from audiences.pipeline.steps.rehearsed import rehearsed
from audiences.pipeline.steps.users_query import users_query
from audiences.pipeline.upload.full_refresh import ReplaceTooLongError, ensure_ours
from audiences.pipeline.upload.requests import percent_of_quota, requests_for
from audiences.when.never import never
from audiences.who.outcomes import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audiences.pipeline.audience.standing import Standing
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef, Selected
    from audiences.what.changes import Counts

SAMPLES = 5


def statement(resources: CampaignResources, at: datetime) -> str:
    """The statement that finds everybody who qualifies, as a run sends it.

    One of a live campaign names its users besides, and one that remembers users asks for fingerprints.
    """
    with resources.warehouse() as warehouse:
        return users_query(warehouse, resources.spec, at).text


def preview(
    resources: CampaignResources,
    at: datetime,
    *,
    ask_facebook: bool = False,
    full_refresh: bool = False,
    allow: frozenset[str] = frozenset(),
) -> Preview:
    """Outcome counts, rows to add and remove, requests, and a few users with their identifiers masked.

    `resources` must be `read_only`. What would stop the run is told, not raised. Facebook is asked whose the audience is, as a
    run does; with `ask_facebook` the changes to ad sets are judged by it too (validated, not made). `full_refresh` and the
    guards under `allow` are those of the run that is rehearsed.
    """
    entering = rehearsal_of(resources, at)
    with rehearsed(resources, at, users=entering.users if entering else None) as (run, extracted, selected):
        run = run.model_copy(update={"full_refresh": run.full_refresh or full_refresh, "allow": allow})
        stopped, warnings, standing = obstacle(resources, full_refresh=run.full_refresh, allow=allow)
        nobody_has, lists = unmatched(resources), unknown_ids(resources)
        if LIFT not in allow and (nobody := next((each for each in lists if each.stops), None)):
            stopped = stopped or str(stop(resources, nobody))
        warnings = (*warnings, *map(str, lists))
        if standing and standing.known and standing.status and DOUBT not in allow:
            run = rehearse_doubt(resources.ledger, run, standing.known, standing.status)
        since = opted_out_by_now(resources, run) if run.full_refresh else ()
        with compared(resources, run, selected, now=at, opted_out_since=since) as (difference, counts):
            try:
                check_guards(resources.spec, run, extracted, counts)
                rows, said = rows_to_replace(resources, run, difference)
            except StoppedError as error:
                rows, said, stopped = 0, [], stopped or str(advised(error, nobody_has))
            except ReplaceTooLongError as error:
                rows, said, stopped = 0, [], stopped or str(error)
        other_clock, unknown_clock = _clock(resources)
        requests = requests_for(rows) if rows else requests_for(counts.add) + requests_for(counts.remove)
        return Preview(
            campaign=resources.spec.id,
            at=at,
            outcomes=_outcomes(selected, counts).as_dict(),
            rekeyed=counts.rekeyed,
            changes=Changes(add=counts.add, remove=counts.remove),
            requests=requests,
            quota_percent=percent_of_quota(requests),
            audience=run.facebook_id or None,
            stopped=other_clock or stopped,
            rejected=extracted.rejected,
            samples=_samples(run, selected),
            action=resources.spec.campaign.what.audience.action,
            ad_sets=(*unknown_clock, *(_ad_sets(resources, run) if ask_facebook else ())),
            events=entering.events if entering else {},
            unmatched=nobody_has,
            warnings=(*extracted.misfits, *event_misfits(resources, at), *warnings, *said, *_warnings(resources, run)),
        )


def _outcomes(selected: Sequence[Selected], counts: Counts) -> Outcomes:
    """Those of a run that Facebook refuses nothing of."""
    decided = outcomes_before_upload(selected, counts)
    return Outcomes(
        **{**decided, "kept": decided["kept"] + counts.rekeyed},
        added=counts.begun - counts.rekeyed - counts.quarantined,
        failed=counts.quarantined,
        removed=counts.gone,
    )


def _ad_sets(resources: CampaignResources, run: RunRef) -> Iterator[str]:
    from audiences.pipeline.steps.link_ad_sets import rehearse  # a rehearsed run's alone

    return rehearse(resources, run)


def _clock(resources: CampaignResources) -> tuple[str | None, tuple[str, ...]]:
    """What stops a run whose hours cannot go onto its ad sets, and what is not known of that, in sentences."""
    try:
        ensure_same_clock(resources)
    except (RetryError, WaitError) as error:
        return None, (f"whether the ad account keeps the campaign's time zone is not known: {error}",)
    except (FixAccessError, RefusedError) as error:
        return f"stopped before anything is sent: {error}", ()
    return None, ()


def _warnings(resources: CampaignResources, run: RunRef) -> Iterator[str]:
    """What a run would put on record for people to look at, as far as the file and the ledger tell."""
    if why := never(resources.spec):
        yield why
    if NOT_IN_FORCE not in run.allow:
        yield from told_not_in_force(resources, run.at)
    campaign = resources.campaign()
    number = campaign.id if campaign else NOBODY
    if resources.spec.campaign.status == "published" and not approved.in_force(resources, number):
        yield "a run would ask for an approval first: nobody has approved this version of the campaign"
    waiting = formerly.to_take_over(resources.ledger, resources.spec.id, resources.spec.campaign.formerly)
    if waiting:
        yield (
            f"a run would take over campaign `{waiting.name}` first, with its members, control group and history; "
            "the figures are those after that"
        )
    yield from shared_audience.check_formerly(resources)
    if known := known_audience(resources):
        yield from shared_audience.warnings(resources, campaign=run.campaign, audience=known)
        yield from told_left_behind(resources, run.campaign, known)


def obstacle(
    resources: CampaignResources, *, full_refresh: bool, allow: frozenset[str]
) -> tuple[str | None, tuple[str, ...], Standing | None]:
    """What about the audience would stop a run, in a sentence; a warning when Facebook cannot be asked; else what it says."""
    try:
        standing = find_audience(resources)
        ensure_not_deleted(resources, standing, allow)
        if full_refresh and resources.spec.campaign.what.audience.update and standing.status:
            ensure_ours(resources, standing.status.id, standing.known)
    except (NotOursError, FacebookAccessError, FixConfigError, StoppedError) as error:
        return str(error), (), None
    except AudiencesError as error:
        return None, (f"Facebook could not be asked about the audience: {error}",), None
    return None, (), standing


def _samples(run: RunRef, selected: Sequence[Selected]) -> tuple[SampleUser, ...]:
    if not selected:
        return ()
    staged = Staging(run.staging).dataset(*(candidates_file(part.number) for part in selected))
    return tuple(
        SampleUser(
            user=row["user_id"],
            identifiers=masked_cells(row["identifiers"]),
        )
        for row in staged.head(SAMPLES, columns=["user_id", "identifiers"]).to_pylist()
    )

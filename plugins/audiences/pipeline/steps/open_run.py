"""Open a run: put it on record, find or create the audience, resolve the requests of unknown fate that an earlier crash left."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING

from audiences.errors import AudiencesError, StoppedError, UnsupportedError
from audiences.facebook.status import Reaction
from audiences.ledger import (
    audiences_in_doubt,
    chunks,
    content,
    ended_campaigns,
    formerly,
    known_audiences,
    live_campaigns,
    replace_sessions,
    runs,
    staged_runs,
)
from audiences.ledger.runs import RunState
from audiences.object_store import Folder
from audiences.pipeline.audience import in_doubt, shared_audience
from audiences.pipeline.audience.left_behind import told_left_behind
from audiences.pipeline.audience.on_record import note_status
from audiences.pipeline.audience.standing import find_or_create
from audiences.pipeline.preconditions import approved, export_windows
from audiences.pipeline.preconditions.event_misfits import event_misfits
from audiences.pipeline.preconditions.in_force import ensure_in_force, too_early
from audiences.pipeline.preconditions.known_ids import ensure_known
from audiences.pipeline.preconditions.readable_properties import ensure_readable_properties
from audiences.pipeline.preconditions.same_clock import ensure_same_clock
from audiences.pipeline.preconditions.staged_here import ensure_seen, home, root_of
from audiences.pipeline.results import DOUBT, RunRef, RunRequest
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.pipeline.steps.allow_once import how_to_allow
from audiences.pipeline.steps.link_ad_sets import take_back_dropped
from audiences.pipeline.steps.preflight import preflight
from audiences.pipeline.upload import full_refresh
from audiences.pipeline.upload.resolve_unknown import resolve_unknown
from audiences.query.render import render
from audiences.run_folders import run_folder
from audiences.store_faults import store_told
from audiences.who.freshness import newest_event

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.known_audiences import KnownAudience
    from audiences.ledger.runs import EndedState
    from audiences.pipeline.resources import CampaignResources
    from audiences.warehouse.reader import Warehouse


TAKEN_OVER = (
    "took over campaign `{}`, whose file is renamed to this one: its members, control group and history go on here"
)


def open_run(resources: CampaignResources, request: RunRequest, *, scope: Scope = EVERYBODY) -> RunRef:
    """Start the run, or take up the one of the same `external_id` again; nobody's membership is decided here yet.

    Raises NotInForceError for a campaign that is a draft, stopped or over, OutsideWindowsError while its windows are closed,
    NotApprovedError for a version that must be approved first and is not, unless the run may ask,
    PreflightError for what a person must put right at Facebook, StoppedError when the warehouse is staler than
    `fresh_within` allows, AudienceTakenError while another campaign changes the audience, and what the calls to Facebook raise.
    """
    check_supported(resources.spec, scope)
    ensure_in_force(resources, request, scope)
    export_windows.ensure_open(resources, request.allow, may_drop=True)
    if not request.may_ask:
        approved.ensure_in_force(resources)
    run = begin(resources, request, asks=scope)
    runs.warn(resources.ledger, run.run, too_early(resources.spec, request))
    ended_campaigns.forget(resources.ledger, run.campaign)
    if scope.everybody:  # it may have been a live one up to now
        live_campaigns.forget(resources.ledger, [run.campaign], at=request.at)
    return run


def begin(resources: CampaignResources, request: RunRequest, *, asks: Scope | None = None) -> RunRef:
    """Start a run of whatever kind, when it may take place.

    One that `asks` who of a scope qualifies, and links ad sets, only if the warehouse answers and the ad sets can be
    scheduled; members go in time whether there is a warehouse or not, unless somebody may be uploaded: it says who has opted out.
    """
    spec, ledger = resources.spec, resources.ledger
    with resources.working() as known:
        campaign = known.id
        renamed = formerly.taken_over_since_last_run(ledger, campaign)
        folder = run_folder(spec.staging, spec.id, request.external_id)
        run = _start(resources, request, campaign=campaign, salt=known.salt, staging=folder)
        try:
            staged_on = _staged_on(resources, run, folder)
            runs.warn(ledger, run, [*map(TAKEN_OVER.format, renamed), *shared_audience.check_formerly(resources)])
            runs.warn(ledger, run, preflight(resources))
            if asks:
                _ensure_can_ask(resources, request, asks, run=run)
            audience = _claimed(resources, request, campaign=campaign, run=run)
            doubted = content.why_in_doubt(ledger, audience.id)
            refreshed = full_refresh.wanted(resources, request, audience, in_doubt=doubted is not None)
        except Exception as error:
            resources.ensure_not_newer(error)
            state: EndedState = RunState.STOPPED if isinstance(error, StoppedError) else RunState.FAILED
            runs.end(ledger, run, state=state, error=runs.error_text(error))
            _note_if_nothing_is_staged(resources, run, folder)
            raise
        with ledger.sql.transaction():
            replace_sessions.drop_planned(ledger, audience.id)
            chunks.drop_planned(ledger, audience.id, but_run=run)
    return RunRef(
        run=run,
        campaign=campaign,
        salt=known.salt,
        audience=audience.id,
        facebook_id=audience.facebook_id,
        at=request.at,
        staging=folder,
        staged_on=staged_on,
        allow=request.allow,
        full_refresh=refreshed,
        in_doubt=doubted,
    )


def _start(resources: CampaignResources, request: RunRequest, *, campaign: int, salt: str, staging: str) -> int:
    """Put the run on record and give up those that were left; returns its number."""
    spec = resources.spec
    run = runs.start(
        resources.ledger,
        campaign=campaign,
        external_id=request.external_id,
        digest=spec.digest,
        config=spec.campaign.model_dump(mode="json", by_alias=True, exclude_unset=True),
        control_terms=spec.control_terms(salt),
        as_of=request.at,
        now=resources.now(),
        due=request.due,
        staging=staging,
    )
    runs.abandon_others(resources.ledger, campaign=campaign, run=run)
    return run


def _staged_on(resources: CampaignResources, run: int, folder: str) -> str:
    """Where the run stages its rows, on record from now on; raises StagedElsewhereError where it has begun to on another disk."""
    here = home(root_of(folder), make=True) or ""
    staged_on = staged_runs.begin(resources.ledger, run, here)
    ensure_seen(run, folder, staged_on)
    return staged_on


def _note_if_nothing_is_staged(resources: CampaignResources, run: int, folder: str) -> None:
    """A run that was not opened seldom has staged anything; one that was taken up again may have, in an earlier attempt."""
    with suppress(AudiencesError, OSError), store_told():  # what ended the run is told, and nothing else
        if not Folder.of(folder).names():
            staged_runs.cleared(resources.ledger, [run])


def _ensure_can_ask(resources: CampaignResources, request: RunRequest, scope: Scope, *, run: int) -> None:
    """See that ad sets can be scheduled and the warehouse answers; warn of what the campaign names and nobody has."""
    ensure_same_clock(resources)
    open_warehouse(resources, request)
    if scope.everybody:  # every few seconds it would be a look at all users for a few of them
        runs.warn(resources.ledger, run, ensure_known(resources, request.allow))
        runs.warn(resources.ledger, run, event_misfits(resources, request.at))


def _claimed(resources: CampaignResources, request: RunRequest, *, campaign: int, run: int) -> KnownAudience:
    """The campaign's audience, which no other campaign changes now, with what earlier runs left undecided resolved."""
    ledger = resources.ledger
    audience, status = find_or_create(resources, campaign, run=run, request=request)
    if status.reaction is Reaction.WARN:
        runs.warn(ledger, run, [f"audience {audience.facebook_id}: {status.advice}"])
    note_status(ledger, audience.id, status)
    known_audiences.claim(ledger, audience.id, campaign)
    runs.warn(ledger, run, told_left_behind(resources, campaign, audience, run=run))
    newly = in_doubt.check_content(ledger, audience.id, status) is not None
    if DOUBT in request.allow:
        audiences_in_doubt.end(ledger, audience.id)
    runs.warn(ledger, run, resolve_unknown(resources, audience, anew=newly))
    runs.warn(ledger, run, shared_audience.warnings(resources, campaign=campaign, audience=audience))
    if approved.in_force(resources, campaign):  # else `plan` does it, once somebody has approved
        take_back_dropped(resources, campaign=campaign, audience=audience.id)
    return audience


def check_supported(spec: CampaignSpec, scope: Scope = EVERYBODY) -> None:
    """Raise UnsupportedError for a campaign that must not run as if a key of its file were not there."""
    # Its `who` is a condition on the users of events; by itself it may well mean every user there is.
    if spec.campaign.qualification == "live" and scope.everybody:
        raise UnsupportedError(key="qualification: live")


def open_warehouse(resources: CampaignResources, request: RunRequest) -> None:
    """Check before anything is made at Facebook that the warehouse lets us in, can read what is asked, and is fresh enough.

    Raises StoppedError when the newest event is older than the guard `fresh_within` allows, and what
    `ensure_readable_properties` raises.
    """
    with resources.warehouse() as warehouse:
        ensure_readable_properties(resources, warehouse, request.at)
        check_freshness(resources, request, warehouse)


def check_freshness(resources: CampaignResources, request: RunRequest, warehouse: Warehouse) -> None:
    """The guard `fresh_within`: raises StoppedError when the newest event is older."""
    limit = resources.spec.campaign.what.guards.fresh_within
    events = resources.spec.catalog.events
    if limit is None or events is None or "fresh_within" in request.allow:
        return
    newest = warehouse.table(render(newest_event(events, request.at))).column("newest")[0].as_py()
    if newest is None or newest.astimezone(UTC) < request.at.astimezone(UTC) - limit.delta:
        found = f"the newest event in the warehouse is of {newest or 'never'}, older than {limit}"
        raise StoppedError(
            guard="fresh_within", found=found, allow_once=how_to_allow(resources.spec.id, "fresh_within")
        )

"""Plan: what the run sends by the difference to what is held, unless a guard forbids it; then all of it goes on record."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from audiences.errors import AudiencesError, StoppedError
from audiences.ledger import approvals, known_audiences, runs
from audiences.pipeline.preconditions import approved
from audiences.pipeline.preconditions.not_overtaken import ensure_not_overtaken
from audiences.pipeline.preconditions.unmatched import advising
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.pipeline.steps.allow_once import how_to_allow
from audiences.pipeline.steps.compare import compared
from audiences.pipeline.steps.figures import figures_of
from audiences.pipeline.steps.known.stage_snapshot import prepare
from audiences.pipeline.steps.opt_out_again import opted_out_by_now
from audiences.pipeline.steps.put_on_record import put_on_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.approvals import Question
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Extracted, KeptUsers, Plan, RunRef, Selected
    from audiences.what.changes import Counts
    from audiences.what.difference import Difference


def plan(
    resources: CampaignResources,
    run: RunRef,
    extracted: Extracted,
    selected: Sequence[Selected],
    *,
    scope: Scope = EVERYBODY,
) -> Plan:
    """Decide what the run sends and put it on record, all or nothing.

    Raises StoppedError for a guard, NotApprovedError for a version that must be approved and is not, ReplaceTooLongError for
    a full refresh that one session cannot carry, OvertakenError when another run of the campaign has begun, and
    AudienceTakenError when another campaign has begun to change the audience: to find users, or to wait for an answer, may take
    longer than a claim lasts.
    """
    approved.ensure_as_opened(resources, run.run)
    ensure_not_overtaken(resources, run)
    known_audiences.claim(resources.ledger, run.audience, run.campaign)
    runs.warn(resources.ledger, run.run, extracted.misfits)
    asks = not approved.in_force(resources, run.campaign)
    # Of another attempt too, which has put the approval in force and went no further.
    question = approvals.of_run(resources.ledger, run.run) if resources.spec.campaign.approval else None
    # What was approved is what is sent: the difference as of when it was shown, but for those who have opted out since. So it is
    # for a later try of this step, when the approval is in force already; a run that was opened anew has asked nothing since.
    now = question.asked_at if question and (asks or question.asked_at >= run.at) else None
    if asks:
        with _guarded(resources, run, extracted, selected, now=now) as (difference, counts, outcomes):
            figures = figures_of(run, selected, difference, counts, outcomes)
            _go_on_approved(resources, run, question, shown=figures.shown(resources.spec.digest))
    # A full refresh sends members anew whom the run need not have found, so it has to know all who have opted out.
    since = opted_out_by_now(resources, run) if question or run.full_refresh else ()
    with _guarded(resources, run, extracted, selected, now=now, opted_out_since=since) as (
        difference,
        counts,
        outcomes,
    ):
        return put_on_record(
            resources,
            run,
            selected,
            difference,
            counts,
            outcomes=outcomes,
            rejected=extracted.rejected,
            scope=scope,
            remember=prepare(run, extracted, selected, difference, counts),
        )


@contextmanager
def _guarded(
    resources: CampaignResources,
    run: RunRef,
    extracted: Extracted,
    selected: Sequence[Selected],
    *,
    now: datetime | None,
    opted_out_since: Sequence[str] = (),
) -> Iterator[tuple[Difference, Counts, dict[str, int]]]:
    """The difference that no guard forbids, with the outcomes before the upload; they are on record if the run ends here."""
    kept = extracted.kept
    with compared(resources, run, selected, kept=kept, now=now, opted_out_since=opted_out_since) as (
        difference,
        counts,
    ):
        outcomes = outcomes_before_upload(selected, counts, kept=kept)
        try:
            with advising(resources):
                check_guards(resources.spec, run, extracted, counts)
            yield difference, counts, outcomes
        except AudiencesError:
            runs.counted(resources.ledger, run.run, {**outcomes, "begun": counts.begun, "leaving": counts.gone})
            raise


def _go_on_approved(resources: CampaignResources, run: RunRef, question: Question | None, *, shown: str) -> None:
    """Verify the answer, and do what `open_run` left undone for want of one."""
    approved.verify(resources, run.campaign, question, shown=shown)
    from audiences.pipeline.steps.link_ad_sets import take_back_dropped  # after a question to people alone

    take_back_dropped(resources, campaign=run.campaign, audience=run.audience)


def check_guards(spec: CampaignSpec, run: RunRef, extracted: Extracted, counts: Counts) -> None:
    """Raise StoppedError for the first guard that forbids the upload and is not allowed this once."""
    guards, live = spec.campaign.what.guards, spec.campaign.qualification == "live"
    removal = 100 * counts.left / counts.held if counts.held else 0
    broken = {
        # Of the users of a few events everybody may have ceased to qualify.
        "allow_empty": (not guards.allow_empty and extracted.rows == 0 and not live, "the query found nobody"),
        "skip_run_above": (
            guards.skip_run_above is not None and counts.targeted > guards.skip_run_above,
            f"{counts.targeted:,} targets are more than {guards.skip_run_above or 0:,}",
        ),
        "max_removal": (
            removal > guards.max_removal,
            f"{counts.left:,} of {counts.held:,} members ({removal:.1f} %) would be removed; "
            f"at most {guards.max_removal} % are allowed",
        ),
    }
    for guard, (stops, found) in broken.items():
        if stops and guard not in run.allow:
            raise StoppedError(guard=guard, found=found, allow_once=how_to_allow(spec.id, guard))


def outcomes_before_upload(
    selected: Sequence[Selected], counts: Counts, *, kept: KeptUsers | None = None
) -> dict[str, int]:
    """Users by outcome as far as it is decided before anything is sent; `begun` are still to be added.

    The `kept` come to those who were selected. Candidates who are not among those compared have opted out since.
    """
    decided: Counter[str] = Counter(candidate=kept.rows, **kept.outcomes) if kept else Counter()
    for part in selected:
        decided.update(part.outcomes)
    qualified = decided.total()
    if opted_out := decided.pop("candidate", 0) - counts.candidates:
        decided["opted_out"] += opted_out
    return {
        **decided,
        "over_cap": counts.candidates - counts.targeted,
        "targeted": counts.targeted,
        "kept": counts.targeted - counts.begun,
        "qualified": qualified,
    }

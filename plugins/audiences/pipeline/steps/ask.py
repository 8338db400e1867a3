"""Ask: what a run would do goes on record as a question to people, before anything of it is planned.

Nothing is planned yet, so that a rejected run has assigned nobody and leaves no trace among the members.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from audiences.campaign.describe import in_words
from audiences.campaign.phrases import codes, plain
from audiences.campaign.wording import counted
from audiences.ledger import approvals, runs
from audiences.ledger.approvals import ApprovalState
from audiences.pipeline.preconditions.approved import in_force
from audiences.pipeline.preconditions.unmatched import advising
from audiences.pipeline.steps.compare import compared
from audiences.pipeline.steps.figures import figures_of, table
from audiences.pipeline.steps.plan import check_guards, outcomes_before_upload
from audiences.when.upcoming import run_times

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.approvals import Question
    from audiences.ledger.runs import LastSent
    from audiences.pipeline.preconditions.approved import NotApprovedError
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Extracted, RunRef, Selected
    from audiences.pipeline.steps.figures import Figures

_DATE = "%a %d %b %Y, %H:%M %Z"
_LIVE = (
    "This is a live campaign. What is approved are its rules, for every event to come; the figures are those of the events of "
    "the last 24 hours. Events wait for the answer."
)


def ask(
    resources: CampaignResources,
    run: RunRef,
    extracted: Extracted,
    selected: Sequence[Selected],
    *,
    asked_in: str,
    doubts: Sequence[str] = (),
) -> Question | None:
    """Put the question on record whether the run may send; None when this version of the campaign needs no answer.

    `asked_in` is the id of the DAG run; `doubts` say who cannot answer. Raises StoppedError for a guard: nobody is asked about
    what would not be sent.
    """
    ledger, spec, at = resources.ledger, resources.spec, resources.now()
    if in_force(resources, run.campaign):
        return None
    with compared(resources, run, selected, now=at) as (difference, counts):
        decided = outcomes_before_upload(selected, counts)
        try:
            with advising(resources):
                check_guards(spec, run, extracted, counts)
            figures = figures_of(run, selected, difference, counts, decided)
        finally:
            # What the run has counted, should it end here.
            runs.counted(ledger, run.run, {**decided, "begun": counts.begun, "leaving": counts.gone})
    until = deadline(spec, at)
    last = runs.last_sent(ledger, run.campaign, but_run=run.run)
    warnings = (*doubts, *runs.noted(ledger, run.run).warnings, *extracted.misfits)
    approvals.ask(
        ledger,
        campaign=run.campaign,
        run=run.run,
        asked_in=asked_in,
        digest=spec.digest,
        shown=figures.shown(spec.digest),
        body=body(spec, figures, last, until=until, warnings=warnings),
        at=at,
        until=until,
    )
    return approvals.of_run(ledger, run.run)


def withdraw(resources: CampaignResources, question: Question, error: NotApprovedError) -> None:
    """Note why the run ends unsent, and what came of the question, unless that is on record."""
    close = {ApprovalState.LAPSED: approvals.lapse, ApprovalState.UNANSWERED: approvals.unanswered}
    if error.question in close and question.state in approvals.OPEN:
        close[error.question](resources.ledger, question.id, why=error.found)
    if question.run is not None:
        runs.note_error(resources.ledger, question.run, error)


def deadline(spec: CampaignSpec, at: datetime) -> datetime:
    """Until when the question stands: as the file says, and not beyond the next run, which asks with figures of its own."""
    approval = spec.campaign.approval
    until = at + approval.stands_for if approval else at
    return min(until, next((due for due in run_times(spec, at) if due > at), until))


def body(
    spec: CampaignSpec,
    figures: Figures,
    last: LastSent | None,
    *,
    until: datetime,
    warnings: Sequence[str] = (),
) -> str:
    """What is shown to whoever has to answer, as Markdown; no name of others in it is markup."""
    live = spec.campaign.qualification == "live"
    action, approval = spec.campaign.what.audience.action, spec.campaign.approval
    since = (
        f"since the last run that sent (run {last.id}, {last.at.astimezone(UTC):{_DATE}})"
        if last
        else "and this is the first time that the campaign sends"
    )
    who = f" Only {codes(approval.approvers)} may answer." if approval and approval.approvers else ""
    rows = counted(figures.add_rows + figures.remove_rows, "row")
    return "\n".join(
        [
            f"**{figures.difference(action)}**, {since}.",
            "",
            *((_LIVE, "") if live else ()),
            f"{rows} would be sent{', as the whole set' if figures.full_refresh else ''}. Nothing is sent before somebody "
            f"approves. The question stands until {until.astimezone(spec.zone):{_DATE}}; then the run ends and sends "
            f"nothing.{who} An approval holds for this version of the file (`{spec.digest[:12]}`) until it is edited.",
            "",
            *table(figures.outcomes, action),
            "",
            *(f"- Look at this: {plain(warning)}" for warning in warnings),
            "",
            in_words(spec),
        ]
    )

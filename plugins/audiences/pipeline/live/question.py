"""The question that a live campaign asks: once for each version of its file, by the first run of that version.

A question for each batch of events would be absurd, so what is approved are the rules; the figures are those of the events of the
last 24 hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.ledger import approvals, live_batches, runs
from audiences.ledger.approvals import ApprovalState
from audiences.pipeline.live.run_batch import LONGEST_PAUSE
from audiences.pipeline.preconditions import approved
from audiences.pipeline.steps.ask import body, deadline
from audiences.pipeline.steps.figures import Figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.errors import AudiencesError
    from audiences.ledger.approvals import Question
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.steps.preview_report import Preview

NO_RUN = 0  # no run of the ledger has this number


def needed(resources: CampaignResources, batch: int | None) -> bool:
    """Whether this version has to be approved first.

    Raises NotApprovedError for a `batch` of the dispatcher's when somebody rejected this very version: it would ask every hour.
    """
    with resources.working() as known:
        if approved.in_force(resources, known.id):
            return False
        last = next(iter(approvals.of_campaign(resources.ledger, known.id, limit=1)), None)
    again = last is None or last.digest != resources.spec.digest or last.state is not ApprovalState.REJECTED
    if again or batch is None or last is None:
        return True
    found = (
        f"{last.who} rejected this version of the campaign; edit its file, or trigger the DAG by hand to ask once more"
    )
    raise approved.not_approved(resources, found, question=ApprovalState.REJECTED)


def ask_live(
    resources: CampaignResources, preview: Preview, *, asked_in: str, batch: int | None, doubts: Sequence[str] = ()
) -> Question:
    """Put the question on record. The batch waits with it, and with the batch the events after it; `doubts` as in `ask`."""
    ledger, spec, at = resources.ledger, resources.spec, resources.now()
    outcomes, until = preview.outcomes, deadline(spec, at)
    figures = Figures(
        outcomes=outcomes,
        comes=outcomes["added"],
        goes=outcomes["removed"],
        to_control=0,
        add_rows=preview.changes.add,
        remove_rows=preview.changes.remove,
    )
    with resources.working() as known:
        last = runs.last_sent(ledger, known.id, but_run=NO_RUN)
        number = approvals.ask(
            ledger,
            campaign=known.id,
            run=None,
            asked_in=asked_in,
            digest=spec.digest,
            shown=figures.shown(spec.digest),
            body=body(spec, figures, last, until=until, warnings=(*doubts, *preview.warnings)),
            at=at,
            until=until,
        )
        if batch is not None:
            live_batches.postpone(ledger, batch, until=until)
    question = approvals.of_number(ledger, number)
    if question is None:
        message = f"question {number} has vanished from the ledger"
        raise RuntimeError(message)
    return question


def asked_in(resources: CampaignResources, dag_run: str) -> Question:
    """The question of that DAG run. Raises NotApprovedError where there is none."""
    with resources.working() as known:
        question = approvals.asked_in(resources.ledger, campaign=known.id, dag_run=dag_run)
    if question is None:
        raise approved.not_approved(resources, "the run has no question on record")
    return question


def put_in_force(resources: CampaignResources, question: Question) -> None:
    """Verify the answer, by the record; raises NotApprovedError."""
    with resources.working() as known:
        on_record = approvals.of_number(resources.ledger, question.id)
        approved.verify(resources, known.id, on_record, shown=question.shown)


def wait_on(resources: CampaignResources, batch: int | None, error: AudiencesError) -> None:
    """Leave the batch alone for a while, since nobody approved; its events are kept."""
    if batch is not None:
        until = resources.now() + LONGEST_PAUSE
        live_batches.postpone(resources.ledger, batch, until=until, error=runs.error_text(error))

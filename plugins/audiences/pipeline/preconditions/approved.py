"""Whether a version of a campaign may send: its file may say that somebody has to approve it first.

An approval holds for the version, by its digest, until the file is edited. It is in force once the step that sends has verified
that a person has approved this version, with the figures that would be sent, in time. The answers are those that the asking task
got from Airflow and wrote into the ledger; what Airflow keeps of them is no proof, since an answer that comes too late stays on
its record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.errors import StoppedError
from audiences.ledger import approvals
from audiences.ledger.approvals import ApprovalState

if TYPE_CHECKING:
    from audiences.ledger.approvals import Question
    from audiences.pipeline.resources import CampaignResources

GUARD = "approval"


@dataclass(eq=False)
class NotApprovedError(StoppedError):
    """Nobody has approved that this version of the campaign sends; `question` is what came of one, None where none was asked."""

    question: ApprovalState | None = None

    def __str__(self) -> str:
        return f"stopped: {self.found}. Nothing was sent. {self.allow_once}"


def not_approved(
    resources: CampaignResources, found: str, *, question: ApprovalState | None = None
) -> NotApprovedError:
    """The error for what was found, with what to do."""
    once = f"The next run asks again; to be asked now, trigger the DAG `{resources.spec.id}`"
    return NotApprovedError(guard=GUARD, found=found, allow_once=once, question=question)


def in_force(resources: CampaignResources, campaign: int) -> bool:
    """Whether this version may send, because it needs no approval or has one; `campaign` is the ledger's number."""
    if resources.spec.campaign.approval is None:
        return True
    return approvals.in_force(resources.ledger, campaign=campaign, digest=resources.spec.digest) is not None


def ensure_in_force(resources: CampaignResources) -> None:
    """Raise NotApprovedError for a run that cannot ask, of a version that must be approved and is not."""
    known = resources.campaign()
    if resources.spec.campaign.approval is None or (known and in_force(resources, known.id)):
        return
    found = (
        "the campaign says `approval: required`, and nobody has approved this version of it. Only a run in Airflow can ask "
        "for that"
    )
    raise not_approved(resources, found)


def ensure_as_opened(resources: CampaignResources, run: int) -> None:
    """Raise NotApprovedError for rules that are not those with which the run was opened, where these need an approval.

    The rules come to each step by XCom, which more people may write than may answer.
    """
    opened = approvals.version_to_approve(resources.ledger, run)
    if opened not in (None, resources.spec.digest):
        raise not_approved(resources, "the rules of this step are not those with which the run was opened")


def verify(resources: CampaignResources, campaign: int, question: Question | None, *, shown: str) -> None:
    """Put the approval in force that the question led to; nothing to do where one is in force.

    `shown` is the digest of the figures that would be sent. Raises NotApprovedError unless a person who may do so approved this
    version with these figures in time.
    """
    if in_force(resources, campaign):
        return
    ledger, spec = resources.ledger, resources.spec
    if question is None or question.campaign != campaign:
        raise not_approved(resources, "nobody was asked to approve this version of the campaign")
    if wrong := _wrong(resources, question, shown=shown):
        state = question.state
        if state in approvals.OPEN:
            approvals.lapse(ledger, question.id, why=wrong)
            state = ApprovalState.LAPSED
        raise not_approved(resources, wrong, question=state)
    approvals.put_in_force(ledger, question.id, at=resources.now())
    if not in_force(resources, campaign):
        message = f"question {question.id} is in force, and not for the version {spec.digest}"
        raise RuntimeError(message)


def _wrong(resources: CampaignResources, question: Question, *, shown: str) -> str | None:
    """Why the answer is no permission, in a clause; None when it is one."""
    approval = resources.spec.campaign.approval
    if question.state is ApprovalState.REJECTED:
        return f"{question.who} rejected it"
    if question.state in (ApprovalState.LAPSED, ApprovalState.UNANSWERED):
        return f"the question is void: {question.lapsed_for}"
    if question.state is ApprovalState.ASKED or question.decided_at is None or not question.by:
        return "nobody has answered the question whether it may send"
    if question.digest != resources.spec.digest:
        return "what was approved is another version of the campaign"
    if question.decided_at > question.until:
        return f"the approval came after the deadline ({question.until:%a %d %b %Y at %H:%M %Z})"
    if approval and approval.approvers and question.by not in approval.approvers:
        return f"{question.who} is not among the `approvers` of the campaign file"
    if question.shown != shown:
        return f"what would be sent has changed since {question.who} approved it: the figures are others by now"
    return None

"""Whether somebody is asked before a changed campaign sends, in words for whoever reviews the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources
    from audiences.review.changed_campaigns import CampaignChange


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """Whether somebody is asked before the campaign sends; None where that is for the ledger to say, and it was not looked at."""

    asked: bool | None
    words: str


def needs_approval(spec: CampaignSpec | None) -> bool:
    """Whether this version sends and its file requires an approval."""
    return spec is not None and spec.campaign.approval is not None and spec.campaign.status == "published"


def approved_at(spec: CampaignSpec, open_resources: Callable[[CampaignSpec], CampaignResources]) -> datetime | None:
    """When this very version was approved, by the ledger; None where it was not."""
    from audiences.ledger import approvals

    with open_resources(spec) as resources:
        known = resources.campaign()
        question = known and approvals.in_force(resources.ledger, campaign=known.id, digest=spec.digest)
        return question.decided_at if question else None


def approval_asked(change: CampaignChange, *, ledger: bool, approved: datetime | None) -> ApprovalAsked | None:
    """What there is to say; None for a campaign that needs no approval and needed none.

    `ledger`: it was looked at, and `approved` says when this version was approved.
    """
    before, after = change.before, change.after
    if after is None or after.campaign.status != "published":
        return None
    if after.campaign.approval is None:
        return _taken_out(change)
    if approved:
        words = (
            f"Nobody is asked: this very version was approved on {approved:%d %b %Y}, and going back to it asks for no other "
            "approval. It sends at its next run."
        )
        return ApprovalAsked(asked=False, words=words)
    words = "Somebody has to approve this version in the Airflow UI before it sends."
    if not ledger:
        words += (
            " Nobody is asked if this very version was approved before; the ledger, which knows, was not looked at."
        )
    required = before.campaign.approval if before else None
    if required and set(required.approvers) != set(after.campaign.approval.approvers):
        words += " The change also says who may approve it."
    return ApprovalAsked(asked=True if ledger else None, words=words)


def _taken_out(change: CampaignChange) -> ApprovalAsked | None:
    before = change.before
    if before is not None and before.campaign.approval is not None:
        words = (
            "Nobody is asked: this change takes `approval` out of the file, and that itself needs no approval. It sends at its "
            "next run."
        )
        return ApprovalAsked(asked=False, words=words)
    if change.was_wrong:
        words = "Nobody is asked. Whether the old file required an approval is not known, since it is wrong."
        return ApprovalAsked(asked=False, words=words)
    return None

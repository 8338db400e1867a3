"""Which notices are due: what holds of a run or an ad account is put on record, and what has been told before is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audiences.ledger import approvals, notices, request_counts
from audiences.ledger.approvals import ApprovalState
from audiences.notices.what_holds import Ended, of_account, of_run, recovery

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from audiences.campaign.notify import Notify
    from audiences.checklist import Check
    from audiences.ledger.database import Ledger
    from audiences.ledger.notices import WaitingNotice
    from audiences.notices.notice import Notice
    from audiences.notices.what_holds import Unapproved
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Summary


def due_of_run(resources: CampaignResources, summary: Summary, *, link: str | None = None) -> list[WaitingNotice]:
    """What is to be told of a campaign whose run has ended: what holds, what it recovered from, what could not be told before."""
    spec, ledger, now = resources.spec, resources.ledger, resources.now()
    run = ended(resources, summary)
    holding = of_run(run, spec.notify)
    with ledger.sql.transaction():  # or a process that dies in between would end a failure and never tell of it
        if run.state == "success":
            held = {(notice.condition, notice.what) for notice in holding}
            over = notices.end_others(ledger, "campaign", spec.id, held=held, at=now)
            over_and_told = notices.recovered_from(ledger, spec.id, ended=over, at=now)
            if over_and_told and "recovered" in spec.notify.about:
                holding.append(recovery(run, over_and_told))
        put(ledger, holding, at=now, link=link)
    return notices.waiting(ledger, kind="campaign", subject=spec.id)


def due_of_account(
    ledger: Ledger, account: str, checks: Iterable[Check], notify: Notify, *, at: datetime
) -> list[WaitingNotice]:
    """What is to be told of an ad account."""
    holding = of_account(account, checks, notify)
    held = {(notice.condition, notice.what) for notice in holding}
    with ledger.sql.transaction():
        notices.end_others(ledger, "ad_account", account, held=held, at=at)
        put(ledger, holding, at=at)
    return notices.waiting(ledger, kind="ad_account", subject=account)


def due(ledger: Ledger, notice: Notice, *, at: datetime) -> list[WaitingNotice]:
    """What is to be told of the subject of a notice that holds: it, and what could not be told before."""
    notices.put(ledger, notice, at=at)
    return notices.waiting(ledger, kind=notice.kind, subject=notice.subject)


def put(ledger: Ledger, holding: Iterable[Notice], *, at: datetime, link: str | None = None) -> None:
    """Put on record what holds."""
    for notice in holding:
        notices.put(ledger, replace(notice, link=link), at=at)


def asked_until(resources: CampaignResources, dag_run: str) -> datetime | None:
    """Until when the DAG run waits for the answer to its question; None where it does not wait for one."""
    known = resources.campaign()
    question = known and approvals.asked_in(resources.ledger, campaign=known.id, dag_run=dag_run)
    waits = question and question.state is ApprovalState.ASKED and question.until > resources.now()
    return question.until if question and waits else None


def unapproved_of(state: ApprovalState | None) -> Unapproved:
    """What came of the question of a run that was not approved, for people; `state` is None where nobody was asked."""
    if state is ApprovalState.REJECTED:
        return "rejected"
    return "unanswered" if state is ApprovalState.UNANSWERED else "lapsed"


def _unapproved(ledger: Ledger, summary: Summary) -> Unapproved | None:
    question = approvals.of_run(ledger, summary.run)
    closed = (ApprovalState.REJECTED, ApprovalState.UNANSWERED, ApprovalState.LAPSED)
    # A run that was opened anew may have asked before, and be stopped by a guard now.
    asked = question is not None and question.asked_at >= summary.at and question.state in closed
    return unapproved_of(question.state) if question and asked else None


def ended(resources: CampaignResources, summary: Summary) -> Ended:
    """What is known of a run that has ended, from its summary and its requests on record."""
    campaign, totals = resources.spec.campaign, request_counts.totals(resources.ledger, summary.run)
    refused = sum(totals.rejected.values())
    return Ended(
        campaign=resources.spec.id,
        name=campaign.name,
        run=summary.run,
        state=summary.state,
        reason=summary.error or "",
        unapproved=_unapproved(resources.ledger, summary) if summary.state == "stopped" else None,
        members=summary.audience.members,
        added=summary.outcomes.get("added", 0),
        removed=summary.outcomes.get("removed", 0),
        failed=summary.outcomes.get("failed", 0) if summary.would is None else 0,
        sent=totals.taken + refused,
        unusable=totals.invalid + refused,
        whole=campaign.qualification != "live",
        adds=campaign.what.audience.adds,
    )

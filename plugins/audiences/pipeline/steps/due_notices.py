"""Which notices are due: what holds of a run or an ad account is put on record, and what has been told before is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from audiences.ledger import notices, request_counts
from audiences.notices.what_holds import Ended, of_account, of_run, recovery

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from audiences.campaign.notify import Notify
    from audiences.checklist import Check
    from audiences.ledger.database import Ledger
    from audiences.ledger.notices import WaitingNotice
    from audiences.notices.notice import Notice
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
        members=summary.audience.members,
        added=summary.outcomes.get("added", 0),
        removed=summary.outcomes.get("removed", 0),
        failed=summary.outcomes.get("failed", 0) if summary.would is None else 0,
        sent=totals.taken + refused,
        unusable=totals.invalid + refused,
        whole=campaign.qualification != "live",
        adds=campaign.what.audience.adds,
    )

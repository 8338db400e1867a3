"""Which notices are due: what holds of a run or an ad account, without what has been told before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audiences.campaign.notify import WORTH_TELLING
from audiences.ledger import notices, request_counts
from audiences.notices.what_holds import Ended, of_account, of_run, recovery

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from audiences.campaign.notify import Notify
    from audiences.checklist import Check
    from audiences.ledger.database import Ledger
    from audiences.notices.notice import Notice
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Summary


class DueNotice(NamedTuple):
    """A notice to be sent, and its number in the ledger, None where the ledger does not answer."""

    number: int | None
    notice: Notice


def due_of_run(resources: CampaignResources, summary: Summary) -> list[DueNotice]:
    """What is to be told of a run that has ended, recovery from what had been told before included."""
    spec, ledger, now = resources.spec, resources.ledger, resources.now()
    run = ended(resources, summary)
    holding = of_run(run, spec.notify)
    if run.state == "success":
        held = {(notice.condition, notice.what) for notice in holding}
        over = notices.end_others(ledger, subject=spec.id, held=held, at=now)
        if "recovered" in spec.notify.about and (told := set(over) & set(WORTH_TELLING)):
            holding.append(recovery(run, told))
    return claimed(ledger, holding, at=now)


def due_of_account(
    ledger: Ledger, account: str, checks: Iterable[Check], notify: Notify, *, at: datetime
) -> list[DueNotice]:
    """What is to be told of an ad account."""
    holding = of_account(account, checks, notify)
    notices.end_others(ledger, subject=account, held={(each.condition, each.what) for each in holding}, at=at)
    return claimed(ledger, holding, at=at)


def claimed(ledger: Ledger, holding: Iterable[Notice], *, at: datetime) -> list[DueNotice]:
    """Of what holds, what has not been told yet, claimed for this process to be sent."""
    found = ((_claim(ledger, notice, at), notice) for notice in holding)
    return [DueNotice(number, notice) for number, notice in found if number is not None]


def _claim(ledger: Ledger, notice: Notice, at: datetime) -> int | None:
    return notices.claim(
        ledger,
        subject=notice.subject,
        condition=notice.condition,
        what=notice.what,
        title=notice.title,
        reason=notice.reason,
        remedy=notice.remedy,
        at=at,
    )


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

"""Notices that could not be delivered when they were raised: which of them are still to be, and by whose settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audiences.ledger import notices

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from audiences.campaign.notify import Notify
    from audiences.campaign.settings import Settings
    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.database import Ledger
    from audiences.ledger.notices import WaitingNotice


class LateNotice(NamedTuple):
    """A notice that is still to be delivered, and whom to tell."""

    notice: WaitingNotice
    notify: Notify


def late_notices(
    ledger: Ledger,
    settings: Settings,
    campaigns: Mapping[str, CampaignSpec],
    known: Collection[str] | None,
    *,
    at: datetime,
) -> list[LateNotice]:
    """What is still to be delivered, the oldest first; what nobody awaits any more is ended.

    `campaigns` are those whose files are right, `known` the ids that a file accounts for, however broken it is; None where
    nobody knows, since a folder cannot be read: then nothing is ended.
    """
    stopped = {name for name, spec in campaigns.items() if spec.campaign.status != "published"}
    accounts = [account.id for account in settings.ad_accounts.values()]
    if known is not None:
        notices.end_what_nobody_awaits(ledger, running=set(known) - stopped, known=known, accounts=accounts, at=at)
    found = []
    for notice in notices.waiting(ledger):
        if notice.kind == "campaign" and notice.subject not in campaigns:
            continue  # whom its file names is not known while it is broken
        notify = campaigns[notice.subject].notify if notice.kind == "campaign" else settings.notify
        if notify.wants(notice.condition):
            found.append(LateNotice(notice, notify))
        else:
            notices.unwanted(ledger, notice.id, at=at)
    return found

"""The next runs of a campaign, as Airflow will schedule them, for the command line and the UI pages."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from audiences.when.recurrence import Recurrence

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec


def recurrence_of(spec: CampaignSpec) -> Recurrence | None:
    """The campaign's schedule whether or not it is in force; None for a live campaign, which waits for events."""
    when = spec.campaign.when
    if not (when.now or when.date or when.dates or when.repeat or when.cron):
        return None
    return Recurrence.of(when, spec.timezone)


def next_runs(spec: CampaignSpec, after: datetime, n: int, *, if_published: bool = False) -> list[datetime]:
    """The next `n` run times after `after`, in UTC; fewer when the schedule ends before.

    Empty for drafts, stopped and live campaigns; `if_published` shows a draft what it would be. A `now` campaign is
    taken as one that has not run yet. A run waits for the campaign's export windows after these times.
    """
    status = spec.campaign.status
    in_force = status == "published" or (if_published and status == "draft")
    recurrence = recurrence_of(spec) if in_force else None
    return list(islice(recurrence.occurrences(after), n)) if recurrence else []

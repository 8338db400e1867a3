"""The next runs of a campaign, and when they send, for the command line and the UI pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.when.openings import next_opening
from audiences.when.recurrence import Recurrence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec


_MOST_LEFT_OUT = 20_000  # times in a row, two weeks of minutes; a schedule may miss its windows for ever


def recurrence_of(spec: CampaignSpec) -> Recurrence | None:
    """The campaign's schedule whether or not it is in force; None for a live campaign, which waits for events."""
    when = spec.campaign.when
    if not (when.now or when.date or when.dates or when.repeat or when.cron):
        return None
    return Recurrence.of(when, spec.timezone)


def next_sends(spec: CampaignSpec, after: datetime, n: int, *, if_published: bool = False) -> list[datetime]:
    """The next `n` times, in UTC, at which runs send: as they are due, or where the windows are closed, at the next opening.

    With `outside: drop` a run that is due while they are closed does not send; several that wait for one opening are one
    time. Fewer than `n` when the schedule ends before, or misses its windows again and again.
    """
    when, left_out = spec.campaign.when, 0
    found: set[datetime] = set()
    closed_until: datetime | None = None
    for due in run_times(spec, after, if_published=if_published):
        if closed_until is None or due >= closed_until:
            closed_until = next_opening(due, when.windows, spec.zone)
            sends = due if closed_until is None else None if when.outside == "drop" else closed_until
            left_out = 0 if sends else left_out
            found |= {sends} if sends else set()
        left_out += 1
        if len(found) == n or left_out > _MOST_LEFT_OUT:
            break
    return sorted(found)


def run_times(spec: CampaignSpec, after: datetime, *, if_published: bool = False) -> Iterator[datetime]:
    """The run times after `after`, in UTC, one by one; they end with the schedule.

    None for drafts, stopped and live campaigns; `if_published` shows a draft what it would be. A `now` campaign is taken as
    one that has not run yet. A run waits for the campaign's export windows after these times: `next_sends`.
    """
    status = spec.campaign.status
    in_force = status == "published" or (if_published and status == "draft")
    recurrence = recurrence_of(spec) if in_force else None
    return recurrence.occurrences(after) if recurrence else iter(())

"""When campaigns send next, and when they should have sent; kept as long as the answer holds, for schedules take a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from audiences.when.upcoming import next_sends, recurrence_of, run_times

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec

OVERDUE_AFTER: Final = timedelta(hours=1)
"""A run that was to send so long ago and is not on record is missing: Airflow begins one within seconds of its time."""


@dataclass(frozen=True, slots=True)
class _Upcoming:
    """What was found at `asked`; it holds until the first of the times is due."""

    asked: datetime
    due: datetime | None
    sends: datetime | None

    def holds(self, now: datetime) -> bool:
        return self.asked <= now and (self.due is None or now < self.due)


class SendTimes:
    """Of the campaigns of one reading of the project."""

    def __init__(self) -> None:
        self._upcoming: dict[str, _Upcoming] = {}
        self._first: dict[tuple[str, datetime], datetime | None] = {}

    def upcoming(self, spec: CampaignSpec, now: datetime, *, has_run: bool) -> datetime | None:
        """The next time, in UTC, at which the campaign sends; None for drafts, stopped and live ones, and after the last time.

        `has_run`: a campaign of `now` has had its only run.
        """
        recurrence = recurrence_of(spec)
        if recurrence is not None and recurrence.is_now and has_run:
            return None
        known = self._upcoming.get(spec.id)
        if known is None or not known.holds(now):
            due, sends = next(run_times(spec, now), None), next_sends(spec, now, 1)
            known = _Upcoming(now, due, sends[0] if sends else None)
            self._upcoming[spec.id] = known
        return known.sends

    def expected(self, spec: CampaignSpec, since: datetime) -> datetime | None:
        """The first time after `since` at which a run was, or will be, to send; None when there is none.

        Between the time that it is due and then a run waits for its export window.
        """
        if (spec.id, since) not in self._first:
            self._first[spec.id, since] = next(iter(next_sends(spec, since, 1)), None)
        return self._first[spec.id, since]

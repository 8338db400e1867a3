"""The one Airflow timetable of all campaigns, and the only place in `when` that looks at the clock.

Airflow asks for the next run at every parse of the DAG file, some twice a minute, and after every run it creates.
Between the time a run is due and its creation the answer must not move on, or the run is lost; and it must not go back
to times that an edit of the file has put into the past. All that Airflow hands over is the interval of the last run, so
the end of an interval says two things: its second when the schedule then in force went on, by which an edit is
noticed, and its microsecond the number of the run. A listener takes a run that was not begun out of that count again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.timetables.base import DagRunInfo, DataInterval, Timetable
from airflow.timetables.simple import ContinuousTimetable, NullTimetable

from audiences.when.recurrence import Recurrence
from audiences.when.summary import description, summary
from audiences.when.upcoming import recurrence_of
from audiences.when.wallclock import TICK

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dag import DagModel
    from airflow.timetables.base import TimeRestriction

    from audiences.campaign.spec import CampaignSpec

GRACE = timedelta(hours=6)
"""A run that was planned and missed, in an outage or a pause, still takes place this much later; only the latest one does."""
SLACK = timedelta(minutes=10)
"""The same for a time of which nobody knows whether it was planned: the first of a new or edited schedule. Long enough
for a restart of Airflow, short enough that a file committed after today's time waits for tomorrow's."""
LONGEST_DESCRIPTION = 1000  # the width of the column in Airflow's database
_LAST_NUMBER = 999_999


def too_late(spec: CampaignSpec, due: datetime, now: datetime) -> bool:
    """Whether a scheduled run that was due at `due` must not begin `now`, for which see GRACE.

    The scheduler creates the one run that it had planned before an outage whatever happened since. A `now` campaign has
    no time to be late for.
    """
    recurrence = recurrence_of(spec)
    return recurrence is not None and not recurrence.is_now and now - due > GRACE


def _utc_now() -> datetime:
    # A `now` run takes this time, and the microsecond of an interval is spoken for.
    return datetime.now(UTC).replace(microsecond=0)


class CampaignTimetable(Timetable):
    """Runs a campaign by its schedule.

    :param recurrence: the schedule, as `Recurrence.to_dict` gives it; kept unread until it is asked for, because
        Airflow restores every timetable many times per parse.
    :param runs: after how many runs it ends, where these are to be counted here and not from the recurrence's start.
    :param summary: the schedule in words, for the list of DAGs.
    :param description: the same as a sentence.
    :param clock: gives the present time in UTC.
    """

    def __init__(
        self,
        recurrence: dict[str, Any],
        runs: int | None,
        summary: str,
        description: str,
        *,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._saved = recurrence
        self._runs = runs
        self._summary = summary
        self.description = description
        self.periodic = "now" not in recurrence["when"]
        self._clock = clock

    @classmethod
    def of(cls, spec: CampaignSpec) -> CampaignTimetable | None:
        """The timetable of a published campaign; None for drafts, stopped and live campaigns, which have no schedule."""
        recurrence = recurrence_of(spec) if spec.campaign.status == "published" else None
        return cls.of_recurrence(recurrence) if recurrence else None

    @classmethod
    def of_recurrence(cls, recurrence: Recurrence) -> CampaignTimetable:
        """The timetable of a schedule."""
        words = summary(recurrence), description(recurrence)[:LONGEST_DESCRIPTION]
        when = recurrence.when
        if when.ends and not when.start:
            return cls(recurrence.without_count().to_dict(), when.ends.after, *words)
        return cls(recurrence.to_dict(), None, *words)

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> CampaignTimetable:
        """What `serialize` saved."""
        return cls(**data)

    def serialize(self) -> dict[str, Any]:
        """The same for the same campaign file, so that a re-parse makes no new version of the DAG."""
        return {
            "recurrence": self._saved,
            "runs": self._runs,
            "summary": self._summary,
            "description": self.description,
        }

    @property
    def summary(self) -> str:
        """The schedule in words."""
        return self._summary

    @cached_property
    def recurrence(self) -> Recurrence:
        """The schedule itself."""
        return Recurrence.from_dict(self._saved)

    def infer_manual_data_interval(self, *, run_after: pendulum.DateTime) -> DataInterval:
        """A run by hand stands for its own moment."""
        return DataInterval.exact(run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The latest occurrence that was missed and still may run, else the next one to come.

        With `catchup`, which is how Airflow enumerates a schedule for backfills and its command line, simply the next
        one after the last.
        """
        last, is_now = last_automated_data_interval, self.recurrence.is_now
        # What is only enumerated, for a backfill, is none of the runs after which the schedule ends.
        enumerates = restriction.catchup and not is_now
        most = 1 if is_now else None if enumerates else self._runs
        if most is not None and _number(last) >= most:
            return None
        now = self._clock()
        bounds: list[datetime] = [last.start] if last else []
        if restriction.earliest:
            bounds.append(restriction.earliest - TICK)
        if not (restriction.catchup and bounds):
            bounds.append(now if is_now else now - self._patience(last))
        due = self._latest_due(max(bounds), datetime.min.replace(tzinfo=UTC) if restriction.catchup else now)
        if due is None or (restriction.latest and due > restriction.latest):
            return None
        return self._run(due, 0 if enumerates else _number(last) + 1)

    def uncounted(self, end: datetime) -> datetime:
        """The interval's end for a run that was not begun, which is none of those after which the schedule ends."""
        return end.replace(microsecond=max(end.microsecond - 1, 0)) if self._runs is not None else end

    def next_run_info_from_dag_model(self, *, dag_model: DagModel) -> DagRunInfo | None:
        """What the scheduler is about to create: the planned run, or after an outage one run for all it missed."""
        planned = super().next_run_info_from_dag_model(dag_model=dag_model)
        if planned is None or self.recurrence.is_now:
            return planned
        now = self._clock()
        missed = self._latest_due(max(planned.run_after, now - GRACE), now)
        if missed is None or missed > now or _has_run(dag_model, missed):
            return planned
        return self._run(missed, _number(planned.data_interval))

    def _latest_due(self, after: datetime, now: datetime) -> datetime | None:
        """The last occurrence later than `after` that is due by `now`, else the first one later than both."""
        occurrences = self.recurrence.occurrences(after)
        due = next(occurrences, None)
        if due is not None and due <= now:
            for later in occurrences:
                if later > now:
                    break
                due = later
        return due

    def _patience(self, last: DataInterval | None) -> timedelta:
        """How late a run may be: see GRACE and SLACK. The dates that a file spells out are planned by being in it."""
        if self.recurrence.dates:
            return GRACE
        planned = last is not None and self._run(last.start, _number(last)).data_interval == last
        return GRACE if planned else SLACK

    def _run(self, due: datetime, number: int) -> DagRunInfo:
        start, following = pendulum.instance(due), next(self.recurrence.occurrences(due), due)
        end = pendulum.instance(following).replace(microsecond=min(number, _LAST_NUMBER))
        return DagRunInfo(run_after=start, data_interval=DataInterval(start, end))


class EventTimetable(NullTimetable):
    """Never schedules anything; says in words what a live campaign reacts to, where Airflow lists schedules."""

    def __init__(self, summary: str) -> None:
        super().__init__()
        self._summary = summary
        self.description = summary[0].upper() + summary[1:]

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> EventTimetable:
        """What `serialize` saved."""
        return cls(**data)

    def serialize(self) -> dict[str, Any]:
        """The same for the same campaign file."""
        return {"summary": self._summary}

    @property
    def summary(self) -> str:
        """The events in words."""
        return self._summary


class WatchTimetable(ContinuousTimetable):
    """One run after the other, as `@continuous`; says in words what for, where Airflow lists schedules."""

    description = "Always waits for the events of live campaigns: one run after the other"

    @property
    def summary(self) -> str:
        """The schedule in words."""
        return "always, waiting for events"


def _has_run(dag_model: DagModel, logical_date: datetime) -> bool:
    """Whether the DAG has a run of that date, as somebody may give one to a run by hand.

    Airflow sees to that for the run it has planned; a second one of the date would end the transaction in which the scheduler
    makes the runs of all DAGs, and the scheduler with it (measured on Airflow 3.3.2).
    """
    from airflow.models.dagrun import DagRun  # the scheduler alone comes here, and has its database at hand
    from sqlalchemy import select
    from sqlalchemy.orm import object_session

    session = object_session(dag_model)
    if session is None:
        return False
    found = select(DagRun.id).where(DagRun.dag_id == dag_model.dag_id, DagRun.logical_date == logical_date)
    return session.scalar(found.limit(1)) is not None


def _number(interval: DataInterval | None) -> int:
    """Which run of the campaign an interval belongs to, counted from 1; 0 when there is none."""
    return interval.end.microsecond if interval else 0

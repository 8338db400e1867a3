"""One model behind `now`, `date`, `dates`, `repeat` and `cron`: the instants at which a campaign is due.

Pure: the same schedule, zone and question give the same answer on any machine, at any time, after any re-parse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, rrule, rruleset

from audiences.campaign import cron
from audiences.campaign.rules import WEEKDAYS
from audiences.campaign.when import Repeat, When
from audiences.when.wallclock import TICK, after_end_of, every_instant, first_instant, start_of, wall_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dateutil.rrule import weekday

_PARTS = ("start", "end", "now", "date", "dates", "repeat", "cron", "ends")
_ANCHOR = date(2024, 1, 1)
"""Where "every 3 days" is counted from when no `start` is given: a fixed Monday, the first of a month and of a year.
Counting from the last run, or from the day the file was read, would shift the schedule with every outage or edit."""
_LONGEST_FOLD = timedelta(hours=3)  # the most by which clocks were set back since 2000 (Antarctica/Casey)
_FREQUENCIES: dict[str, Literal[1, 2, 3]] = {"day": DAILY, "week": WEEKLY, "month": MONTHLY}
_DAYS_OF_WEEK = dict(zip(map(str, WEEKDAYS), (MO, TU, WE, TH, FR, SA, SU), strict=True))
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When a campaign is due, on the wall clock of `zone`; `when` has passed the checks of the campaign file.

    A time of day that the clocks skip is due right after the gap, one that they show twice the first time. Only a cron
    line for every hour goes with the clocks: not in a skipped hour, and again in a repeated one, so that it keeps its
    pace. A day that a month lacks is left out of that month.
    """

    when: When
    zone: ZoneInfo

    @classmethod
    def of(cls, when: When, zone: str) -> Recurrence:
        """The schedule of a campaign file."""
        parts = {name: part for name in _PARTS if (part := getattr(when, name)) is not None}
        return cls(When(**parts), ZoneInfo(zone))

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Recurrence:
        """The recurrence that `to_dict` saved."""
        return cls(When.model_validate(saved["when"]), ZoneInfo(saved["zone"]))

    def to_dict(self) -> dict[str, Any]:
        """The recurrence as JSON: `{"zone": name, "when": {…}}`, in the words of the campaign file."""
        return {
            "zone": self.zone.key,
            "when": self.when.model_dump(mode="json", include=set(_PARTS), exclude_none=True),
        }

    def without_count(self) -> Recurrence:
        """The same schedule without `ends`."""
        return replace(self, when=self.when.model_copy(update={"ends": None}))

    @property
    def is_now(self) -> bool:
        """Whether this is `now`: a single run, due as soon as somebody looks and `start` has come."""
        return self.when.now is not None

    @property
    def dates(self) -> tuple[date, ...]:
        """The dates, with or without a time, that the file spells out one by one."""
        return self.when.dates or ((self.when.date,) if self.when.date else ())

    def occurrences(self, after: datetime) -> Iterator[datetime]:
        """Every instant later than `after` at which the campaign is due: UTC, ascending, each once.

        `now` is due at `after` itself, or at `start` when that is later. `ends` counts from `start`, or without one from
        `after`, as for a campaign that has not begun.
        """
        start = start_of(self.when.start, self.zone) if self.when.start else None
        end = after_end_of(self.when.end, self.zone) if self.when.end else None
        if self.is_now:
            instants: Iterator[datetime] = iter((max(start or after, after).astimezone(UTC),))
        elif start and (self.when.ends or after < start):
            instants = self._later_than(start - TICK)
        else:
            instants = self._later_than(after)
        if self.when.ends:
            instants = (due for due in islice(instants, self.when.ends.after) if due > after)
        for due in instants:
            if end and due >= end:
                return
            yield due

    def _later_than(self, since: datetime) -> Iterator[datetime]:
        """The schedule without its start and end; times that fall together are one."""
        latest = since
        for due in self._begun_by(since):
            if due > latest:
                yield due
                latest = due

    def _begun_by(self, since: datetime) -> Iterator[datetime]:
        """Ascending instants, complete after `since`, with some before it and some twice."""
        if self.when.repeat:
            return self._repeated(self.when.repeat, wall_time(since, self.zone).date())
        if self.when.cron:
            return merge(*(_fired(line, since, self.zone) for line in self.when.cron))
        return iter(sorted(start_of(day, self.zone).replace(microsecond=0) for day in self.dates))

    def _repeated(self, repeat: Repeat, first_day: date) -> Iterator[datetime]:
        anchor = wall_time(start_of(self.when.start, self.zone), self.zone).date() if self.when.start else _ANCHOR
        times = sorted(repeat.at)
        for day in _days(repeat, anchor, first_day):
            for at in times:
                yield first_instant(datetime.combine(day, at), self.zone)


def _days(repeat: Repeat, anchor: date, first_day: date) -> Iterator[datetime]:
    """The days of a repetition from `first_day` on, with some before it; intervals are counted from the anchor."""
    unit, amount = repeat.every.unit, repeat.every.amount
    origin = anchor.replace(day=1) if unit == "month" else anchor
    passed = {
        "day": (first_day - anchor).days,
        "week": (first_day - anchor).days // 7,
        "month": 12 * (first_day.year - anchor.year) + first_day.month - anchor.month,
    }[unit]
    # A rule walks from its beginning; one that begins whole intervals later keeps in step and spares the years between.
    begin = origin + relativedelta(**{f"{unit}s": passed // amount * amount})  # type: ignore[arg-type]  # a unit's plural is a keyword
    days = rruleset()
    for chosen in _chosen(repeat, anchor):
        days.rrule(
            rrule(_FREQUENCIES[unit], interval=amount, dtstart=datetime.combine(begin, time()), wkst=MO, **chosen)
        )
    return iter(days)


def _chosen(repeat: Repeat, anchor: date) -> list[dict[str, Any]]:
    """`on` as arguments for `rrule`; one rule each, because a rule with days and weekdays asks for both at once."""
    on = [" ".join(str(day).lower().split()) for day in repeat.on or ()]
    if repeat.every.unit == "day":
        return [{}]
    if repeat.every.unit == "week":
        return [{"byweekday": [_day_of_week(name) for name in on] or anchor.weekday()}]
    days = [_ORDINALS["last"] if day == "last" else int(day) for day in on or [str(anchor.day)] if " " not in day]
    weekdays = [_day_of_week(name)(_ORDINALS[which]) for which, name in (day.split() for day in on if " " in day)]
    return [{name: values} for name, values in (("bymonthday", days), ("byweekday", weekdays)) if values]


def _day_of_week(name: str) -> weekday:
    return _DAYS_OF_WEEK[name[:3]]


def _fired(line: str, since: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants of a cron line after `since`, with some before it."""
    # Imported here because it costs as much as all else that reads a campaign, and few campaigns use it.
    from croniter import CroniterBadDateError  # type: ignore[import-untyped]  # has no type information

    begin = wall_time(since, zone)
    fields = cron.fields(line, begin)
    every_hour = fields.expanded[1] == ["*"]
    if every_hour:
        fields.set_current(begin - _LONGEST_FOLD)

    def walls() -> Iterator[datetime]:
        try:
            while True:
                yield fields.get_next()
        except CroniterBadDateError:  # no such day within fifty years
            return

    return every_instant(walls(), zone) if every_hour else (first_instant(wall, zone) for wall in walls())

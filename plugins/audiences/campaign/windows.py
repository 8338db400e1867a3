"""Windows of time as the campaign file writes them, and the instants they stand for at a given run.

Three kinds of "last" are kept apart: `last 30 days` starts at local midnight thirty days ago, `exactly 3 days ago` is
that whole local day, `last 24 hours` rolls. Days are cut in the campaign's time zone, daylight saving included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from pydantic import (
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StrictBool,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from audiences.campaign.base import Strict, only_one
from audiences.campaign.wording import shown

Unit = Literal["minute", "hour", "day", "week", "month", "year"]
_LENGTH = re.compile(r"(\d{1,6})\s+(minute|hour|day|week|month|year)s?")
_LONGEST = 100 * 366 * 86400  # seconds; keeps calendar arithmetic inside the years that Python and Postgres know
_YEARS = range(1900, 2200)  # leaves room for the same
_ANY_ZONE = ZoneInfo("UTC")
_MICROSECOND = timedelta(microseconds=1)  # the resolution of a Postgres timestamp


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in the words of the file: `30 minutes`, `5 days`, `2 months`."""

    amount: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read `<number> <unit>`; raises ValueError with an example."""
        found = _LENGTH.fullmatch(text.strip().lower())
        if not found:
            raise ValueError(_no_length(text))
        length = cls(int(found[1]), found[2])  # type: ignore[arg-type]  # the pattern allows only the units
        if length.seconds > _LONGEST:
            message = f"{shown(text)} is longer than a hundred years"
            raise ValueError(message)
        return length

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}{'' if self.amount == 1 else 's'}"

    @property
    def delta(self) -> relativedelta:
        """The length as calendar arithmetic: months keep the day of the month where it exists."""
        return relativedelta(**{f"{self.unit}s": self.amount})  # type: ignore[arg-type]  # a unit's plural is a keyword

    @property
    def seconds(self) -> int:
        """The length in seconds; a month counts 30 days, a year 365."""
        per_unit = {"minute": 60, "hour": 3600, "day": 86400, "week": 604800, "month": 2592000, "year": 31536000}
        return self.amount * per_unit[self.unit]


def _duration(value: Any) -> Any:
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise ValueError(_no_length(value))  # pydantic reports ValueError, not TypeError
    return Duration.parse(value)


def _no_length(value: Any) -> str:
    return f"{shown(value)} is not a length of time; write for example `30 minutes`, `6 hours` or `5 days`"


Length = Annotated[
    Duration,
    BeforeValidator(_duration),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+ (minute|hour|day|week|month|year)s?$", "examples": ["5 days"]}),
]


def _day(value: Any) -> Any:
    if isinstance(value, date):
        return value
    text = value.strip() if isinstance(value, str) else ""
    try:
        day = date.fromisoformat(text) if len(text) == len("2026-12-01") else datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{shown(value)} is not a date; write for example `2026-12-01`, or `2026-12-01 09:00` with a time"
        raise ValueError(message) from error
    if day.year not in _YEARS:
        message = f"{shown(value)} is too far away; allowed are the years {_YEARS[0]} to {_YEARS[-1]}"
        raise ValueError(message)
    return day


Day = Annotated[
    date | datetime,
    BeforeValidator(_day),
    PlainSerializer(lambda day: day.isoformat()),
    WithJsonSchema({"type": "string", "examples": ["2026-12-01", "2026-12-01 09:00"]}),
]


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which `day` begins in `zone`, in UTC; the first instant after the gap if it is skipped."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def instant(value: datetime, zone: ZoneInfo) -> datetime:
    """A date and time of the file in UTC; one without offset is meant in the campaign's time zone."""
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


class Window(Strict):
    """When something happened, relative to the run or in absolute days.

    Written as a string (`last 30 days`, `exactly 3 days ago`, `last 24 hours`, `today`, `yesterday`, `this month`,
    `previous month`, `ever`, `before 2026-01-01`) or as a mapping: `{between: [a, b]}`, `{before: d}`, `{after: d}`.
    """

    model_config = ConfigDict(title="Window")
    short_form: ClassVar = {
        "type": "string",
        "pattern": r"^([Ll]ast \d+ (minute|hour|day|week|month|year)s?|[Ee]xactly \d+ days? ago|[Tt]oday|[Yy]esterday|"
        r"([Tt]his|[Pp]revious) (day|week|month|year)|[Ee]ver|([Bb]efore|[Aa]fter) \d{4}-.+|[Bb]etween \[.+,.+\])$",
        "examples": ["last 30 days", "last 24 hours", "exactly 3 days ago", "today", "this month", "before 2026-01-01"],
    }

    last: Length | None = None
    """From midnight so many days ago up to the run; hours and minutes roll."""
    exactly_ago: Length | None = None
    """That one whole day."""
    calendar: tuple[Literal["this", "previous"], Literal["day", "week", "month", "year"]] | None = None
    """This or the previous day, week (from Monday), month or year."""
    between: tuple[Day, Day] | None = None
    """From the first day to the second, both included."""
    before: Day | None = None
    """Before this day, which is excluded."""
    after: Day | None = None
    """After this day, which is excluded."""
    ever: StrictBool | None = None
    """At any time."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        return _parse_words(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> Window:
        kinds = ("last", "exactly_ago", "calendar", "between", "before", "after", "ever")
        if only_one(self, *kinds) is None:
            raise ValueError(_EXPECTED)
        if self.exactly_ago and self.exactly_ago.unit != "day":
            message = "`exactly … ago` counts whole days, for example `exactly 3 days ago`"
            raise ValueError(message)
        # The zone is the campaign's, which is not known here; it shifts both ends alike.
        if self.between and _start(self.between[0], _ANY_ZONE) >= _end(self.between[1], _ANY_ZONE):
            message = f"`between` starts after it ends: {self.between[0]} > {self.between[1]}"
            raise ValueError(message)
        return self

    @model_serializer
    def _words(self) -> str:
        """As a string of the file, which reads back as the same window."""
        if self.between:
            return f"between [{self.between[0].isoformat()}, {self.between[1].isoformat()}]"
        return str(self)

    @property
    def rolling(self) -> bool:
        """Whether the window is counted in hours or minutes and so asks for a time, not only a day."""
        return self.last is not None and self.last.unit in ("minute", "hour")

    def bounds(self, at: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """The window at the run time `at` in UTC: the first instant inside (None: open), the first one after it."""
        today = at.astimezone(zone).date()
        if self.last:
            if self.rolling:
                return at - timedelta(seconds=self.last.seconds), at + _MICROSECOND
            return local_midnight(today - self.last.delta, zone), at + _MICROSECOND
        if self.exactly_ago:
            day = today - self.exactly_ago.delta
            return local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone)
        if self.calendar:
            first, following = _calendar(self.calendar, today)
            return local_midnight(first, zone), local_midnight(following, zone)
        if self.between:
            return _start(self.between[0], zone), _end(self.between[1], zone)
        if self.before:
            return None, _start(self.before, zone)
        if self.after:
            return _end(self.after, zone), None
        return None, None

    def days(self, at: datetime, zone: ZoneInfo) -> tuple[date | None, date | None]:
        """The window for values without a time of day: first and last day inside, in the campaign's zone."""
        lower, upper = self.bounds(at, zone)
        last = (upper - _MICROSECOND).astimezone(zone).date() if upper else None
        return lower.astimezone(zone).date() if lower else None, last

    def __str__(self) -> str:
        if self.last:
            return f"last {self.last}"
        if self.exactly_ago:
            return f"exactly {self.exactly_ago} ago"
        if self.calendar:
            words = " ".join(self.calendar)
            return {"this day": "today", "previous day": "yesterday"}.get(words, words)
        if self.between:
            return f"between {self.between[0]} and {self.between[1]}"
        if self.before:
            return f"before {self.before}"
        return f"after {self.after}" if self.after else "ever"


_EXPECTED = (
    "not a window of time; allowed: `last 30 days`, `last 24 hours`, `exactly 3 days ago`, `today`, `yesterday`, "
    "`this month`, `previous month`, `between [a, b]`, `before d`, `after d`, `ever`"
)


def _parse_words(text: str) -> dict[str, Any]:
    words = " ".join(text.lower().split())
    simple: dict[str, dict[str, Any]] = {
        "ever": {"ever": True},
        "today": {"calendar": ("this", "day")},
        "yesterday": {"calendar": ("previous", "day")},
    }
    if words in simple:
        return simple[words]
    if found := re.fullmatch(r"(this|previous) (day|week|month|year)", words):
        return {"calendar": found.groups()}
    if found := re.fullmatch(r"last (minute|hour|day|week|month|year)", words):
        calendar = f"`previous {found[1]}`, or " if found[1] not in ("minute", "hour") else ""
        message = f"{shown(text)} is not a window of time; did you mean {calendar}`last 1 {found[1]}`?"
        raise ValueError(message)
    if words.startswith("last "):
        return {"last": words[5:]}
    if found := re.fullmatch(r"exactly (.+) ago", words):
        return {"exactly_ago": found[1]}
    original = " ".join(text.split())
    if found := re.fullmatch(r"(?i:between) \[\s*([^,\]]+?)\s*,\s*([^,\]]+?)\s*\]", original):
        return {"between": found.groups()}
    if found := re.fullmatch(r"(?i:(before|after)) (\S.*)", original):
        return {found[1].lower(): found[2]}
    near = f"; did you mean `last {words}`?" if _LENGTH.fullmatch(words) else ""
    message = f"{shown(text)} is {_EXPECTED}{near}"
    raise ValueError(message)


def _start(day: Day, zone: ZoneInfo) -> datetime:
    return instant(day, zone) if isinstance(day, datetime) else local_midnight(day, zone)


def _end(day: Day, zone: ZoneInfo) -> datetime:
    """The first instant after `day`, which itself belongs to it."""
    if isinstance(day, datetime):
        return instant(day, zone) + _MICROSECOND
    return local_midnight(day + timedelta(days=1), zone)


def _calendar(calendar: tuple[str, str], today: date) -> tuple[date, date]:
    which, unit = calendar
    first = {
        "day": today,
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "year": today.replace(month=1, day=1),
    }[unit]
    step = relativedelta(**{f"{unit}s": 1})  # type: ignore[arg-type]  # a unit's plural is a keyword
    return (first, first + step) if which == "this" else (first - step, first)

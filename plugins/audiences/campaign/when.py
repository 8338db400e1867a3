"""The `when` of a campaign: a schedule, or the events that a live campaign waits for."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from audiences.campaign.after import After, RunAfter
from audiences.campaign.base import Name, PlacedError, Strict, Verbatim, as_tuple, only_one
from audiences.campaign.properties import Properties
from audiences.campaign.rules import WEEKDAYS, TimeOfDay, Weekdays
from audiences.campaign.windows import Day, Duration, Length

SCHEDULES = ("now", "date", "dates", "repeat", "cron")


OnDay = StrictInt | StrictStr
OnDays = Annotated[
    tuple[OnDay, ...], BeforeValidator(as_tuple, json_schema_input_type=OnDay | tuple[OnDay, ...]), Field(min_length=1)
]


class Repeat(Strict):
    """Every so many days, weeks (`on` weekdays) or months (`on` days of the month, `last`, or `first monday`)."""

    every: Length
    """`1 day`, `2 weeks`, `1 month` …"""
    on: OnDays | None = None
    """For weeks the weekdays, such as `[mon, thu]`; for months `1` to `31`, `last`, or `first monday` and the like."""
    at: Annotated[
        tuple[TimeOfDay, ...],
        BeforeValidator(as_tuple, json_schema_input_type=TimeOfDay | tuple[TimeOfDay, ...]),
        Field(min_length=1),
    ]
    """The time of day, in quotes, or several."""

    @model_validator(mode="after")
    def _check(self) -> Repeat:
        if self.every.amount < 1:
            message = f"`{self.every}` is no time to repeat after; write at least `1 {self.every.unit}`"
            raise PlacedError(message, "every")
        if self.every.unit not in ("day", "week", "month"):
            message = f"`{self.every}` cannot be repeated; allowed are days, weeks and months, or use `cron`"
            raise PlacedError(message, "every")
        return self


RunsInWords = Annotated[str, Field(pattern=r"^[0-9]+ runs?$")]


def _runs(value: Any) -> Any:
    words = value.split() if isinstance(value, str) else ()
    return int(words[0]) if len(words) == 2 and words[0].isdigit() and words[1] in ("run", "runs") else value


class Ends(Strict):
    """The schedule ends `after: 10 runs`."""

    after: Annotated[StrictInt, BeforeValidator(_runs, json_schema_input_type=StrictInt | RunsInWords), Field(ge=1)]
    """`10 runs`."""


class ExportWindow(Strict):
    """Weekdays and hours in which exports may run; `to` may be before `from`, which means over midnight."""

    days: Weekdays = WEEKDAYS
    """The weekdays; all unless given."""
    from_: TimeOfDay = Field(alias="from")
    """From this time of day, in quotes."""
    to: TimeOfDay
    """To this time of day, in quotes."""


class EventTrigger(Strict):
    """A user event that a live campaign reacts to."""

    event: Verbatim
    """The name of the event."""
    where: Properties | None = None
    """Only events with these properties count."""


class Unless(EventTrigger):
    """Another event within this time after the first keeps the user out (the abandoned cart)."""

    within: Length
    """How long after the first event."""


class Limit(Strict):
    """How often one user may enter a live campaign: `times` in all, or once per `every`."""

    short_form: ClassVar = {"const": "once"}

    times: Annotated[StrictInt, Field(ge=1)] | None = None
    """So many times in all."""
    every: Length | None = None
    """Once per this length of time."""

    @model_validator(mode="before")
    @classmethod
    def _once(cls, value: Any) -> Any:
        return {"times": 1} if value == "once" else value

    @model_validator(mode="after")
    def _check(self) -> Limit:
        if only_one(self, "times", "every") is None:
            message = "says nothing; allowed: `once`, `{times: 3}`, `{every: 7 days}`"
            raise ValueError(message)
        return self


Crons = Annotated[
    tuple[Name, ...], BeforeValidator(as_tuple, json_schema_input_type=Name | tuple[Name, ...]), Field(min_length=1)
]
Triggers = Annotated[
    tuple[EventTrigger, ...],
    BeforeValidator(as_tuple, json_schema_input_type=EventTrigger | tuple[EventTrigger, ...]),
    Field(min_length=1, max_length=10),
]


def _true(value: bool) -> bool:
    if not value:
        message = "says no time when it is `false`; leave it out, and give another time"
        raise ValueError(message)
    return value


class When(Strict):
    """Exactly one of `now`, `date`, `dates`, `repeat`, `cron`, `after`, or `on` for a live campaign."""

    short_form: ClassVar = {"const": "now"}

    timezone: Name | None = None
    """The time zone in which days are cut and times are meant, such as `Asia/Kolkata`."""
    start: Day | None = None
    """No run before this day."""
    end: Day | None = None
    """No run after this day."""
    now: Annotated[StrictBool, AfterValidator(_true), Field(json_schema_extra={"const": True})] | None = None
    """One run, as soon as the campaign is published."""
    date: Day | None = None
    """One run at this date and time."""
    dates: Annotated[tuple[Day, ...], Field(min_length=1)] | None = None
    """One run at each of these dates and times."""
    repeat: Repeat | None = None
    """Runs every so many days, weeks or months, such as `{every: 1 day, at: "09:00"}`."""
    cron: Crons | None = None
    """Runs by a cron line of five fields, or by several."""
    ends: Ends | None = None
    """When the repetition ends: `{after: 10 runs}`."""
    windows: tuple[ExportWindow, ...] = ()
    """The only weekdays and hours in which anything is sent."""
    outside: Literal["hold", "drop"] = "hold"
    """A run outside the windows waits for the next one (`hold`) or does not take place (`drop`)."""
    on: Triggers | None = None
    """The events, up to ten, that a live campaign reacts to."""
    unless: Unless | None = None
    """An event that keeps the user out when it follows in time."""
    after: After | None = None
    """What the campaign runs after: the id of a DAG, the URI of an asset, a list of them. Beside `on`: a wait after the event."""
    max_age: Length = Field(default_factory=lambda: Duration(60, "minute"))
    """Events that come to light later than this are counted as late and not acted upon."""
    limit: Limit | None = None
    """How often one user may enter: `once`, `{times: 3}`, `{every: 7 days}`."""
    on_end: Literal["keep", "unlink", "empty"] = "keep"
    """What becomes of the audience when the campaign ends."""

    @model_validator(mode="before")
    @classmethod
    def _bare_now(cls, value: Any) -> Any:
        return {"now": True} if value == "now" else value

    @model_validator(mode="after")
    def _check(self) -> When:
        given = only_one(self, *SCHEDULES, "on", *(("after",) if self.run_after else ()))
        if given is None and self.wait:
            message = (
                "a length of time is what a live campaign waits after an event, so it needs `on`; a scheduled one runs after the "
                "id of a DAG or the URI of an asset"
            )
            raise PlacedError(message, "after")
        if given is None:
            allowed = ", ".join(f"`{name}`" for name in (*SCHEDULES, "after"))
            message = f"says no time; allowed: {allowed}, or `on` for a live campaign"
            raise ValueError(message)
        if self.on is None and (self.unless or self.wait or self.limit):
            given = next(name for name in ("unless", "after", "limit") if getattr(self, name))
            message = "belongs to a live campaign, which needs `on`"
            raise PlacedError(message, given)
        return self

    @property
    def wait(self) -> Duration | None:
        """How long a live campaign waits after the event."""
        return self.after if isinstance(self.after, Duration) else None

    @property
    def run_after(self) -> RunAfter | None:
        """What the campaign runs after, in place of times."""
        return self.after if isinstance(self.after, RunAfter) else None

"""The `when` of a campaign: a schedule, or the events that a live campaign waits for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from audiences.campaign.base import Name, Strict, only_one
from audiences.campaign.properties import Properties
from audiences.campaign.rules import Clock, Weekdays
from audiences.campaign.windows import Day, Duration, Length

SCHEDULES = ("now", "date", "dates", "repeat", "cron")


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else (value,)


class Repeat(Strict):
    """Every so many days, weeks (`on` weekdays) or months (`on` days of the month, `last`, or `first monday`)."""

    every: Length
    on: Annotated[tuple[StrictInt | StrictStr, ...], BeforeValidator(_as_tuple), Field(min_length=1)] | None = None
    at: Annotated[tuple[Clock, ...], BeforeValidator(_as_tuple), Field(min_length=1)]

    @model_validator(mode="after")
    def _check(self) -> Repeat:
        if self.every.unit not in ("day", "week", "month") or self.every.amount < 1:
            message = f"`every: {self.every}` cannot be repeated; allowed are days, weeks and months, or use `cron`"
            raise ValueError(message)
        return self


def _runs(value: Any) -> Any:
    words = value.split() if isinstance(value, str) else ()
    return int(words[0]) if len(words) == 2 and words[0].isdigit() and words[1] in ("run", "runs") else value


class Ends(Strict):
    """The schedule ends `after: 10 runs`."""

    after: Annotated[StrictInt, BeforeValidator(_runs), Field(ge=1)]


class ExportWindow(Strict):
    """Weekdays and hours in which exports may run; `to` may be before `from`, which means over midnight."""

    days: Weekdays = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    from_: Clock = Field(alias="from")
    to: Clock


class EventTrigger(Strict):
    """A user event that a live campaign reacts to."""

    event: Name
    where: Properties | None = None


class Unless(EventTrigger):
    """Another event within this time after the first keeps the user out (the abandoned cart)."""

    within: Length


class Limit(Strict):
    """How often one user may enter a live campaign: `times` in all, or once per `every`."""

    times: Annotated[StrictInt, Field(ge=1)] | None = None
    every: Length | None = None

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


class When(Strict):
    """Exactly one of `now`, `date`, `dates`, `repeat`, `cron`, or `on` for a live campaign."""

    timezone: Name | None = None
    start: Day | None = None
    end: Day | None = None
    now: StrictBool | None = None
    date: Day | None = None
    dates: Annotated[tuple[Day, ...], Field(min_length=1)] | None = None
    repeat: Repeat | None = None
    cron: Annotated[tuple[Name, ...], BeforeValidator(_as_tuple), Field(min_length=1)] | None = None
    ends: Ends | None = None
    windows: tuple[ExportWindow, ...] = ()
    outside: Literal["hold", "drop"] = "hold"
    on: Annotated[tuple[EventTrigger, ...], BeforeValidator(_as_tuple), Field(min_length=1, max_length=10)] | None = (
        None
    )
    unless: Unless | None = None
    after: Length | None = None
    max_age: Length = Field(default_factory=lambda: Duration(60, "minute"))
    limit: Limit | None = None
    on_end: Literal["keep", "unlink", "empty"] = "keep"

    @model_validator(mode="before")
    @classmethod
    def _bare_now(cls, value: Any) -> Any:
        return {"now": True} if value == "now" else value

    @model_validator(mode="after")
    def _check(self) -> When:
        if only_one(self, *SCHEDULES, "on") is None:
            message = (
                f"says no time; allowed: {', '.join(f'`{name}`' for name in SCHEDULES)}, or `on` for a live campaign"
            )
            raise ValueError(message)
        if self.on is None and (self.unless or self.after or self.limit):
            message = "`unless`, `after` and `limit` belong to a live campaign, which needs `on`"
            raise ValueError(message)
        return self

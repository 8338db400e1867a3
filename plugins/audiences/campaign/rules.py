"""Rules over events: who `did` or `did_not` do something, how often, when, nested with `all`, `any`, `not`."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    StrictBool,
    StrictFloat,
    StrictInt,
    WithJsonSchema,
    model_validator,
)

from audiences.campaign.base import Name, Names, Strict, only_one
from audiences.campaign.properties import Properties
from audiences.campaign.windows import Window

Number = StrictInt | StrictFloat
COMPARISONS = ("at_least", "at_most", "more_than", "less_than", "equals", "between")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _weekday(value: Any) -> Any:
    return value.strip().lower()[:3] if isinstance(value, str) and value.strip().lower().endswith("day") else value


def _clock(value: Any) -> Any:
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        message = f"`{value}` is not a time of day; write for example `09:00`"
        raise ValueError(message) from error


Clock = Annotated[
    time,
    BeforeValidator(_clock),
    PlainSerializer(lambda clock: clock.isoformat(timespec="auto")),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2})?$", "examples": ["09:00"]}),
]
Weekdays = Annotated[tuple[Annotated[Weekday, BeforeValidator(_weekday)], ...], Field(min_length=1)]


class Comparison(Strict):
    """One comparison with a number; `between` includes both ends."""

    at_least: Number | None = None
    at_most: Number | None = None
    more_than: Number | None = None
    less_than: Number | None = None
    equals: Number | None = None
    between: tuple[Number, Number] | None = None

    @model_validator(mode="after")
    def _check(self) -> Comparison:
        if only_one(self, *COMPARISONS) is None:
            message = f"names no comparison; allowed: {', '.join(COMPARISONS)}"
            raise ValueError(message)
        return self


class Aggregate(Comparison):
    """A comparison of the sum or average `of` an event property; events without the property are skipped."""

    of: Name


class Did(Strict):
    """Users who did an event. Several events: `any_of` counts them together, `all_of` asks for each of them.

    `first_time` / `last_time`: the user's very first / last such event falls in that window. `or_never` lets users
    without any such event through as well; without it "fewer than 5" means 1 to 4.
    """

    event: Name | None = None
    any_of: Names | None = Field(None, min_length=1)
    all_of: Names | None = Field(None, min_length=1)
    within: Window = Field(default_factory=lambda: Window(ever=True))
    where: Properties | None = None
    count: Comparison | None = None
    sum: Aggregate | None = None
    average: Aggregate | None = None
    or_never: StrictBool = False
    first_time: Window | None = None
    last_time: Window | None = None
    time_of_day: tuple[Clock, Clock] | None = None
    day_of_week: Weekdays | None = None

    @model_validator(mode="after")
    def _check(self) -> Did:
        if only_one(self, "event", "any_of", "all_of") is None:
            message = "names no event; write `event: Name`, or `any_of` / `all_of` with a list"
            raise ValueError(message)
        return self

    @property
    def events(self) -> tuple[str, ...]:
        """The names of the events, one or several."""
        return (self.event,) if self.event is not None else self.any_of or self.all_of or ()


class DidNot(Strict):
    """Users who did not do an event: the exact opposite of `did`. Several events need `any_of` (none of them) or
    `all_of` (not all of them)."""

    event: Name | None = None
    any_of: Names | None = Field(None, min_length=1)
    all_of: Names | None = Field(None, min_length=1)
    within: Window = Field(default_factory=lambda: Window(ever=True))
    where: Properties | None = None
    time_of_day: tuple[Clock, Clock] | None = None
    day_of_week: Weekdays | None = None

    @model_validator(mode="after")
    def _check(self) -> DidNot:
        if only_one(self, "event", "any_of", "all_of") is None:
            message = "names no event; write `event: Name`; several events need an explicit `any_of` or `all_of`"
            raise ValueError(message)
        return self

    def positive(self) -> Did:
        """The `did` of which this is the opposite."""
        return Did.model_construct(**{name: getattr(self, name) for name in type(self).model_fields})


class Rules(Strict):
    """Which users, as in a saved segment or under `who`; everything given at one level must hold."""

    all: tuple[Rules, ...] | None = Field(None, min_length=1)
    any: tuple[Rules, ...] | None = Field(None, min_length=1)
    not_: Rules | None = Field(None, alias="not")
    did: Did | None = None
    did_not: DidNot | None = None
    segment: Names | None = Field(None, min_length=1)
    exclude_segment: Names | None = Field(None, min_length=1)

    @property
    def empty(self) -> bool:
        """Whether no rule is given at this level, which stands for every user of the catalog."""
        return all_unset(self, RULE_KEYS)

    def below(self) -> tuple[Rules, ...]:
        """The rules one level down."""
        return (*(self.all or ()), *(self.any or ()), *((self.not_,) if self.not_ else ()))

    def segments(self) -> set[str]:
        """The names of all saved segments that are used here or below."""
        here = {*(self.segment or ()), *(self.exclude_segment or ())}
        return here.union(*(rules.segments() for rules in self.below()))


RULE_KEYS = ("all", "any", "not_", "did", "did_not", "segment", "exclude_segment")


def all_unset(model: Strict, names: tuple[str, ...]) -> bool:
    """Whether none of the fields is given."""
    return not any(getattr(model, name) is not None for name in names)


class SavedRules(Rules):
    """A saved segment in `include/segments/<name>.yml`."""

    name: Name | None = None
    description: Name | None = None

    @model_validator(mode="after")
    def _says_something(self) -> SavedRules:
        if self.empty:
            message = "holds no rule; a segment needs `did`, `did_not`, `all`, `any`, `not` or `segment`"
            raise ValueError(message)
        return self

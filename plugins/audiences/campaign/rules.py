"""Rules over events: who `did` or `did_not` do something, how often, when, nested with `all`, `any`, `not`."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictFloat,
    StrictInt,
    WithJsonSchema,
    create_model,
    model_validator,
)

from audiences.campaign.base import Name, Names, PlacedError, Strict, Verbatim, Verbatims, only_one
from audiences.campaign.operators import COMPARISONS
from audiences.campaign.properties import Properties
from audiences.campaign.windows import Window
from audiences.campaign.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

Number = StrictInt | StrictFloat
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WeekdayName = Weekday | Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


_LONG_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _weekday(value: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else ""
    return word[:3] if word in _LONG_WEEKDAYS or word in WEEKDAYS else value


_CLOCK = re.compile(r"\d{2}:\d{2}(:\d{2})?", re.ASCII)


def _clock(value: Any) -> Any:
    if isinstance(value, time):
        return value
    try:
        if not isinstance(value, str) or not _CLOCK.fullmatch(value):
            raise ValueError  # `time.fromisoformat` also reads `09`, `T0900` and time zones
        return time.fromisoformat(value)
    except ValueError as error:
        message = f"{shown(value)} is not a time of day; write for example `09:00`"
        raise ValueError(message) from error


TimeOfDay = Annotated[
    time,
    BeforeValidator(_clock),
    PlainSerializer(lambda clock: clock.isoformat(timespec="seconds" if clock.second else "minutes")),
    WithJsonSchema({"type": "string", "pattern": r"^\d{2}:\d{2}(:\d{2})?$", "examples": ["09:00"]}),
]
Weekdays = Annotated[
    tuple[Annotated[Weekday, BeforeValidator(_weekday, json_schema_input_type=WeekdayName)], ...], Field(min_length=1)
]


def _one_event(value: Any) -> Any:
    if isinstance(value, list):
        message = "names one event; write several as `any_of: […]` or as `all_of: […]`"
        raise ValueError(message)
    return value


EventName = Annotated[Verbatim, BeforeValidator(_one_event)]


if TYPE_CHECKING:

    class _Comparisons(Strict): ...

else:  # a key for each operator of the table that compares numbers
    _Comparisons = create_model(
        "_Comparisons",
        __base__=Strict,
        **{
            operator.field: (
                (tuple[Number, Number] if operator.pair else Number) | None,
                Field(default=None, alias=operator.name, description=operator.compares.means),
            )
            for operator in COMPARISONS.values()
        },
    )


class Comparison(_Comparisons):
    """One comparison with a number; `between` includes both ends."""

    @model_validator(mode="after")
    def _check(self) -> Comparison:
        if only_one(self, *(operator.field for operator in COMPARISONS.values())) is None:
            message = f"names no comparison; allowed: {', '.join(COMPARISONS)}"
            raise ValueError(message)
        return self

    def operator(self) -> tuple[str, Any]:
        """The operator that is set, by its name in the file, and its number, or its two numbers."""
        given = ((operator.name, getattr(self, operator.field)) for operator in COMPARISONS.values())
        return next((name, value) for name, value in given if value is not None)

    def words(self) -> str:
        """In English: `at least 2`."""
        name, value = self.operator()
        compares = COMPARISONS[name].compares
        return compares.words(value) if compares else name


class Aggregate(Comparison):
    """A comparison of the sum or average `of` an event property; events without the property are skipped."""

    of: Name
    """The event property that is added up or averaged."""


class Did(Strict):
    """Users who did an event. Several events: `any_of` counts them together, `all_of` asks for each of them.

    `first_time` / `last_time`: the user's very first / last such event falls in that window. `or_never` lets users
    without any such event through as well; without it "fewer than 5" means 1 to 4.
    """

    event: EventName | None = None
    """The name of one event."""
    any_of: Verbatims | None = Field(None, min_length=1)
    """Several events, counted together."""
    all_of: Verbatims | None = Field(None, min_length=1)
    """Several events; the user did each of them."""
    within: Window = Field(default_factory=lambda: Window(ever=True))
    """When, such as `last 30 days`, `exactly 3 days ago`, `last 24 hours`; `ever` unless given."""
    where: Properties | None = None
    """Only events with these properties count."""
    count: Comparison | None = None
    """How many such events, such as `{at_least: 2}`; at least one unless given."""
    sum: Aggregate | None = None
    """The sum of an event property, such as `{of: amount, at_least: 100}`."""
    average: Aggregate | None = None
    """The average of an event property; events without it are skipped."""
    or_never: StrictBool = False
    """Also users who never did it."""
    first_time: Window | None = None
    """The user's very first such event falls in this window."""
    last_time: Window | None = None
    """The user's latest such event falls in this window."""
    time_of_day: tuple[TimeOfDay, TimeOfDay] | None = None
    """Only events between these times of day, such as `["18:00", "23:00"]`."""
    day_of_week: Weekdays | None = None
    """Only events on these weekdays."""

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

    def properties(self) -> set[str]:
        """The names of all event properties that the rule reads, whether it compares or adds them up."""
        compared = self.where.properties() if self.where else set()
        return compared | {each.of for each in (self.sum, self.average) if each is not None}


class DidNot(Strict):
    """Users who did not do an event: the exact opposite of `did`. Several events need `any_of` (none of them) or
    `all_of` (not all of them)."""

    event: EventName | None = None
    """The name of one event."""
    any_of: Verbatims | None = Field(None, min_length=1)
    """Several events; the user did none of them."""
    all_of: Verbatims | None = Field(None, min_length=1)
    """Several events; the user did not do all of them."""
    within: Window = Field(default_factory=lambda: Window(ever=True))
    """When, such as `last 30 days`, `exactly 3 days ago`, `last 24 hours`; `ever` unless given."""
    where: Properties | None = None
    """Only events with these properties count."""
    time_of_day: tuple[TimeOfDay, TimeOfDay] | None = None
    """Only events between these times of day, such as `["18:00", "23:00"]`."""
    day_of_week: Weekdays | None = None
    """Only events on these weekdays."""

    @model_validator(mode="after")
    def _check(self) -> DidNot:
        if only_one(self, "event", "any_of", "all_of") is None:
            message = "names no event; write `event: Name`; several events need an explicit `any_of` or `all_of`"
            raise ValueError(message)
        return self

    def positive(self) -> Did:
        """The `did` of which this is the opposite."""
        return Did.model_construct(**{name: getattr(self, name) for name in type(self).model_fields})


_NO_RULE = "holds no rule; give it `did`, `did_not`, `all`, `any`, `not` or `segment`, or remove it"


class Rules(Strict):
    """Which users, as in a saved segment or under `who`; everything given at one level must hold."""

    all: tuple[Rules, ...] | None = Field(None, min_length=1)
    """All of these hold."""
    any: tuple[Rules, ...] | None = Field(None, min_length=1)
    """At least one of these holds."""
    not_: Rules | None = Field(None, alias="not")
    """This does not hold."""
    did: Did | None = None
    """The user did an event."""
    did_not: DidNot | None = None
    """The user did not do an event."""
    segment: Names | None = Field(None, min_length=1)
    """The user is in this saved segment of include/segments/, or in all of several."""
    exclude_segment: Names | None = Field(None, min_length=1)
    """The user is in none of these saved segments."""

    @property
    def empty(self) -> bool:
        """Whether no rule is given at this level, which stands for every user of the catalog."""
        return all_unset(self, RULE_KEYS)

    @model_validator(mode="after")
    def _each_says_something(self) -> Rules:
        """An empty rule would hold for everybody: among `any`, it would let all users of the warehouse in."""
        for key, rules in (("all", self.all or ()), ("any", self.any or ())):
            for number, each in enumerate(rules):
                if each.empty:
                    raise PlacedError(_NO_RULE, key, number)
        if self.not_ is not None and self.not_.empty:
            raise PlacedError(_NO_RULE, "not")
        return self

    def below(self) -> tuple[Rules, ...]:
        """The rules one level down."""
        return (*(self.all or ()), *(self.any or ()), *((self.not_,) if self.not_ else ()))

    def over_events(self) -> Iterator[Did]:
        """The rules over events here and below; of a `did_not` the `did` of which it is the opposite."""
        if self.did is not None:
            yield self.did
        if self.did_not is not None:
            yield self.did_not.positive()
        for rules in self.below():
            yield from rules.over_events()

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

    model_config = ConfigDict(title="Segment")

    name: Name | None = None
    """The segment's name for people."""
    description: Name | None = None
    """Whom it holds, in a sentence."""

    @model_validator(mode="after")
    def _says_something(self) -> SavedRules:
        if self.empty:
            message = "holds no rule; a segment needs `did`, `did_not`, `all`, `any`, `not` or `segment`"
            raise ValueError(message)
        return self

"""Conditions on a property in a canonical form: six checks, typed and bounded, that pandas and SQL both evaluate.

Everything that depends on the property's type is settled here, once, so that the two engines cannot read a condition
differently: windows become instants or days, versions become sort keys, numbers fit the column's type.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from audiences.campaign.operators import OPERATORS
from audiences.campaign.windows import Window
from audiences.errors import FixConfigError
from audiences.query.versions import version_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime
    from zoneinfo import ZoneInfo

    from audiences.campaign.catalog import PropertyType
    from audiences.campaign.properties import Condition


@dataclass(frozen=True, slots=True)
class IsSet:
    """There is a value."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of these; none of them matches nothing."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """The value lies between two bounds; None is an open end, and `below` excludes the upper bound itself."""

    lower: Any = None
    upper: Any = None
    above: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Searched:
    """The text passes an operator that searches it, such as `contains` or `matches`, letter case included."""

    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The list holds at least one of these."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """The list holds every one of these."""

    values: tuple[str, ...]


ValueCheck = IsSet | OneOf | Range | Searched | AnyOf | AllOf
NOTHING = OneOf(())


@dataclass(frozen=True, slots=True)
class Clause:
    """One operator of a condition. A null passes no check, and so passes every negated one."""

    check: ValueCheck
    negated: bool = False


@dataclass(eq=False)
class OperatorError(FixConfigError):
    """An operator or value that the property's type does not know; validation keeps it from a run."""

    operator: str
    kind: str

    def __str__(self) -> str:
        return (
            f"the operator `{self.operator}` or its value does not fit a property of type {self.kind}; "
            "correct the campaign file: audiences validate"
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where a run looks: its time and the time zone in which the campaign's days are cut."""

    at: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The run's local date."""
        return self.at.astimezone(self.zone).date()


def clauses(condition: Condition, kind: PropertyType, moment: Moment) -> tuple[Clause, ...]:
    """What a condition says about a property of this type; all clauses must hold. Raises OperatorError."""
    return tuple(_clause(operator, value, kind, moment) for operator, value in condition.operators().items())


def _clause(operator: str, value: Any, kind: PropertyType, moment: Moment) -> Clause:
    known = OPERATORS[operator]
    if kind not in known.types:
        raise OperatorError(operator=operator, kind=kind)
    if known.check == "presence":
        return Clause(IsSet(), negated=not value)
    positive = known.denies or operator
    try:
        check = _READERS[kind](positive, value, moment)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise OperatorError(operator=operator, kind=kind) from error
    if check is None:
        raise OperatorError(operator=operator, kind=kind)
    return Clause(check, negated=positive != operator)


def text_of(value: Any) -> str:
    """A scalar of the file as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _string(operator: str, value: Any, _: Moment) -> ValueCheck | None:
    match operator:
        case "equals":
            return OneOf((text_of(value),))
        case "in":
            return OneOf(tuple(map(text_of, value)))
    return Searched(operator, value) if OPERATORS[operator].searches else None


def _list(operator: str, value: Any, _: Moment) -> ValueCheck | None:
    match operator:
        case "contains_any":
            return AnyOf(tuple(map(text_of, value)))
        case "contains_all":
            return AllOf(tuple(map(text_of, value)))
    return None


def _boolean(operator: str, value: Any, _: Moment) -> ValueCheck | None:
    values = (value,) if operator == "equals" else value if operator == "in" else None
    if values is None or not all(isinstance(each, bool) for each in values):
        return None
    return OneOf(tuple(values))


def _ordered(operator: str, value: Any, read: Callable[[Any], Any]) -> ValueCheck | None:
    """Equality and comparisons; `read` turns a value of the file into one of the property's type, None if it cannot be."""
    match operator:
        case "equals" | "in":
            values = map(read, (value,) if operator == "equals" else value)
            return OneOf(tuple(each for each in values if each is not None))
        case "between":
            bounds = Range(read(value[0]), read(value[1]))
            return NOTHING if bounds.lower is None or bounds.upper is None else bounds
        case "at_least" | "more_than":
            lower = read(value)
            return NOTHING if lower is None else Range(lower=lower, above=operator == "more_than")
        case "at_most" | "less_than":
            upper = read(value)
            return NOTHING if upper is None else Range(upper=upper, below=operator == "less_than")
    return None


def _version(operator: str, value: Any, _: Moment) -> ValueCheck | None:
    return _ordered(operator, value, lambda written: version_key(text_of(written)))


def _number(operator: str, value: Any, _: Moment) -> ValueCheck | None:
    return _ordered(operator, value, _float)


def _float(value: Any) -> float | None:
    if isinstance(value, bool):
        raise TypeError
    number = float(value)
    return None if math.isnan(number) else number + 0.0  # a zero without a sign


_INT64 = (-(2**63), 2**63 - 1)


def _integer(operator: str, value: Any, _: Moment) -> ValueCheck | None:
    """The same over whole numbers of 64 bits, with every bound a whole number that belongs to the range."""
    check = _ordered(operator, value, _exact)
    if isinstance(check, OneOf):
        return OneOf(tuple(int(each) for each in check.values if _fits(each) and each == int(each)))
    if not isinstance(check, Range):
        return check
    lower, upper = _INT64
    if check.lower is not None and check.lower != -math.inf:
        lower = _beyond(check.lower, upwards=True, strictly=check.above)
    if check.upper is not None and check.upper != math.inf:
        upper = _beyond(check.upper, upwards=False, strictly=check.below)
    if lower > upper or lower > _INT64[1] or upper < _INT64[0]:
        return NOTHING
    return Range(
        lower=max(lower, _INT64[0]) if check.lower is not None else None,
        upper=min(upper, _INT64[1]) if check.upper is not None else None,
    )


def _exact(value: Any) -> int | float | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else _float(value)


def _fits(value: float) -> bool:
    return _INT64[0] <= value <= _INT64[1]


def _beyond(bound: float, *, upwards: bool, strictly: bool) -> int:
    """The first whole number inside a range that starts at `bound` and goes up or down."""
    if math.isinf(bound):
        return 2**64 if bound > 0 else -(2**64)
    whole = math.ceil(bound) if upwards else math.floor(bound)
    step = 1 if upwards else -1
    return whole + step if strictly and whole == bound else whole


def _window(operator: str, value: Any) -> Window | None:
    match operator:
        case "within":
            return value if isinstance(value, Window) else None
        case "between":
            return Window.model_validate({"between": value})
        case "before" | "after":
            return Window.model_validate({operator: value})
        case "equals":
            return Window.model_validate({"between": (value, value)})
    return None


def _date(operator: str, value: Any, moment: Moment) -> ValueCheck | None:
    window = _window(operator, value)
    if window is None:
        return None
    first, last = window.days(moment.at, moment.zone)
    return Range(first, last)


def _datetime(operator: str, value: Any, moment: Moment) -> ValueCheck | None:
    window = _window(operator, value)
    if window is None:
        return None
    lower, upper = window.bounds(moment.at, moment.zone)
    return Range(lower, upper, below=upper is not None)


_READERS: dict[str, Callable[[str, Any, Moment], ValueCheck | None]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "version": _version,
    "list": _list,
}

"""An evaluator of rules and filters in plain Python, row by row, written from the semantics and not from the product.

It shares nothing with the product but the models of the campaign file. Slow and obvious on purpose.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from audiences.campaign.windows import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from audiences.campaign.properties import Condition, PropertyTree
    from audiences.campaign.rules import Comparison, Did, Rules
    from audiences.campaign.spec import CampaignSpec


@dataclass(frozen=True)
class Event:
    user: str | None
    name: str
    at: datetime
    values: dict[str, Any]  # by property, as the types of the catalog


@dataclass
class World:
    """What the warehouse holds, already typed, and where and when it is looked at."""

    users: dict[str, dict[str, Any]]
    events: list[Event]
    sql_segments: dict[str, Callable[[World], Iterable[Any]]] = field(default_factory=dict)

    def of_user(self, user: str) -> list[Event]:
        return [event for event in self.events if event.user == user]


@dataclass(frozen=True)
class Look:
    at: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        return self.at.astimezone(self.zone).date()


def qualified(spec: CampaignSpec, world: World, at: datetime) -> set[str]:
    look = Look(at, ZoneInfo(spec.timezone))
    return {user for user in world.users if rules_hold(spec.campaign.who, user, spec, world, look)}


def rules_hold(rules: Rules, user: str, spec: CampaignSpec, world: World, look: Look) -> bool:
    def below(part: Rules) -> bool:
        return rules_hold(part, user, spec, world, look)

    def segment(name: str) -> bool:
        saved = spec.segments[name]
        if saved.rules is not None:
            return below(saved.rules)
        if saved.sql is not None:
            return user in {str(found) for found in world.sql_segments[name](world)}
        return user in (saved.users or ())

    events = world.of_user(user)
    answers = [True]
    if rules.all is not None:
        answers.append(all(below(part) for part in rules.all))
    if rules.any is not None:
        answers.append(any(below(part) for part in rules.any))
    if rules.not_ is not None:
        answers.append(not below(rules.not_))
    if rules.did is not None:
        answers.append(did_holds(rules.did, events, spec, look))
    if rules.did_not is not None:
        answers.append(not did_holds(rules.did_not.positive(), events, spec, look))
    answers += [segment(name) for name in rules.segment or ()]
    answers += [not segment(name) for name in rules.exclude_segment or ()]
    return all(answers)


def did_holds(did: Did, events: list[Event], spec: CampaignSpec, look: Look) -> bool:
    if did.all_of is not None:
        return all(_did(did, {name}, events, spec, look) for name in did.all_of)
    return _did(did, {did.event} if did.event is not None else set(did.any_of or ()), events, spec, look)


def _did(did: Did, names: set[str], events: list[Event], spec: CampaignSpec, look: Look) -> bool:
    assert spec.catalog.events is not None
    types = {name: declared.type for name, declared in spec.catalog.events.properties.items()}
    ever = [event for event in events if event.name in names and event.at <= look.at]
    if did.where is not None:
        ever = [event for event in ever if tree_holds(did.where, event.values, types, look)]
    if did.time_of_day is not None:
        ever = [event for event in ever if _on_the_clock(did.time_of_day, event.at.astimezone(look.zone).time())]
    if did.day_of_week is not None:
        ever = [event for event in ever if event.at.astimezone(look.zone).strftime("%a").lower() in did.day_of_week]
    such = [event for event in ever if _in_window(did.within, event.at, look)]
    if not such:
        return did.or_never
    if did.count is not None and not _compares(Fraction(len(such)), did.count):
        return False
    if did.sum is not None and not _compares(sum(_amounts(such, did.sum.of), Fraction(0)), did.sum):
        return False
    if did.average is not None:
        amounts = _amounts(such, did.average.of)
        if not amounts or not _compares(sum(amounts, Fraction(0)) / len(amounts), did.average):
            return False
    if did.first_time is not None and not _in_window(did.first_time, min(event.at for event in ever), look):
        return False
    return did.last_time is None or _in_window(did.last_time, max(event.at for event in ever), look)


def _amounts(events: list[Event], name: str) -> list[Fraction]:
    # By way of the decimal text: 0.1 is meant as a tenth.
    return [Fraction(Decimal(str(event.values[name]))) for event in events if event.values[name] is not None]


def _compares(value: Fraction, comparison: Comparison) -> bool:
    def number(given: float) -> Fraction:
        return Fraction(Decimal(str(given)))

    name, given = comparison.operator()
    if name == "between":
        return number(given[0]) <= value <= number(given[1])
    holds = {
        "at_least": value.__ge__,
        "at_most": value.__le__,
        "more_than": value.__gt__,
        "less_than": value.__lt__,
        "equals": value.__eq__,
    }
    return bool(holds[name](number(given)))


def _on_the_clock(span: tuple[time, time], clock: time) -> bool:
    start, end = span
    return start <= clock < end if start < end else clock >= start or clock < end


def _in_window(window: Window, instant: datetime, look: Look) -> bool:
    """Decided by the local calendar day of the instant, not by computed bounds."""
    day = instant.astimezone(look.zone).date()
    if window.last is not None:
        if window.last.unit in ("minute", "hour"):
            length = timedelta(**{f"{window.last.unit}s": window.last.amount})
            return look.at - length <= instant <= look.at
        return _back(look.today, window.last.amount, window.last.unit) <= day and instant <= look.at
    if window.exactly_ago is not None:
        return day == look.today - timedelta(days=window.exactly_ago.amount)
    if window.calendar is not None:
        which, unit = window.calendar
        return _period(day, unit) == _period(look.today if which == "this" else _before(look.today, unit), unit)
    if window.between is not None:
        return not _is_before(instant, window.between[0], look) and not _is_after(instant, window.between[1], look)
    if window.before is not None:
        return _is_before(instant, window.before, look)
    if window.after is not None:
        return _is_after(instant, window.after, look)
    return True


def _is_before(instant: datetime, mark: date | datetime, look: Look) -> bool:
    if isinstance(mark, datetime):
        return instant < _aware(mark, look)
    return instant.astimezone(look.zone).date() < mark


def _is_after(instant: datetime, mark: date | datetime, look: Look) -> bool:
    if isinstance(mark, datetime):
        return instant > _aware(mark, look)
    return instant.astimezone(look.zone).date() > mark


def _aware(mark: datetime, look: Look) -> datetime:
    return (mark if mark.tzinfo else mark.replace(tzinfo=look.zone)).astimezone(UTC)


def _back(day: date, amount: int, unit: str) -> date:
    if unit in ("day", "week"):
        return day - timedelta(days=amount * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 - amount * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError


def _period(day: date, unit: str) -> tuple[int, ...]:
    return {
        "day": (day.toordinal(),),
        "week": day.isocalendar()[:2],
        "month": (day.year, day.month),
        "year": (day.year,),
    }[unit]


def _before(day: date, unit: str) -> date:
    """Some day of the period before."""
    if unit == "day":
        return day - timedelta(days=1)
    if unit == "week":
        return day - timedelta(days=7)
    return day.replace(day=1) - timedelta(days=1) if unit == "month" else date(day.year - 1, 6, 1)


def tree_holds(tree: PropertyTree, values: dict[str, Any], types: Mapping[str, str], look: Look) -> bool:
    answers = [condition_holds(c, values[name], types[name], look) for name, c in tree.conditions.items()]
    if tree.all is not None:
        answers += [tree_holds(below, values, types, look) for below in tree.all]
    if tree.any is not None:
        answers.append(any(tree_holds(below, values, types, look) for below in tree.any))
    if tree.not_ is not None:
        answers.append(not tree_holds(tree.not_, values, types, look))
    return all(answers)


def condition_holds(condition: Condition, value: Any, kind: str, look: Look) -> bool:
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    return all(_operator_holds(name, given, value, kind, look) for name, given in condition.operators().items())


def _operator_holds(name: str, given: Any, value: Any, kind: str, look: Look) -> bool:
    if name == "is_set":
        return (value is not None) is bool(given)
    for negative in ("not_equals", "not_in", "not_contains"):
        if name == negative:
            return not _operator_holds(negative.removeprefix("not_"), given, value, kind, look)
    if value is None:
        return False
    if kind == "age":
        return _compare_holds(name, given, _age(value, look.today), "integer")
    if kind == "country":
        return _country_holds(name, given, value, look)
    if kind in ("date", "datetime"):
        return _date_holds(name, given, value, look)
    if kind == "list":
        wanted = [str(each) for each in given]
        return (
            any(each in value for each in wanted) if name == "contains_any" else all(each in value for each in wanted)
        )
    if name == "contains":
        return given in value
    if name == "starts_with":
        return str(value).startswith(given)
    if name == "ends_with":
        return str(value).endswith(given)
    if name == "matches":
        return re.search(given.replace("$", r"\Z"), value, re.DOTALL | re.ASCII) is not None
    return _compare_holds(name, given, value, kind)


def _age(born: date, today: date) -> int:
    """How many birthdays lie behind, counted one by one; that of 29 February is 1 March where the year has none."""

    def birthday(year: int) -> date:
        try:
            return born.replace(year=year)
        except ValueError:
            return date(year, 3, 1)

    years = range(-200, 200)
    return max(age for age in years if birthday(born.year + age) <= today)


def _country_holds(name: str, given: Any, value: str, look: Look) -> bool:
    def same(one: str, other: str) -> bool:
        codes = [CODES.get(each.strip().lower()) for each in (one, other)]
        return one == other if None in codes else codes[0] == codes[1]

    if name in ("equals", "in"):
        return any(same(value, each) for each in (given if name == "in" else (given,)))
    return _operator_holds(name, given, value, "string", look)


# The countries of the random world, by all the ways in which it writes them.
CODES = {"india": "IN", "in": "IN", "ind": "IN", "germany": "DE", "de": "DE", "côte d'ivoire": "CI", "ci": "CI"}


def _compare_holds(name: str, given: Any, value: Any, kind: str) -> bool:
    def order(other: Any) -> int:
        if kind == "version":
            return compare_versions(value, other)
        if kind == "string":
            other = str(other)
        if kind in ("integer", "number") and math.isinf(value):
            return 1 if value > 0 else -1
        return (value > other) - (value < other) if kind != "string" else int(value != other)

    match name:
        case "equals":
            return order(given) == 0
        case "in":
            return any(order(each) == 0 for each in given)
        case "between":
            return order(given[0]) >= 0 and order(given[1]) <= 0
        case "at_least":
            return order(given) >= 0
        case "at_most":
            return order(given) <= 0
        case "more_than":
            return order(given) > 0
        case "less_than":
            return order(given) < 0
    message = f"the naive evaluator, tests/who/naive.py, does not know the operator `{name}`: add what it means"
    raise AssertionError(message)


def _date_holds(name: str, given: Any, value: date | datetime, look: Look) -> bool:
    if name == "within":
        window = given
    elif name == "between":
        window = Window.model_validate({"between": given})
    elif name == "equals":
        window = Window.model_validate({"between": (given, given)})
    else:
        window = Window.model_validate({name: given})
    if isinstance(value, datetime):
        return _in_window(window, value, look)
    # A day without time: inside if noon of it is, and, for what ends at the run, the run's own day counts whole.
    if window.last is not None:
        return _back(look.today, window.last.amount, window.last.unit) <= value <= look.today
    return _in_window(window, datetime(value.year, value.month, value.day, 12, tzinfo=look.zone), look)


_WORD = re.compile(r"[0-9]+|[A-Za-z]+")


def compare_versions(left: Any, right: Any) -> int:
    """-1, 0 or 1; numbers as numbers, a missing number as 0, a word before the plain version."""
    rows = [_components(str(left)), _components(str(right))]
    for a, b in zip_longest(*rows):
        if a == b:
            continue
        # The end stands between words and numbers.
        places = [(1, 0) if each is None else (2, each) if isinstance(each, int) else (0, each) for each in (a, b)]
        return -1 if places[0] < places[1] else 1
    return 0


def _components(text: str) -> list[int | str]:
    plain = text[1:] if text[:1] in ("v", "V") and text[1:2].isdigit() else text
    release = re.match(r"[0-9]+(\.[0-9]+)*", plain)
    head = release[0] if release else ""
    numbers = [int(part) for part in head.split(".")] if head else []
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    rest = [int(part) if part.isdigit() else part.lower() for part in _WORD.findall(plain[len(head) :])]
    return [*numbers, *rest]

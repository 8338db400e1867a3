"""Rules and conditions in plain English, as a nested Markdown list; every name and value of a file in a code span."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import time
from typing import Any, TypeVar

from audiences.campaign.operator_table import Operator
from audiences.campaign.operators import OPERATORS
from audiences.campaign.properties import PropertyTree
from audiences.campaign.rules import Did, DidNot, Rules
from audiences.campaign.windows import Window
from audiences.redact import harmless_line

T = TypeVar("T")

_MARKUP = re.compile(r"([\\`*_{}\[\]<>#+\-.!|~&()])")


@dataclass(frozen=True, slots=True)
class ListItem:
    """An entry of a list, with the list below it."""

    said: str
    below: list[ListItem] = field(default_factory=list)


def bullets(entries: Iterable[ListItem], depth: int = 0) -> list[str]:
    """The lines of a Markdown list."""
    return [line for entry in entries for line in (f"{'  ' * depth}- {entry.said}", *bullets(entry.below, depth + 1))]


def plain(text: str) -> str:
    """Text of a file in Markdown that shows it as it is: no markup, no HTML, one line."""
    return _MARKUP.sub(r"\\\1", " ".join(harmless_line(text).split()))


def code(value: Any) -> str:
    """A name or value as a code span, in which nothing is markup."""
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{' '.join(harmless_line(shown).replace('`', '´').split()) or ' '}`"


def codes(values: Iterable[Any]) -> str:
    """Several names or values."""
    return ", ".join(code(value) for value in values)


def clock(at: time) -> str:
    """A time of day, without seconds where they say nothing."""
    return at.isoformat(timespec="seconds" if at.second else "minutes")


def rules(given: Rules) -> list[ListItem]:
    """What must hold at one level of rules."""
    entries = []
    if given.segment:
        entries.append(ListItem(f"are in the saved segment {' and in '.join(map(code, given.segment))}"))
    if given.exclude_segment:
        entries.append(ListItem(f"are not in the saved segment {' nor in '.join(map(code, given.exclude_segment))}"))
    if given.did:
        entries.append(ListItem(_did(given.did), _where(given.did)))
    if given.did_not:
        entries.append(ListItem(_did_not(given.did_not), _where(given.did_not)))
    return entries + _joined(given.all, given.any, given.not_, rules)


def conditions(tree: PropertyTree) -> list[ListItem]:
    """What must hold at one level of conditions on properties."""
    entries = [
        ListItem(f"{code(name)} {_operator(OPERATORS[operator], value)}")
        for name, condition in tree.conditions.items()
        for operator, value in condition.operators().items()
    ]
    return entries + _joined(tree.all, tree.any, tree.not_, conditions)


def _joined(
    every: tuple[T, ...] | None, some: tuple[T, ...] | None, no: T | None, level: Callable[[T], list[ListItem]]
) -> list[ListItem]:
    entries = [entry for below in every or () for entry in level(below)]
    if some:
        entries.append(ListItem("at least one of these:", [_one(level(below)) for below in some]))
    if no:
        entries.append(ListItem("not this:", [_one(level(no))]))
    return entries


def _one(entries: list[ListItem]) -> ListItem:
    return entries[0] if len(entries) == 1 else ListItem("all of these:", entries)


def _operator(operator: Operator, value: Any) -> str:
    if operator.check == "presence":
        return "has a value" if value else "has no value"
    if isinstance(value, Window):
        return f"is {_window(value)}"
    return operator.words(value, code)


def _did(did: Did) -> str:
    parts = [f"did {_events(did)} {_window(did.within)}"]
    if did.count:
        parts.append(f"{did.count.words()} times")
    for name, aggregate in (("sum", did.sum), ("average", did.average)):
        if aggregate:
            parts.append(f"with the {name} of {code(aggregate.of)} {aggregate.words()}")
    if did.first_time:
        parts.append(f"for the first time {_window(did.first_time)}")
    if did.last_time:
        parts.append(f"most recently {_window(did.last_time)}")
    return ", ".join([*parts, *_hours(did)]) + (", or never" if did.or_never else "") + _only_where(did)


def _did_not(rule: DidNot) -> str:
    return ", ".join([f"did not do {_events(rule)} {_window(rule.within)}", *_hours(rule)]) + _only_where(rule)


def _only_where(rule: Did | DidNot) -> str:
    return ", where:" if rule.where else ""


def _events(rule: Did | DidNot) -> str:
    if rule.any_of:
        return f"any of {codes(rule.any_of)}"
    return f"all of {codes(rule.all_of)}" if rule.all_of else code(rule.event)


def _hours(rule: Did | DidNot) -> list[str]:
    parts = []
    if rule.time_of_day:
        parts.append(f"between {clock(rule.time_of_day[0])} and {clock(rule.time_of_day[1])}")
    if rule.day_of_week:
        parts.append(f"on {', '.join(day.capitalize() for day in rule.day_of_week)}")
    return parts


def _where(rule: Did | DidNot) -> list[ListItem]:
    return conditions(rule.where) if rule.where else []


def _window(window: Window) -> str:
    if window.last:
        return f"in the last {window.last}"
    if window.calendar and window.calendar[1] != "day":
        return f"in {'this' if window.calendar[0] == 'this' else 'the previous'} {window.calendar[1]}"
    return "at any time" if window.ever else str(window)

"""Whether conditions fit the properties they are about: names, operators, types of values, listed values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from audiences.campaign.catalog import EventProperty, Property, PropertyType
from audiences.campaign.checks.finding import Finding, Findings, unknown
from audiences.campaign.checks.value_types import as_day, country_mistake, mistake, pattern_mistake
from audiences.campaign.operators import BY_TYPE, OPERATORS
from audiences.campaign.properties import Condition, PropertyTree
from audiences.campaign.windows import Window
from audiences.campaign.wording import choice, shown

Declared = Property | EventProperty

_KINDS = {"integer": "a whole number", "list": "a list of text", "string": "text", "boolean": "true or false"}


def tree_findings(tree: PropertyTree, known: Mapping[str, Declared], kind: str, none: str) -> Findings:
    """Check a tree of conditions; `kind` names such properties in messages, `none` says what to do if there are none."""
    for name, condition in tree.conditions.items():
        if name in known:
            yield from (found.under(name) for found in _condition_findings(name, condition, known[name]))
        else:
            yield Finding((name,), "unknown-property", unknown(kind, name, known, none=none), key=True)
    for joint in ("all", "any"):
        for index, below in enumerate(getattr(tree, joint) or ()):
            yield from (found.under(joint, index) for found in tree_findings(below, known, kind, none))
    if tree.not_:
        yield from (found.under("not") for found in tree_findings(tree.not_, known, kind, none))


def compared_as(declared: Declared) -> PropertyType:
    """The type that conditions on a property must fit."""
    return declared.compared_as if isinstance(declared, Property) else declared.type


def _condition_findings(name: str, condition: Condition, declared: Declared) -> Findings:
    kind = compared_as(declared)
    for operator, value in condition.operators().items():
        if operator in BY_TYPE[kind]:
            yield from _value_findings(name, operator, value, declared)
        else:
            does_not_fit = f"`{operator}` does not fit {shown(name)}, which is {_a(kind)}"
            yield Finding((operator,), "wrong-operator", does_not_fit + choice(operator, BY_TYPE[kind]), key=True)


def _a(kind: PropertyType) -> str:
    return _KINDS.get(kind, f"a {kind}")


def _value_findings(name: str, operator: str, value: Any, declared: Declared) -> Findings:
    kind = compared_as(declared)
    if OPERATORS[operator].check == "pattern" and (message := pattern_mistake(value)):
        yield Finding((operator,), "bad-pattern", message)
    if kind == "date" and _has_time(value):
        message = f"{shown(name)} is a date without a time of day; give whole days, such as `last 2 days`"
        yield Finding((operator,), "wrong-value-type", message)
    if not OPERATORS[operator].scalars:
        return
    several = isinstance(value, tuple)
    wrong = False
    for index, each in enumerate(value if several else (value,)):
        code, message = _mistake(name, operator, each, declared)
        if message:
            wrong = True
            yield Finding((operator, index) if several else (operator,), code, message)
    if operator == "between" and not wrong and _upside_down(kind, *value):
        yield Finding((operator,), "wrong-order", f"starts after it ends: {shown(value[0])} > {shown(value[1])}")


def _mistake(name: str, operator: str, value: Any, declared: Declared) -> tuple[str, str]:
    """Code and message of what is wrong with one value, both empty when nothing is."""
    kind = compared_as(declared)
    whole_value = OPERATORS[operator].whole_values
    if message := mistake(kind, value):
        return "wrong-value-type", f"{shown(name)} is {_a(kind)}; {message}"
    if kind == "integer" and whole_value and value != int(value):
        return "wrong-value-type", f"{shown(name)} is {_a(kind)}; {shown(value)} would never match"
    if whole_value and declared.values is not None and str(value) not in map(str, declared.values):
        return "unknown-value", f"{shown(value)} is not a value of {shown(name)}{choice(value, declared.values)}"
    if whole_value and isinstance(declared, Property) and declared.derive == "country":
        return "unknown-country", country_mistake(str(value))
    return "", ""


def _has_time(value: Any) -> bool:
    """Whether a window, a day or a pair of days speaks of hours and minutes."""
    if isinstance(value, Window):
        days = value.between or (value.before, value.after)
        return value.rolling or any(isinstance(day, datetime) for day in days)
    return any(isinstance(as_day(day), datetime) for day in (value if isinstance(value, tuple) else (value,)))


def _upside_down(kind: PropertyType, lower: Any, upper: Any) -> bool:
    if kind in ("integer", "number"):
        return bool(lower > upper)
    if kind not in ("date", "datetime"):
        return False
    try:
        Window.model_validate({"between": [lower, upper]})
    except ValueError:
        return True
    return False

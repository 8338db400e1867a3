"""What validation found, in the words of the campaign file: where it stands, what was found, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from audiences.campaign.base import PlacedError
from audiences.campaign.grammar import Spot, home_of, locate
from audiences.campaign.source import Document
from audiences.campaign.wording import Path, choice, did_you_mean, nearest, shown
from audiences.errors import Problem

M = TypeVar("M", bound=BaseModel)

_MOST = 50  # of one file; whoever corrects these sees the next
MOST_FINDINGS = 500
"""Of one file; more are not looked for, since each is worded with a search for the nearest name."""
_MOST_MISTYPED = 100  # unknown keys that a missing one is looked for among

_EXPECTED = {  # pydantic's types of error for a value of the wrong kind
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "`true`/`false`",
    "tuple_type": "a list",
    "dict_type": "a mapping of names",
    "model_type": "a mapping of keys",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
}
_NOUNS = {  # keys whose values have a name of their own
    "status": "a status",
    "qualification": "a qualification",
    "action": "an action",
    "identifiers": "an identifier",
    "type": "a type",
    "group": "a group",
    "days": "a weekday",
    "day_of_week": "a weekday",
}
_PATTERNS = {
    "^[0-9]{1,20}$": "digits only, as Facebook writes its ids",
    "^act_[0-9]+$": "`act_` and digits, such as `act_1234567890`",
    "^[A-Za-z]{2}$": "a country code of two letters, such as `IN`",
}
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*%")
_YES_NO = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


@dataclass(frozen=True, slots=True)
class _Found:
    """One of pydantic's errors and what its location means in the file."""

    error: ErrorDetails
    spot: Spot

    @property
    def kind(self) -> str:
        return self.error["type"]

    @property
    def context(self) -> dict[str, Any]:
        return self.error.get("ctx", {})

    @property
    def last(self) -> str | int:
        return self.error["loc"][-1] if self.error["loc"] else ""


def first_of(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems of one file in order, at most fifty of them, and how many more there are."""
    ordered = sorted(problems)
    listed = ordered[:_MOST]
    if more := len(ordered) - len(listed):
        listed.append(Problem(ordered[0].file, ordered[_MOST].line, 1, "", "and-more", f"and {more:,} more problems"))
    return tuple(listed)


def validate(document: Document, model: type[M]) -> tuple[M | None, tuple[Problem, ...]]:
    """A document as a model, if its shape is right, and every problem of reading and of shape."""
    problems: list[Problem] = []
    read = None
    try:
        read = model.model_validate(document.data)
    except ValidationError as error:
        problems = problems_of(error, model, document)
    reported = {problem.key for problem in document.problems}
    return read, tuple(sorted([*document.problems, *(each for each in problems if each.key not in reported)]))


def problems_of(error: ValidationError, model: type[BaseModel], document: Document) -> list[Problem]:
    """One problem for each mistake that validating the document's data against `model` found."""
    by_path: dict[Any, list[_Found]] = {}
    for details in error.errors(include_url=False):
        spot = locate(model, details["loc"], document.data)
        missing = details["loc"][-1] if details["type"] == "missing" else None
        by_path.setdefault((spot.path, missing), []).append(_Found(details, spot))
    mistakes = _without_echoes([*by_path.values()])
    mistakes.sort(key=lambda found: _place(found, document)[1:])
    # The rest is only counted: wording each, with the nearest name, takes a second for every thousand.
    told = sorted(_problem(same_value, model, document) for same_value in mistakes[: 2 * _MOST])
    rest = (Problem(document.file, *_place(found, document)[1:], "", "and-more", "") for found in mistakes[2 * _MOST :])
    return [*told, *rest]


def _without_echoes(mistakes: list[list[_Found]]) -> list[list[_Found]]:
    """Leave out what only follows from another mistake.

    A list seems too short when its entries are wrong, and a key seems missing when its name is mistyped.
    """
    above = {found[0].spot.path[:depth] for found in mistakes for depth in range(len(found[0].spot.path))}
    unknown = [found[0].spot.path for found in mistakes if found[0].kind == "extra_forbidden"][:_MOST_MISTYPED]

    def echo(found: _Found) -> bool:
        path = found.spot.path
        if found.kind == "missing":
            mistyped = (other[-1] for other in unknown if other[:-1] == path)
            return any(nearest(name, [found.last]) for name in mistyped)
        return found.kind == "too_short" and path in above

    return [found for found in mistakes if not echo(found[0])]


def _place(same_value: list[_Found], document: Document) -> tuple[Path, int, int]:
    """The path of a mistake, and its line and column."""
    first = same_value[0]
    path = first.spot.path
    placed = first.context.get("error")
    if isinstance(placed, PlacedError):
        path = (*path, *placed.path)
    return path, *document.at(path, key=_whole(first))


def _whole(found: _Found) -> bool:
    return isinstance(found.spot.value, dict | list) or found.kind == "extra_forbidden"


def _problem(same_value: list[_Found], model: type[BaseModel], document: Document) -> Problem:
    path = _place(same_value, document)[0]
    code, message = _say(same_value, model)
    return document.problem(path, code, message, key=_whole(same_value[0]))


def _say(same_value: list[_Found], model: type[BaseModel]) -> tuple[str, str]:
    first = same_value[0]
    if first.kind in _EXPECTED:
        return "wrong-type", _wrong_type(same_value)
    if first.kind == "extra_forbidden":
        return "unknown-key", _unknown_key(first, model)
    if first.kind == "missing":
        if isinstance(first.last, int):
            return "wrong-length", f"needs two values, such as `[1, 5]`; found {shown(first.spot.value)}"
        return "missing-key", f"`{first.last}` is missing"
    if first.kind == "literal_error":
        return "not-allowed", _not_allowed(first)
    if first.kind in _LIMITS:
        return _LIMITS[first.kind](first)
    error = first.context.get("error")
    return "wrong-value", str(error) if isinstance(
        error, ValueError
    ) else f"{shown(first.spot.value)} is not valid here"


def _wrong_type(same_value: list[_Found]) -> str:
    spot = same_value[0].spot
    kinds = {found.kind for found in same_value}
    if "float_type" in kinds:
        kinds -= {"int_type"}  # every whole number is a number
    short = {"integer": "int_type", "number": "float_type"}.get(spot.number or "")
    expected = _either(_EXPECTED[kind] for kind in _EXPECTED if kind in kinds or kind == short)
    keys = f" such as {', '.join(f'`{key}`' for key in spot.keys[:6])}" if kinds == {"model_type"} and spot.keys else ""
    return f"must be {expected}{keys}; found {_found(spot.value)}{_remedy(spot.value, kinds | {short} if short else kinds)}"


def _found(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return shown(value)
    return f"the number {shown(value)}"


def _remedy(value: Any, kinds: set[str]) -> str:
    if "bool_type" in kinds and str(value).lower() in _YES_NO:
        return f"; write `{_YES_NO[str(value).lower()]}`"
    if kinds == {"string_type"} and isinstance(value, bool | int | float):
        return "; put it in quotes"
    if kinds & {"int_type", "float_type"} and isinstance(value, str):
        if value.isdecimal():
            return "; remove the quotes"
        if percent := _PERCENT.fullmatch(value):
            return f"; write `{percent[1]}`"
    return ""


def _either(words: Iterable[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} or {last}" if before else last


def _unknown_key(found: _Found, model: type[BaseModel]) -> str:
    name = str(found.last)
    message = f"unknown key {shown(name)}"
    here = found.spot.path[:-1]
    home = home_of(model, name, here)
    # One that is right a level further in has slipped out, and is not a misspelling of a neighbour.
    inside = home is not None and home.startswith("".join(f"{step}." for step in here if isinstance(step, str)))
    if not inside and (near := did_you_mean(name, found.spot.siblings)):
        return message + near
    if home:
        return f"{message}; it belongs under `{home}`"
    return message + choice(name, found.spot.siblings)


def _not_allowed(found: _Found) -> str:
    key = next((step for step in reversed(found.spot.path) if isinstance(step, str)), "")
    allowed = _literals(found.context["expected"])
    return f"{shown(found.spot.value)} is not {_NOUNS.get(key, 'allowed here')}{choice(found.spot.value, allowed)}"


def _literals(expected: str) -> list[str]:
    """The values in pydantic's `'draft', 'published' or 'stopped'`."""
    return [each.strip("'") for each in expected.replace("' or '", "', '").split(", ")]


def _at_least(found: _Found) -> tuple[str, str]:
    return "out-of-range", f"must be at least {found.context['ge']}; found {shown(found.spot.value)}"


def _at_most(found: _Found) -> tuple[str, str]:
    return "out-of-range", f"must be at most {found.context['le']}; found {shown(found.spot.value)}"


def _too_short(_: _Found) -> tuple[str, str]:
    return "wrong-length", "must not be empty"


def _too_long(found: _Found) -> tuple[str, str]:
    value, most = found.spot.value, found.context["max_length"]
    # pydantic counts text like a list where a type checks more than the text's own length
    if isinstance(value, str):
        return "wrong-length", f"is {len(value):,} characters long; at most {most} are allowed"
    return "wrong-length", f"holds {found.context.get('actual_length') or 'more'} entries; at most {most} are allowed"


def _pattern(found: _Found) -> tuple[str, str]:
    pattern = found.context["pattern"]
    return (
        "wrong-format",
        f"must be {_PATTERNS.get(pattern, f'of the form `{pattern}`')}; found {shown(found.spot.value)}",
    )


_LIMITS = {
    "greater_than_equal": _at_least,
    "less_than_equal": _at_most,
    "too_short": _too_short,
    "too_long": _too_long,
    "string_too_long": _too_long,
    "string_pattern_mismatch": _pattern,
}

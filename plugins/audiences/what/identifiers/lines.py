"""Identifiers as JSON lines, for trying the rules out and for checking them from outside."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from audiences.campaign.identifier_fields import DateOrder  # noqa: TC001  # pydantic reads annotations at run time
from audiences.campaign.identifiers import BY_ANY_NAME
from audiences.what.identifiers.outcome import Context
from audiences.what.identifiers.rule_table import normalise_one

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date


def _in_letters(value: Any) -> Any:
    """The order in the catalog's words for one in letters."""
    return {"DMY": "day_first", "MDY": "month_first", "YMD": "year_first"}.get(str(value), value)


class _Context(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    pre_hashed: bool = False
    country: str | None = None
    default_country: str | None = None
    date_order: Annotated[DateOrder | None, BeforeValidator(_in_letters)] = None
    strict_valid: bool = False
    vanity: bool = False
    fold_diacritics: bool = False


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    field: str
    input: str | None
    context: _Context | None = None


def normalise_lines(lines: Iterable[str], *, today: date | None = None) -> Iterator[str]:
    """One JSON object per line of `{"field", "input", "context"}`; blank lines are skipped, other keys are not looked at.

    An answer is `{"normalised", "sha256"}`, with `sha256` null for fields that are not hashed; both are null for a
    rejected value, and `reason` says why. For a line that cannot be read it is `{"error"}`, without
    anything of the line but its number and the names of keys. `today` bounds dates of birth (None: the day in UTC).
    """
    day = today or datetime.now(UTC).date()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _answer(line, number, day)


def _answer(line: str, number: int, today: date) -> str:
    try:
        asked = _Line.model_validate_json(line)
    except ValidationError as error:
        return _error(
            number, "; ".join(_problem(each["loc"], each["msg"]) for each in error.errors(include_input=False))
        )
    known = BY_ANY_NAME.get(asked.field)
    if known is None:
        return _error(number, f"field: unknown, known are {', '.join(sorted(BY_ANY_NAME))}")
    context = Context(today=today, **(asked.context or _Context()).model_dump())
    outcome = asdict(normalise_one(known.name, asked.input, context))
    if outcome["reason"] is None:
        del outcome["reason"]
    return json.dumps(outcome)


def _problem(location: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, location))}: {message}" if location else message


def _error(number: int, problem: str) -> str:
    return json.dumps({"error": f"line {number}: {problem}"})

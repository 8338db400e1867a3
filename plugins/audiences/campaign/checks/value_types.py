"""Whether a value of a condition is of its property's type; each check returns what is wrong, or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from audiences.campaign.catalog import PropertyType
from audiences.campaign.windows import Window
from audiences.campaign.wording import did_you_mean, shown

_HAS_COMPONENT = re.compile(r"[0-9A-Za-z]")


def mistake(kind: PropertyType, value: Any) -> str:
    """What is wrong with a value for a property of this type, empty when nothing is."""
    return _CHECKS[kind](value)


def as_day(value: Any) -> date | datetime | None:
    """A date, or a date and time, that the file holds as one or as text; None if it is neither."""
    try:
        return Window.model_validate({"before": value}).before
    except ValueError:
        return None


def country_mistake(written: str) -> str:
    """What is wrong with the name or code of a country."""
    from audiences.campaign.countries import country_code  # loads the country data on its first call

    if country_code(written):
        return ""
    import pycountry  # loaded by now

    near = did_you_mean(written, [country.name for country in pycountry.countries])
    return f"{shown(written)} is not a country{near or '; write an English name or an ISO code, such as `IN`'}"


def pattern_mistake(pattern: str) -> str:
    """What is wrong with a regular expression, in one line."""
    from audiences.campaign.patterns import check_pattern

    try:
        check_pattern(pattern)
    except ValueError as error:
        return " ".join(str(error).split())
    return ""


def _text(value: Any) -> str:
    if isinstance(value, bool | float):
        return f"{shown(value)} is {_read_as(value)}; put it in quotes"
    return ""


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        remove = "; remove the quotes" if isinstance(value, str) and value.strip().lstrip("-").isdecimal() else ""
        return f"{shown(value)} is {_read_as(value)}{remove}"
    return ""


def _boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else f"write `true` or `false`, not {shown(value)}"


def _day(value: Any) -> str:
    if as_day(value) is not None:
        return ""
    hint = f"; write `{{within: {shown(value).strip('`')}}}`" if _is_window(value) else ""
    return f"{shown(value)} is not a date such as `2026-12-01`{hint}"


def _version(value: Any) -> str:
    if not isinstance(value, str):
        return f"{shown(value)} is {_read_as(value)}, of which 3.1 and 3.10 are one; put it in quotes"
    return "" if _HAS_COMPONENT.search(value) else f"{shown(value)} is not a version such as `3.10.2`"


def _is_window(value: Any) -> bool:
    try:
        Window.model_validate(value)
    except ValueError:
        return False
    return isinstance(value, str)


def _read_as(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, int | float) else "text"


_CHECKS: dict[PropertyType, Callable[[Any], str]] = {
    "string": _text,
    "integer": _number,
    "number": _number,
    "boolean": _boolean,
    "date": _day,
    "datetime": _day,
    "version": _version,
    "list": _text,
}

"""How a value in an answer of the Graph API is read: as what it is documented to be, as absent, or not at all.

What decides something raises ValueError in any other form; what only informs is then None or empty.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from audiences.redact import harmless_line

Json = dict[str, Any]

_LONGEST_TEXT: Final = 10_000
_MOST: Final = 2**63 - 1
_MOST_ROWS: Final = 2**31 - 1  # of one upload session
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_DEEPEST: Final = 50  # levels of a targeting; documented ones have about six
_ID: Final = re.compile(r"(?:act_)?(?!0+\Z)[0-9]{1,40}")  # 0 is how PHP writes that there is none
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,40}")


def as_integer(value: Any) -> int | None:
    """The whole number of at most 63 bits in a JSON number or string, else None; Facebook sends counts and ids either way."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if (isinstance(value, float) and not value.is_integer()) or (
        isinstance(value, str) and not _INTEGER.fullmatch(value)
    ):
        return None
    number = int(value)
    return number if abs(number) <= _MOST else None


def as_time(value: Any) -> int | None:
    """Unix seconds, from a number or an ISO 8601 text with a zone; None for others, before 1970, and after the year 9999."""
    seconds = as_integer(value)
    if seconds is None and isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            seconds = int(moment.timestamp()) if moment.tzinfo else None
        except (ValueError, OverflowError):
            return None
    return seconds if seconds is not None and 0 < seconds <= _LAST_SECOND else None


def as_moment(value: Any) -> datetime | None:
    """As `as_time`, as an aware datetime."""
    seconds = as_time(value)
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return kinds.get(type(value), "an object")


def _id(value: Any) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _ID.fullmatch(text):
        return text
    message = f"is {_kind(value)} and no id"
    raise ValueError(message)


def _rows(value: Any) -> int:
    number = as_integer(value)
    if number is not None and 0 <= number <= _MOST_ROWS:
        return number
    message = f"is {_kind(value)} and no count of rows"
    raise ValueError(message)


def _text(value: Any) -> str:
    """Postgres stores any character but one."""
    if value is None:
        return ""
    if isinstance(value, str) and len(value) <= _LONGEST_TEXT:
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    message = (
        f"is {_kind(value)} of more than {_LONGEST_TEXT:,} characters"
        if isinstance(value, str)
        else f"is {_kind(value)} and no text"
    )
    raise ValueError(message)


def _words(value: Any) -> str:
    """Text for people, on one line; of numbers too, since some codes come as either."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return harmless_line(str(value)[:_LONGEST_TEXT])


def _size(value: Any) -> int | None:
    """-1 and null both stand for "not known yet"."""
    number = as_integer(value)
    return number if number is not None and number >= 0 else None


def as_object(value: Any) -> Json:
    """An object, empty in place of anything else."""
    return value if isinstance(value, dict) else {}


def as_paging(value: Any) -> Json:
    """PHP writes an empty object as a list."""
    if value is None or value == [] or isinstance(value, dict):
        return value or {}
    message = f"is {_kind(value)} and no object"
    raise ValueError(message)


def as_objects(value: Any) -> list[Any]:
    """A list of objects."""
    if not isinstance(value, list):
        message = f"is {_kind(value)} and no list"
        raise ValueError(message)
    for item in value:
        if not isinstance(item, dict):
            message = f"has {_kind(item)} in it, where each is an object"
            raise ValueError(message)
    return value


def _depth_exceeds(value: Any, levels: int) -> bool:
    inside = [value]
    for _ in range(levels):
        inside = [
            part
            for each in inside
            if isinstance(each, dict | list)
            for part in (each.values() if isinstance(each, dict) else each)
        ]
        if not inside:
            return False
    return True


def as_targeting(value: Any) -> Json:
    """The audiences in it are edited, and everything else must go back as it came."""
    if not isinstance(value, dict):
        message = f"is {_kind(value)} and no object"
        raise ValueError(message)
    if _depth_exceeds(value, _DEEPEST):
        message = f"has more than {_DEEPEST} levels"
        raise ValueError(message)
    for name in ("custom_audiences", "excluded_custom_audiences"):
        if value.get(name) is not None:
            try:
                as_objects(value[name])
            except ValueError as error:
                message = f"has `{name}`, which {error}"
                raise ValueError(message) from None
    return value


Id = Annotated[str, BeforeValidator(_id)]
RowCount = Annotated[int, BeforeValidator(_rows)]
Text = Annotated[str, BeforeValidator(_text)]
Words = Annotated[str, BeforeValidator(_words)]
WholeNumber = Annotated[int | None, BeforeValidator(as_integer)]
Size = Annotated[int | None, BeforeValidator(_size)]
Time = Annotated[int | None, BeforeValidator(as_time)]
Timestamp = Annotated[datetime | None, BeforeValidator(as_moment)]
# The other permissions come as text; those that we look at may too.
Flag = Annotated[
    bool | None, BeforeValidator(lambda value: {"true": True, "1": True, "false": False}.get(str(value).lower()))
]

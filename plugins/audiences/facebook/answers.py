"""What we take from each answer of the Graph API, one model an answer, read where it comes in.

What decides something must be as documented: ids, counts of received rows, lists of objects, a targeting that is to be given
back. Anything else there is an OddAnswerError. What only informs (sizes, times, words) counts as absent where it is in a form
unknown to us. Keys that we do not ask for may be anything; of a key that comes twice, the last one counts.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from audiences.facebook.errors import OddAnswerError
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


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _paging(value: Any) -> Json:
    """PHP writes an empty object as a list."""
    if value is None or value == [] or isinstance(value, dict):
        return value or {}
    message = f"is {_kind(value)} and no object"
    raise ValueError(message)


def _list_of_objects(value: Any) -> list[Any]:
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


def _targeting(value: Any) -> Json:
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
                _list_of_objects(value[name])
            except ValueError as error:
                message = f"has `{name}`, which {error}"
                raise ValueError(message) from None
    return value


Id = Annotated[str, BeforeValidator(_id)]
Rows = Annotated[int, BeforeValidator(_rows)]
Text = Annotated[str, BeforeValidator(_text)]
Words = Annotated[str, BeforeValidator(_words)]
Number = Annotated[int | None, BeforeValidator(as_integer)]
Size = Annotated[int | None, BeforeValidator(_size)]
Time = Annotated[int | None, BeforeValidator(as_time)]
Moment = Annotated[datetime | None, BeforeValidator(as_moment)]
# The other permissions come as text; those that we look at may too.
Truth = Annotated[
    bool | None, BeforeValidator(lambda value: {"true": True, "1": True, "false": False}.get(str(value).lower()))
]


class Done(BaseModel):
    """An answer of which it matters only that it is a success."""

    model_config = ConfigDict(frozen=True)


class Created(Done):
    """What a creation answers."""

    id: Id


class Coded(Done):
    """A status: a number, and Facebook's words for it."""

    code: Number = None
    description: Words = ""


class Permissions(Done):
    """What the token may do with an audience."""

    can_edit: Truth = None


Status = Annotated[Coded, BeforeValidator(_object)]


class Audience(Done):
    """An audience, alone or in a list, with the fields that were asked for."""

    id: Id
    name: Text = ""
    description: Text = ""
    account_id: Words = ""
    subtype: Text = ""
    approximate_count_lower_bound: Size = None
    approximate_count_upper_bound: Size = None
    operation_status: Status = Coded()
    delivery_status: Status = Coded()
    permission_for_actions: Annotated[Permissions, BeforeValidator(_object)] = Permissions()
    is_value_based: Truth = None
    time_content_updated: Time = None
    delete_time: Time = None


class ListedAudience(Audience):
    """An audience in a list; one without an id is not there for this token."""

    id: Id = ""


class Uploaded(Done):
    """The receipt of an upload within a session or without one, `num_received` null where it may be left out."""

    num_received: Rows
    num_invalid_entries: Size = None
    # A map of examples, or `[]` when there is none.
    invalid_entry_samples: Any = None
    session_id: Size = None


class Erased(Uploaded):
    """The receipt of a removal from all audiences, which need not count."""

    num_received: Rows | None = None  # type: ignore[assignment]  # what it is for those that count


class Session(Done):
    """An upload session as it is listed, all of it as text."""

    session_id: Size = None
    stage: Words = ""
    num_received: Size = None
    num_matched: Number = None
    num_invalid_entries: Size = None
    start_time: Time = None
    end_time: Time = None


class Permission(Done):
    """One of the token's permissions."""

    permission: Words = ""
    status: Words = ""


class Token(Done):
    """What is known of a token; `expires_at` is 0 for one that never expires."""

    is_valid: Truth = None
    app_id: Words = ""
    expires_at: Number = None


class TokenAnswer(Done):
    """The answer about a token."""

    data: Annotated[Token, BeforeValidator(_object)]


class Account(Done):
    """An ad account."""

    name: Words = ""
    account_status: Number = None
    business: Any = None
    tos_accepted: Annotated[Json, BeforeValidator(_object)] = Field(default_factory=dict)
    timezone_name: Words = ""


class AdSet(Done):
    """An ad set, whose `targeting` is to be given back."""

    id: Id
    targeting: Annotated[Json, BeforeValidator(_targeting)]
    effective_status: Words = ""
    updated_time: Words = ""
    issues_info: Any = None


class Budget(Done):
    """The lifetime budget of an ad set's Facebook campaign."""

    lifetime_budget: Number = None


class Scheduled(Budget):
    """The schedule of an ad set. 0, no time and the first second of 1970 all stand for no end."""

    start_time: Moment = None
    end_time: Moment = None
    pacing_type: Any = None
    adset_schedule: Any = None
    campaign: Annotated[Budget, BeforeValidator(_object)] = Budget()


class Cursors(Done):
    """Where a page ends."""

    after: Words = ""


class Paging(Done):
    """`after` is there on the last page too, only `next` tells that there is another one."""

    next: Any = None
    cursors: Annotated[Cursors, BeforeValidator(_object)] = Cursors()


Item = TypeVar("Item", bound=Done)


class Page(Done, Generic[Item]):
    """A page of a list."""

    data: Annotated[list[Item], BeforeValidator(_list_of_objects)]
    paging: Annotated[Paging, BeforeValidator(_paging)] = Paging()


Answer = TypeVar("Answer", bound=Done)


def read_as(model: type[Answer], answer: Json, action: str, *, about: str = "") -> Answer:
    """The answer as the model has it; raises OddAnswerError, which quotes nothing of it.

    `about` is the id of the object that was asked for: an answer about another one would be recorded in its place.
    """
    try:
        read = model.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        words = "is missing" if first["type"] == "missing" else first["msg"].removeprefix("Value error, ")
        raise OddAnswerError(action, odd=f"`{place}` {words}") from None
    if about and getattr(read, "id", about) != about:
        raise OddAnswerError(action, odd="`id` is not the one that was asked for")
    return read

"""What we take from each answer of the Graph API, one model an answer, read where it comes in.

What decides something must be as documented: ids, counts of received rows, lists of objects, a targeting that is to be given
back. Anything else there is an OddAnswerError. What only informs (sizes, times, words) counts as absent where it is in a form
unknown to us. Keys that we do not ask for may be anything; of a key that comes twice, the last one counts.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from audiences.facebook.graph_errors import OddAnswerError
from audiences.facebook.values import (
    Flag,
    Id,
    Json,
    RowCount,
    Size,
    Text,
    Time,
    Timestamp,
    WholeNumber,
    Words,
    as_object,
    as_objects,
    as_paging,
    as_targeting,
)


class Done(BaseModel):
    """An answer of which it matters only that it is a success."""

    model_config = ConfigDict(frozen=True)


class Created(Done):
    """What a creation answers."""

    id: Id


class Coded(Done):
    """A status: a number, and Facebook's words for it."""

    code: WholeNumber = None
    description: Words = ""


class Permissions(Done):
    """What the token may do with an audience."""

    can_edit: Flag = None


Status = Annotated[Coded, BeforeValidator(as_object)]


class AudienceAnswer(Done):
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
    permission_for_actions: Annotated[Permissions, BeforeValidator(as_object)] = Permissions()
    is_value_based: Flag = None
    time_content_updated: Time = None
    delete_time: Time = None


class ListedAudienceAnswer(AudienceAnswer):
    """An audience in a list; one without an id is not there for this token."""

    id: Id = ""


class Uploaded(Done):
    """The receipt of an upload within a session or without one, `num_received` null where it may be left out."""

    num_received: RowCount
    num_invalid_entries: Size = None
    # A map of examples, or `[]` when there is none.
    invalid_entry_samples: Any = None
    session_id: Size = None


class ErasedAnswer(Uploaded):
    """The receipt of a removal from all audiences, which need not count."""

    num_received: RowCount | None = None  # type: ignore[assignment]  # what it is for those that count


class SessionAnswer(Done):
    """An upload session as it is listed, all of it as text."""

    session_id: Size = None
    stage: Words = ""
    num_received: Size = None
    num_matched: WholeNumber = None
    num_invalid_entries: Size = None
    start_time: Time = None
    end_time: Time = None


class Permission(Done):
    """One of the token's permissions."""

    permission: Words = ""
    status: Words = ""


class TokenFacts(Done):
    """What is known of a token; `expires_at` is 0 for one that never expires."""

    is_valid: Flag = None
    app_id: Words = ""
    expires_at: WholeNumber = None


class TokenAnswer(Done):
    """The answer about a token."""

    data: Annotated[TokenFacts, BeforeValidator(as_object)]


class AccountAnswer(Done):
    """An ad account."""

    name: Words = ""
    account_status: WholeNumber = None
    business: Any = None
    tos_accepted: Annotated[Json, BeforeValidator(as_object)] = Field(default_factory=dict)
    timezone_name: Words = ""


class AdSetAnswer(Done):
    """An ad set, whose `targeting` is to be given back."""

    id: Id
    targeting: Annotated[Json, BeforeValidator(as_targeting)]
    effective_status: Words = ""
    updated_time: Words = ""
    issues_info: Any = None


class Budget(Done):
    """The lifetime budget of an ad set's Facebook campaign."""

    lifetime_budget: WholeNumber = None


class ScheduleAnswer(Budget):
    """The schedule of an ad set. 0, no time and the first second of 1970 all stand for no end."""

    start_time: Timestamp = None
    end_time: Timestamp = None
    pacing_type: Any = None
    adset_schedule: Any = None
    campaign: Annotated[Budget, BeforeValidator(as_object)] = Budget()


class Cursors(Done):
    """Where a page ends."""

    after: Words = ""


class Paging(Done):
    """`after` is there on the last page too, only `next` tells that there is another one."""

    next: Any = None
    cursors: Annotated[Cursors, BeforeValidator(as_object)] = Cursors()


Item = TypeVar("Item", bound=Done)


class Page(Done, Generic[Item]):
    """A page of a list."""

    data: Annotated[list[Item], BeforeValidator(as_objects)]
    paging: Annotated[Paging, BeforeValidator(as_paging)] = Paging()


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

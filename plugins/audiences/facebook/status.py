"""What Facebook says about an audience, and what follows from it for an upload."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from audiences.errors import FacebookAccessError
from audiences.facebook.contract import REPLACE_RUNNING_WAIT_SECONDS
from audiences.facebook.graph_errors import AudienceBusyError

if TYPE_CHECKING:
    from audiences.facebook.answers import AudienceAnswer

# The fields that `AudienceStatus.read` needs; a read without `fields` returns the id only.
STATUS_FIELDS: Final = (
    "id",
    "name",
    "description",
    "account_id",
    "subtype",
    "approximate_count_lower_bound",
    "approximate_count_upper_bound",
    "operation_status",
    "delivery_status",
    "permission_for_actions",
    "is_value_based",
    "time_content_updated",
    "delete_time",
)


class Reaction(Enum):
    """What an upload does at an operation status."""

    GO = "go"
    WARN = "go on, with a warning"
    WAIT = "wait"
    STOP = "stop"


# Custom Audience reference, operation_status. Codes not listed there (300 was met as "updating") count as WARN.
_OPERATION: Final[dict[int, tuple[Reaction, str]]] = {
    0: (Reaction.GO, "no status yet"),
    100: (Reaction.WARN, "expiring: unused for two years; Facebook deletes it unless an active ad set uses it"),
    200: (Reaction.GO, "normal"),
    400: (Reaction.WARN, "Facebook has a warning"),
    410: (Reaction.GO, "nothing uploaded yet"),
    411: (Reaction.WARN, "low match rate: add identifiers, and check the country codes of phone numbers"),
    412: (Reaction.WARN, "many invalid rows in the last upload"),
    414: (Reaction.WAIT, "a replace is running"),
    415: (Reaction.WARN, "the last replace failed: run again with a full refresh"),
    421: (Reaction.WARN, "its pixel gives trouble"),
    422: (Reaction.WARN, "its pixel gives trouble"),
    423: (Reaction.WARN, "its pixel gives trouble"),
    431: (Reaction.WARN, "the lookalike could not be built; Facebook tries again"),
    432: (Reaction.WARN, "the lookalike could not be built; Facebook tries again"),
    433: (Reaction.WARN, "the lookalike could not be refreshed; Facebook tries again"),
    434: (Reaction.WARN, "the lookalike could not be refreshed; Facebook tries again"),
    441: (Reaction.GO, "still being filled; ads may run already"),
    442: (Reaction.WARN, "the first filling failed"),
    450: (Reaction.WARN, "out of date: no ad set has used it lately"),
    470: (Reaction.WARN, "its creator's account is inactive: a person must take the audience over"),
    471: (Reaction.STOP, "flagged by Facebook's rules (names that hint at health or money are)"),
    500: (Reaction.WARN, "Facebook reports an error: look at the audience in Ads Manager"),
}
_FILLING = 441


@dataclass(frozen=True, slots=True)
class AudienceStatus:
    """One audience as Facebook sees it.

    `lower` and `upper` bound its matched size (None while unknown); they are rounded, so never the member count.
    `can_edit` is None where Facebook did not say. `content_updated`, `deleted_at` and `asked_at`, what Facebook's
    clock showed, are Unix seconds.
    """

    id: str
    name: str
    description: str
    account: str
    subtype: str
    lower: int | None
    upper: int | None
    operation_code: int | None
    operation_text: str
    delivery_code: int | None
    delivery_text: str
    can_edit: bool | None
    value_based: bool = False
    content_updated: int | None = None
    deleted_at: int | None = None
    asked_at: int | None = None

    @classmethod
    def read(cls, answer: AudienceAnswer, *, asked_at: int | None = None) -> AudienceStatus:
        """From an answer of the Graph API, asked for STATUS_FIELDS."""
        return cls(
            id=answer.id,
            name=answer.name,
            description=answer.description,
            account=answer.account_id,
            subtype=answer.subtype,
            lower=answer.approximate_count_lower_bound,
            upper=answer.approximate_count_upper_bound,
            operation_code=answer.operation_status.code,
            operation_text=answer.operation_status.description,
            delivery_code=answer.delivery_status.code,
            delivery_text=answer.delivery_status.description,
            can_edit=answer.permission_for_actions.can_edit,
            value_based=answer.is_value_based is True,
            content_updated=answer.time_content_updated,
            deleted_at=answer.delete_time,
            asked_at=asked_at,
        )

    @property
    def reaction(self) -> Reaction:
        """What an upload to this audience does."""
        return self._operation[0]

    @property
    def advice(self) -> str:
        """The operation status in our words, with Facebook's where they add something."""
        meaning = self._operation[1]
        if self.operation_code in {0, 200, None} or not self.operation_text:
            return meaning
        return f"{meaning} ({self.operation_text})"

    @property
    def filling(self) -> bool:
        """Whether Facebook is still at work on the last upload."""
        return self.operation_code == _FILLING

    @property
    def delivers(self) -> bool | None:
        """Whether ads can reach this audience: not when it is too small or unusable; None when Facebook did not say."""
        return None if self.delivery_code is None else self.delivery_code == 200

    @property
    def _operation(self) -> tuple[Reaction, str]:
        if self.operation_code is None:
            return Reaction.GO, "no status"
        unknown = (Reaction.WARN, f"operation status {self.operation_code}, which is new to us")
        return _OPERATION.get(self.operation_code, unknown)

    def ensure_writable(self, *, adds: bool = True) -> None:
        """Raise FacebookAccessError or AudienceBusyError when members cannot be changed now.

        With `adds`, also when people would be added to a value-based audience: our rows carry no value, and what becomes of the
        lookalikes built on it then is not documented.
        """
        name = f"audience {self.id}"
        if self.reaction is Reaction.WAIT:
            what = f"{name}: {self.advice}"
            raise AudienceBusyError(what, REPLACE_RUNNING_WAIT_SECONDS)
        if self.reaction is Reaction.STOP:
            remedy = "Open it in Ads Manager, Audiences: rename it, or ask for a review."
            what = f"{name}: {self.advice}"
            raise FacebookAccessError(what, remedy)
        if self.can_edit is False:
            # Sharing page: whoever receives an audience may target it, and never edit it.
            remedy = (
                "Only the ad account that owns it can change its members: name that one as `ad_account`, or let the campaign "
                "create an audience of its own."
            )
            what = f"{name} may not be edited by this ad account (a shared one, say)"
            raise FacebookAccessError(what, remedy)
        if self.subtype not in {"", "CUSTOM"}:
            remedy = "Name a customer list audience, or let the campaign create one."
            what = f"{name} is of the kind {self.subtype}, which takes no uploads"
            raise FacebookAccessError(what, remedy)
        if adds and self.value_based:
            remedy = "Name a customer list audience without values, or let the campaign create one; removing from it is possible."
            what = f"{name} is value-based: each member is added with a value, and campaigns send none"
            raise FacebookAccessError(what, remedy)

"""The `who` of a campaign: rules, property filters, control group, cap."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, model_validator

from audiences.campaign.base import Name, Scalar, Strict
from audiences.campaign.properties import Properties
from audiences.campaign.rules import Rules

Percent = Annotated[
    Decimal, BeforeValidator(lambda value: str(value) if isinstance(value, float) else value), Field(ge=0, le=99)
]
"""0 to 99, decimals allowed; a Decimal so that the edge of a group is exact."""


class ControlGroup(Strict):
    """Who is held out: `percent` of the users, and the system group unless `system: false`, and a custom group."""

    percent: Percent = Decimal(0)
    salt: Name | None = None
    system: StrictBool = True
    custom: Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_percent(cls, value: Any) -> Any:
        return {"percent": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class TargetCap(Strict):
    """At most `users` targets per run, per day (in the campaign's time zone) or over the campaign's life."""

    users: Annotated[StrictInt, Field(ge=1)]
    per: Literal["run", "day", "total"] = "run"

    @model_validator(mode="before")
    @classmethod
    def _bare_number(cls, value: Any) -> Any:
        return {"users": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Who(Rules):
    """Rules at this level are those of a segment; `with_properties` filters what they find."""

    with_properties: Properties | None = None
    control_group: ControlGroup = Field(default_factory=ControlGroup)
    never_hold_out: tuple[Scalar, ...] = ()
    target_cap: TargetCap | None = None

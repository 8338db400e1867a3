"""The `who` of a campaign: rules, property filters, control group, cap."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, StrictBool, StrictInt, model_validator

from audiences.campaign.base import Name, Scalar, Strict
from audiences.campaign.properties import Properties
from audiences.campaign.rules import Rules


def _as_number(percent: Decimal) -> int | float | str:
    """The shortest form that reads back as exactly the same."""
    short = int(percent) if percent == int(percent) else float(percent)
    return short if Decimal(str(short)) == percent else str(percent)


Percent = Annotated[
    Decimal,
    BeforeValidator(
        lambda value: str(value) if isinstance(value, float) else value,
        json_schema_input_type=Annotated[float, Field(ge=0, le=99)],
    ),
    PlainSerializer(_as_number, when_used="json"),
    Field(ge=0, le=99),
]
"""0 to 99, decimals allowed; a Decimal so that the edge of a group is exact."""


class ControlGroup(Strict):
    """Who is held out: `percent` of the users, and the system group unless `system: false`, and a custom group."""

    short_form: ClassVar = {"type": "number", "minimum": 0, "maximum": 99}

    percent: Percent = Decimal(0)
    """Percent of the qualified users that this campaign holds out, 0 to 99, decimals allowed."""
    salt: Name | None = None
    """What the choice is drawn by, the campaign's id unless given; two campaigns with one salt hold out the same users."""
    system: StrictBool = True
    """`false` lets the campaign reach users of the system control group."""
    custom: Name | None = None
    """A control group named in include/settings.yml that is held out as well."""

    @model_validator(mode="before")
    @classmethod
    def _bare_percent(cls, value: Any) -> Any:
        return {"percent": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class TargetCap(Strict):
    """At most `users` targets per run, per day (in the campaign's time zone) or over the campaign's life."""

    short_form: ClassVar = {"type": "integer", "minimum": 1}

    users: Annotated[StrictInt, Field(ge=1)]
    """At most so many targets."""
    per: Literal["run", "day", "total"] = "run"
    """Counted per run, per day in the campaign's time zone, or in all."""

    @model_validator(mode="before")
    @classmethod
    def _bare_number(cls, value: Any) -> Any:
        return {"users": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Who(Rules):
    """Rules at this level are those of a segment; `with_properties` filters what they find."""

    with_properties: Properties | None = None
    """Conditions on user properties of include/warehouse.yml, such as `country: India` or `age: {between: [25, 40]}`."""
    control_group: ControlGroup = Field(default_factory=ControlGroup)
    """Users who qualify and are not uploaded, so that the effect can be measured."""
    never_hold_out: tuple[Scalar, ...] = ()
    """Ids of users, testers for example, who are always targeted."""
    target_cap: TargetCap | None = None
    """At most so many targets: a number per run, or `{users: 5000, per: day}`."""

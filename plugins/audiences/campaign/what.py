"""The `what` of a campaign: the audience, the identifiers that are sent, the ad sets, the guards."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, StringConstraints, model_validator

from audiences.campaign.base import Name, Strict, Text, only_one
from audiences.campaign.windows import Length

Action = Literal["add", "remove", "mirror", "remove_matching"]
Identifier = Literal[
    "email",
    "phone",
    "external_id",
    "first_name",
    "last_name",
    "city",
    "region",
    "zip",
    "country",
    "date_of_birth",
    "gender",
    "madid",
]
FacebookId = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value),
    StringConstraints(pattern=r"^[0-9]{1,20}$"),
]


class Create(Strict):
    """A new audience; it is looked for by name first, so that a repeated run finds it again."""

    name: Annotated[Name, Field(max_length=200)]
    description: Annotated[Text, Field(max_length=200)] = ""
    action: Action = "mirror"


class Update(Strict):
    """An audience that exists already, by Facebook's id."""

    id: FacebookId
    action: Action


class Audience(Strict):
    """Either `create` or `update`."""

    create: Create | None = None
    update: Update | None = None

    @model_validator(mode="after")
    def _check(self) -> Audience:
        if only_one(self, "create", "update") is None:
            message = "needs `create: {name: …}` for a new audience or `update: {id: …, action: …}` for an existing one"
            raise ValueError(message)
        return self

    @property
    def action(self) -> Action:
        """What a run does to the audience."""
        return self.create.action if self.create else self.update.action if self.update else "mirror"


class Guards(Strict):
    """Limits that stop a run before any upload."""

    skip_run_above: Annotated[StrictInt, Field(ge=1)] | None = None
    allow_empty: StrictBool = False
    max_removal: Annotated[StrictInt, Field(ge=0, le=100)] = 50
    fresh_within: Length | None = None


def _distinct(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if doubled := sorted({value for value in values if values.count(value) > 1}):
        message = f"names {', '.join(f'`{value}`' for value in doubled)} twice"
        raise ValueError(message)
    return values


class What(Strict):
    """What a run does at Facebook."""

    audience: Audience
    identifiers: Annotated[tuple[Identifier, ...], AfterValidator(_distinct)] = ("email", "phone")
    refresh: Literal["difference", "replace"] = "difference"
    ad_sets: Annotated[tuple[FacebookId, ...], AfterValidator(_distinct)] = ()
    exclude_from_ad_sets: Annotated[tuple[FacebookId, ...], AfterValidator(_distinct)] = ()
    schedule: Literal["campaign"] | None = None
    keep_for: Length | None = None
    guards: Guards = Field(default_factory=Guards)

    @model_validator(mode="after")
    def _check(self) -> What:
        if not {"email", "phone"} & set(self.identifiers):
            message = "`identifiers` needs at least one of `email` and `phone`"
            raise ValueError(message)
        if both := sorted(set(self.ad_sets) & set(self.exclude_from_ad_sets)):
            message = f"ad set {both[0]} cannot both include and exclude the audience"
            raise ValueError(message)
        return self

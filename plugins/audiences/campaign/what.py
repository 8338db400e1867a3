"""The `what` of a campaign: the audience, the identifiers that are sent, the ad sets, the guards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, StringConstraints, model_validator

from audiences.campaign.base import Name, PlacedError, Strict, Text, each_once, only_one
from audiences.campaign.identifiers import CONTACTS, FIELDS, Identifier
from audiences.campaign.windows import Length
from audiences.campaign.wording import shown

Action = Literal["add", "remove", "mirror", "remove_matching"]
FacebookId = Annotated[
    str,
    BeforeValidator(
        lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value,
        json_schema_input_type=Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | int,
    ),
    StringConstraints(pattern=r"^[0-9]{1,20}$"),
]


class Create(Strict):
    """A new audience, which belongs to this campaign; one of the same name that is somebody else's is never touched."""

    name: Annotated[Name, Field(max_length=200)]
    """The audience's name at Facebook; no other campaign may create one of the same name."""
    description: Annotated[Text, Field(max_length=200)] = ""
    """Shown at Facebook, with the campaign's mark behind it; up to 200 characters together."""
    action: Action = "mirror"
    """`mirror` keeps the audience equal to the users who qualify; `add` and `remove` do one half of that."""


class Update(Strict):
    """An audience that exists already, by Facebook's id."""

    id: FacebookId
    """Facebook's id of the audience, in quotes."""
    action: Action
    """`add` new users, `remove` those who no longer qualify, `mirror` both; `remove_matching` removes who qualifies."""


class Audience(Strict):
    """Either `create` or `update`."""

    create: Create | None = None
    """A new audience."""
    update: Update | None = None
    """An existing audience."""

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

    @property
    def adds(self) -> bool:
        """Whether a run may add people to the audience."""
        return self.action in ("add", "mirror")


class Guards(Strict):
    """Limits that stop a run before any upload."""

    skip_run_above: Annotated[StrictInt, Field(ge=1)] | None = None
    """Stop when there are more targets than this."""
    allow_empty: StrictBool = False
    """Go on even if nobody qualifies, which empties a mirrored audience."""
    max_removal: Annotated[StrictInt, Field(ge=0, le=100)] = 50
    """Stop when more than this percentage of the audience would be removed."""
    fresh_within: Length | None = None
    """Stop when the newest event in the warehouse is older than this."""


class What(Strict):
    """What a run does at Facebook."""

    audience: Audience
    """The audience: `create` a new one or `update` an existing one."""
    identifiers: Annotated[tuple[Identifier, ...], AfterValidator(each_once)] = CONTACTS
    """What Facebook recognises users by; `email` or `phone` at least. Always sent hashed, never raw."""
    refresh: Literal["difference", "replace"] = "difference"
    """Send only what changed, or `replace` the whole set at every run."""
    ad_sets: Annotated[tuple[FacebookId, ...], AfterValidator(each_once)] = ()
    """Ad sets whose targeting includes the audience."""
    exclude_from_ad_sets: Annotated[tuple[FacebookId, ...], AfterValidator(each_once)] = ()
    """Ad sets whose targeting excludes the audience."""
    schedule: Literal["campaign"] | None = None
    """`campaign` gives the ad sets the start, end and windows of `when`."""
    keep_for: Length | None = None
    """Remove members this long after they were added, at every run and daily; they come back by qualifying anew."""
    guards: Guards = Field(default_factory=Guards)
    """Limits that stop a run before anything is sent."""

    @model_validator(mode="after")
    def _check(self) -> What:
        if not set(CONTACTS) & set(self.identifiers):
            message = f"needs at least one of {' and '.join(map(shown, CONTACTS))}"
            raise PlacedError(message, "identifiers")
        filled_by: dict[str, str] = {}
        for name in self.identifiers:
            for key in FIELDS[name].keys:
                if (other := filled_by.setdefault(key, name)) != name:
                    message = f"{shown(other)} and {shown(name)} both fill Facebook's {key}; keep one"
                    raise PlacedError(message, "identifiers")
        if both := sorted(set(self.ad_sets) & set(self.exclude_from_ad_sets)):
            message = f"ad set {both[0]} cannot both include and exclude the audience"
            raise PlacedError(message, "exclude_from_ad_sets")
        return self

"""The campaign file as a whole."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from audiences.campaign.base import Name, Strict
from audiences.campaign.goal import Goal
from audiences.campaign.what import What
from audiences.campaign.when import When
from audiences.campaign.who import Who


class Campaign(Strict):
    """One campaign: who gets into which audience, when, and what it is for. The file's stem is the campaign's id."""

    model_config = ConfigDict(title="Campaign")

    name: Name
    description: Name | None = None
    owner: Name | None = None
    tags: tuple[Name, ...] = ()
    status: Literal["draft", "published", "stopped"] = "draft"
    approval: Literal["required", "none"] = "none"
    ad_account: Name = "main"
    qualification: Literal["past_behavior", "live"] = "past_behavior"
    who: Who = Field(default_factory=Who)
    what: What
    when: When
    goal: Goal | None = None

    @model_validator(mode="after")
    def _check(self) -> Campaign:
        live = self.qualification == "live"
        if live and self.when.on is None:
            message = "`qualification: live` needs `when: {on: {event: …}}`"
            raise ValueError(message)
        if not live and self.when.on is not None:
            message = "`when.on` reacts to events as they come; it needs `qualification: live`"
            raise ValueError(message)
        if not live and self.who.empty and self.who.with_properties is None:
            message = "`who` names nobody; give rules, a `segment` or `with_properties`"
            raise ValueError(message)
        return self

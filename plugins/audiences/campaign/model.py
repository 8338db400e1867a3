"""The campaign file as a whole."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from audiences.campaign.approval import RequiredApproval
from audiences.campaign.base import CampaignIds, Label, Name, PlacedError, ShortName, Strict
from audiences.campaign.goal import Goal
from audiences.campaign.notify import Deadline, Notify
from audiences.campaign.what import What
from audiences.campaign.when import When
from audiences.campaign.who import Who


class Campaign(Strict):
    """One campaign: who gets into which audience, when, and what it is for. The file's stem is the campaign's id."""

    model_config = ConfigDict(title="Campaign")

    name: ShortName
    """The campaign's name for people."""
    description: Name | None = None
    """What the campaign is for, in a sentence or two."""
    owner: ShortName | None = None
    """Who answers for it; by default the owner in include/settings.yml."""
    tags: tuple[Label, ...] = ()
    """Labels to find the DAG by."""
    formerly: CampaignIds = ()
    """The id that the campaign had before its file was renamed: the first run takes over members, control group, history."""
    status: Literal["draft", "published", "stopped"] = "draft"
    """`draft` only previews, `published` runs on schedule, `stopped` has no schedule any more and keeps its history."""
    approval: RequiredApproval = None
    """`required` pauses the first run of every new version until someone approves its preview in the Airflow UI."""
    ad_account: Name = "main"
    """An ad account named in include/settings.yml."""
    qualification: Literal["past_behavior", "live"] = "past_behavior"
    """`past_behavior` looks back on a schedule, `live` reacts to events as they come (`when.on`)."""
    who: Who = Field(default_factory=Who)
    """Which users: rules over events, saved segments, properties, control group, cap."""
    what: What
    """Which audience, and what is done to it."""
    when: When
    """When runs take place, or which events a live campaign waits for."""
    tasks: Literal["by_size", "by_step"] = "by_size"
    """`by_step` makes each step of a run a task in Airflow; `by_size` does so only above 100,000 users, which saves time."""
    goal: Goal | None = None
    """The conversion that targets and control group are compared by."""
    notify: Notify | None = None
    """Whom to tell of what needs a person; what it leaves out is as in include/settings.yml."""
    deadline: Deadline | None = None
    """How long a run may take, from when it is queued, before somebody is told; by default that of include/settings.yml."""

    @model_validator(mode="before")
    @classmethod
    def _live_adds(cls, value: Any) -> Any:
        """A live campaign looks at a few users at a time, so the audience that it creates is not mirrored but added to."""
        if not isinstance(value, dict) or value.get("qualification") != "live":
            return value
        what = value.get("what")
        audience = what.get("audience") if isinstance(what, dict) else None
        create = audience.get("create") if isinstance(audience, dict) else None
        if not isinstance(what, dict) or not isinstance(audience, dict) or not isinstance(create, dict):
            return value
        return {**value, "what": {**what, "audience": {**audience, "create": {"action": "add", **create}}}}

    @model_validator(mode="after")
    def _check(self) -> Campaign:
        live = self.qualification == "live"
        if live and self.when.on is None:
            message = "a live campaign reacts to an event; add `on: {event: …}`, or leave out `qualification: live`"
            raise PlacedError(message, "when")
        if not live and self.when.on is not None:
            message = "`when.on` reacts to events as they come; it needs `qualification: live`"
            raise PlacedError(message, "when", "on")
        if not live and self.who.empty and self.who.with_properties is None:
            message = "names nobody; give rules (`did`, `did_not`, `all`, `any`), a `segment` or `with_properties`"
            raise PlacedError(message, "who")
        return self

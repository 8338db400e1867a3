"""Project settings `include/settings.yml`: ad accounts, control groups, where rows are staged."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from audiences.campaign.base import Name, Strict
from audiences.campaign.who import Percent


class AdAccount(Strict):
    """A Facebook ad account and the Airflow connection that holds its token."""

    id: Annotated[str, Field(pattern="^act_[0-9]+$")]
    connection: Name


class HeldOut(Strict):
    """A control group: this percentage of all users."""

    percent: Percent


class ControlGroups(Strict):
    """The system group holds users out of every campaign; a custom group out of those that name it."""

    system: HeldOut | None = None
    custom: Annotated[dict[str, HeldOut], Field(max_length=10)] = Field(default_factory=dict)


class Settings(Strict):
    """Everything that all campaigns of a project share."""

    ad_accounts: Annotated[dict[str, AdAccount], Field(min_length=1)]
    control_groups: ControlGroups = Field(default_factory=ControlGroups)
    warehouse: Name = "warehouse"
    ledger: Name = "ledger"
    staging: Name | None = None
    timezone: Name | None = None
    owner: Name = "audiences"

"""Project settings `include/settings.yml`: ad accounts, control groups, where rows are staged."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import ConfigDict, Field, StrictInt, model_validator

from audiences.campaign.approval import Approval
from audiences.campaign.base import ConnectionId, Name, ShortName, StagingPath, Strict
from audiences.campaign.notify import Deadline, Notify
from audiences.campaign.who import Percent

REQUESTS_AT_ONCE = 8
"""Facebook names no limit of this kind. Eight requests of 10,000 rows that take a second each are 290 million rows an hour;
more of them would reach the hourly quota no later, and make its processing time, which counts too, uneven."""


POOL = "facebook"
"""The Airflow pool of the tasks that only send, unless a brand has one of its own."""

AdAccountId = Annotated[str, Field(pattern="^act_[0-9]+$")]


class AdAccount(Strict):
    """A Facebook ad account and the Airflow connection that holds its token."""

    id: AdAccountId
    """Facebook's id of the ad account, such as `act_1234567890`."""
    connection: ConnectionId
    """The Airflow connection with the token."""
    requests_at_once: Annotated[StrictInt, Field(ge=1, le=64)] = REQUESTS_AT_ONCE
    """How many requests may be under way at a time for this ad account, over all campaigns and workers."""


class HeldOut(Strict):
    """A control group: this percentage of all users."""

    short_form: ClassVar = {"type": "number", "minimum": 0, "maximum": 99}

    percent: Percent
    """Percent of the users, 0 to 99, decimals allowed."""

    @model_validator(mode="before")
    @classmethod
    def _bare_percent(cls, value: Any) -> Any:
        return {"percent": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


class ControlGroups(Strict):
    """The system group holds users out of every campaign; a custom group out of those that name it."""

    system: HeldOut | None = None
    """Held out of every campaign, unless a campaign says `control_group: {system: false}`."""
    custom: Annotated[dict[str, HeldOut], Field(max_length=10)] = Field(default_factory=dict)
    """Up to ten named groups that campaigns may hold out as well: `control_group: {custom: <name>}`."""


class Brand(Strict):
    """What the campaigns of a brand share: those in one folder of `campaigns/`."""

    pool: ShortName = POOL
    """The Airflow pool of the brand's tasks that only send; create it first, since a task without its pool waits for ever."""


class Settings(Strict):
    """Everything that all campaigns of a project share."""

    model_config = ConfigDict(title="Settings")

    ad_accounts: Annotated[dict[str, AdAccount], Field(min_length=1)]
    """The ad accounts by the names that campaigns use."""
    closed_ad_accounts: tuple[AdAccountId, ...] = ()
    """Facebook's ids of ad accounts that are closed for good: an erasure does not wait for them, and its proof says so."""
    control_groups: ControlGroups = Field(default_factory=ControlGroups)
    """Control groups that several campaigns share."""
    warehouse: ConnectionId = "warehouse"
    """The Airflow connection of the Postgres warehouse; reading is enough."""
    ledger: ConnectionId = "ledger"
    """The Airflow connection of the Postgres that keeps the ledger."""
    staging: StagingPath | None = None
    """Where rows are staged between the tasks of a run: a path that all workers share, or a URL such as `s3://bucket/audiences`
    or, with the credentials of an Airflow connection, `s3://connection@bucket/audiences`."""
    timezone: Name | None = None
    """The time zone of campaigns that name none; by default that of the warehouse catalog."""
    owner: ShortName = "audiences"
    """Who answers for campaigns that name nobody."""
    notify: Notify = Field(default_factory=Notify)
    """Whom to tell of what needs a person."""
    deadline: Deadline | None = None
    """How long a run may take, from when it is queued, before somebody is told; for campaigns that say nothing else."""
    brands: dict[Name, Brand] = Field(default_factory=dict)
    """Brands by the names of their folders in `campaigns/`; one that needs nothing of its own need not be here."""
    approval: Approval | None = None
    """Deadline and approvers of campaigns that require an approval and do not say it themselves."""

    def pool_of(self, brand: str | None) -> str:
        """The pool of a brand, or of the campaigns that belong to none."""
        return self.brands[brand].pool if brand in self.brands else POOL

    @model_validator(mode="after")
    def _open_or_closed(self) -> Self:
        closed = {*self.closed_ad_accounts} & {account.id for account in self.ad_accounts.values()}
        if closed:
            message = f"{min(closed)} is under `ad_accounts` and under `closed_ad_accounts`; keep one"
            raise ValueError(message)
        return self

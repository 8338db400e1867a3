"""What the sandbox's world consists of. Plain values: the admin API reads and writes them, the state file stores them as JSON.

Times are Unix seconds by the sandbox's own clock. Field names that face a client are Facebook's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal


@dataclass(slots=True)
class ServerSettings:
    """How the server as a whole behaves."""

    latency_ms: float = 0
    jitter_ms: float = 0
    # What more than 10,000 rows are answered with; both were seen at Facebook.
    over_limit: Literal["100", "1/99"] = "100"
    # How long an upload is "still populating" (441).
    processing_seconds: float = 0
    # When an upload moves `time_content_updated`: with its answer, or when it has been processed. Facebook does not say which.
    content_time: Literal["answered", "processed"] = "answered"
    # How long a new audience is unknown (803) to every call but its creation.
    create_lag_seconds: float = 0
    # The share of members that match a Facebook account; moves the size estimates only.
    match_rate: float = 1
    # Sessions never leave the stage "uploading", as some of Facebook's did.
    stuck_sessions: bool = False
    require_app_secret: bool = False
    api_versions: list[str] = field(default_factory=lambda: ["v25.0", "v26.0", "v27.0"])
    # What an ad set answers when it is saved with a flagged audience in it: Meta's pages say both. Allowed, it has issues then.
    flagged_in_ad_sets: Literal["refused", "allowed"] = "refused"
    # The reference of debug_token wants `input_token`, a token in the address; with this it tells of the token that asks, too.
    debug_token_of_own: bool = False
    # Calls per hour and app; error 4 above.
    app_quota: int = 1_000_000
    # Whether 100 % of the account's read/write score blocks (error 17). It is always reported.
    enforce_score: bool = False


@dataclass(slots=True)
class AccessToken:
    """An access token; `accounts` lists the ad accounts it has a role in, None means all."""

    token: str
    app_id: str = "1234567890"
    # On or after 4 November 2026: no method override and the like.
    app_created: date = date(2026, 11, 5)
    user_id: str = "10150000000000001"
    user_name: str = "Sandbox system user"
    kind: Literal["SYSTEM_USER", "USER"] = "SYSTEM_USER"
    scopes: list[str] = field(default_factory=lambda: ["ads_management", "ads_read", "business_management"])
    accounts: list[str] | None = None
    issued_at: float = 0
    # 0: never.
    expires_at: float = 0
    valid: bool = True


@dataclass(slots=True)
class Account:
    id: str
    name: str = "Sandbox account"
    currency: str = "EUR"
    timezone_name: str = "Europe/Berlin"
    account_status: int = 1
    business_id: str = "20150000000000001"
    business_name: str = "Sandbox business"
    in_business: bool = True
    tos_accepted: bool = True
    # Which of Facebook's errors stands for missing terms.
    tos_error: Literal["tos_not_accepted", "tos_business", "tos_2663", "tos_2664"] = "tos_not_accepted"
    # The terms for value-based audiences are another page; what their absence is answered with is not documented.
    value_tos_accepted: bool = True
    value_tos_error: Literal["tos_value_based", "tos_not_accepted", "tos_2663"] = "tos_value_based"
    tier: Literal["full", "limited"] = "full"
    # Calls per hour; None: by tier and number of audiences.
    quota: int | None = None
    # Added to the percentage that the calls themselves make up.
    usage_percent: float = 0
    audience_limit: int = 500
    # A throttle that holds: every call before this time is refused with 80003.
    blocked_until: float = 0
    created_at: float = 0

    @property
    def number(self) -> str:
        return self.id.removeprefix("act_")


@dataclass(slots=True)
class CustomAudience:
    id: str
    account: str
    name: str
    description: str = ""
    subtype: str = "CUSTOM"
    customer_file_source: str = "USER_PROVIDED_ONLY"
    retention_days: int = 0
    is_value_based: bool = False
    audience_labels: list[str] = field(default_factory=list)
    origin_audience_id: str | None = None
    lookalike_spec: dict[str, Any] | None = None
    # Of the last upload; the family is fixed by the first.
    schema: list[str] = field(default_factory=list)
    family: str | None = None
    # None: follows from what happened. 471 makes the audience flagged.
    operation_status: int | None = None
    delivery_status: int | None = None
    delete_time: int = 0
    can_edit: bool = True
    disabled: bool = False
    deleted: bool = False
    replace_failed: bool = False
    created_at: float = 0
    updated_at: float = 0
    content_updated_at: float = 0
    # What `time_content_updated` said before the last change.
    content_time_before: float = 0
    ready_at: float = 0
    # [time, size] after each change, the last 300.
    sizes: list[tuple[float, int]] = field(default_factory=list)


@dataclass(slots=True)
class SandboxSession:
    """One upload session of one audience; what a replace has received waits under `pending_key`."""

    id: str
    audience: str
    kind: Literal["users", "replace"]
    opened_at: float
    schema: list[str]
    num_received: int = 0
    num_invalid: int = 0
    # None while it runs.
    closed_at: float | None = None
    timed_out: bool = False

    @property
    def pending_key(self) -> str:
        return f"{self.audience}/{self.id}"


@dataclass(slots=True)
class AdCampaign:
    """Facebook's campaign: what ad sets belong to, and where a campaign budget sits. Budgets are in cents."""

    id: str
    account: str
    name: str = "Sandbox campaign"
    objective: str = "OUTCOME_SALES"
    status: str = "ACTIVE"
    daily_budget: int | None = None
    lifetime_budget: int | None = None
    special_ad_categories: list[str] = field(default_factory=list)
    created_at: float = 0
    updated_at: float = 0


@dataclass(slots=True)
class AdSet:
    """`writes` counts the changes that were saved, so that a test can say "nothing was written"."""

    id: str
    account: str
    campaign: str
    name: str = "Sandbox ad set"
    status: str = "ACTIVE"
    targeting: dict[str, Any] = field(default_factory=dict)
    daily_budget: int | None = None
    lifetime_budget: int | None = None
    start_time: float = 0
    end_time: float | None = None
    pacing_type: list[str] = field(default_factory=lambda: ["standard"])
    adset_schedule: list[dict[str, Any]] = field(default_factory=list)
    optimization_goal: str = "OFFSITE_CONVERSIONS"
    billing_event: str = "IMPRESSIONS"
    created_at: float = 0
    updated_at: float = 0
    writes: int = 0

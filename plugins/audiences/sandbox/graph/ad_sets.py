"""Ad sets and the campaigns they belong to: read, list, update with the rules for targeting, schedule and budget."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph.ad_campaigns import campaign_fields
from audiences.sandbox.graph.ad_set_rules import (
    CHANGEABLE,
    LISTS,
    check_schedule,
    check_targeting,
    linked,
    read_changes,
)
from audiences.sandbox.graph.audience_status import FLAGGED
from audiences.sandbox.graph.error_table import refuse
from audiences.sandbox.graph.fields import constants, iso, page, select
from audiences.sandbox.objects import Account, AdCampaign, AdSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.sandbox.graph.call import Call
    from audiences.sandbox.world import World

_UNSET = (
    "attribution_spec",
    "bid_amount",
    "bid_strategy",
    "destination_type",
    "dsa_beneficiary",
    "dsa_payor",
    "is_dynamic_creative",
    "learning_stage_info",
    "lifetime_imps",
    "promoted_object",
    "recommendations",
    "source_adset_id",
)


def read(call: Call) -> dict[str, Any]:
    """GET /ADSET."""
    return _read(call, call.the(AdSet))


def list_of_account(call: Call) -> dict[str, Any]:
    """GET /act_N/adsets."""
    return _page(call, [one for one in call.world.ad_sets.values() if one.account == call.the(Account).id])


def list_of_campaign(call: Call) -> dict[str, Any]:
    """GET /CAMPAIGN/adsets."""
    return _page(call, [one for one in call.world.ad_sets.values() if one.campaign == call.the(AdCampaign).id])


def _page(call: Call, ad_sets: list[AdSet]) -> dict[str, Any]:
    return page(call, [(one.id, partial(_read, call, one)) for one in ad_sets])


def _read(call: Call, ad_set: AdSet) -> dict[str, Any]:
    return select(call, readable(call.world, ad_set), node="AdCampaign")


def readable(world: World, ad_set: AdSet) -> dict[str, Callable[[], Any]]:
    """Every field of an ad set with how to get it. Budgets are strings of cents, times ISO 8601, as at Facebook."""
    campaign = world.campaigns[ad_set.campaign]
    constant = {
        "id": ad_set.id,
        "account_id": world.accounts[ad_set.account].number,
        "campaign_id": ad_set.campaign,
        "name": ad_set.name,
        "status": ad_set.status,
        "configured_status": ad_set.status,
        "daily_budget": str(ad_set.daily_budget or 0),
        "lifetime_budget": str(ad_set.lifetime_budget or 0),
        "budget_remaining": str(ad_set.lifetime_budget or ad_set.daily_budget or 0),
        "start_time": iso(ad_set.start_time),
        "end_time": iso(ad_set.end_time) if ad_set.end_time else None,
        "pacing_type": ad_set.pacing_type,
        "adset_schedule": ad_set.adset_schedule or None,
        "optimization_goal": ad_set.optimization_goal,
        "billing_event": ad_set.billing_event,
        "created_time": iso(ad_set.created_at),
        "updated_time": iso(ad_set.updated_at),
        **dict.fromkeys(_UNSET),
    }
    return constants(constant) | {
        "targeting": lambda: _with_names(world, ad_set.targeting),
        "campaign": lambda: {
            name: value for name, value in campaign_fields(world, campaign).items() if value is not None
        },
        "effective_status": lambda: effective_status(world, ad_set),
        "issues_info": lambda: _issues(world, ad_set) or None,
    }


def _with_names(world: World, targeting: dict[str, Any]) -> dict[str, Any]:
    """Facebook adds each audience's name when it answers."""
    named = {
        name: [
            {"id": str(one["id"]), "name": getattr(world.audiences.get(str(one["id"])), "name", "")}
            for one in targeting[name]
        ]
        for name in LISTS
        if name in targeting
    }
    return targeting | named


def _issues(world: World, ad_set: AdSet) -> list[dict[str, Any]]:
    return [
        {
            "level": "AD_SET",
            "error_code": 1487366 if one.deleted else 1713230,
            "error_summary": "A custom audience of this ad set is not available",
            "error_message": f"The audience {one.id} was deleted or blocked. Remove it from the ad set.",
            "error_type": "HARD_ERROR",
        }
        for one in map(world.audiences.get, linked(ad_set.targeting))
        if one is not None and (one.deleted or one.disabled or one.operation_status == FLAGGED)
    ]


def effective_status(world: World, ad_set: AdSet) -> str:
    """The status with the campaign's and the audiences' troubles in it."""
    campaign = world.campaigns[ad_set.campaign]
    if ad_set.status != "ACTIVE":
        return ad_set.status
    if campaign.status != "ACTIVE":
        return "CAMPAIGN_PAUSED"
    return "WITH_ISSUES" if _issues(world, ad_set) else "ACTIVE"


def update(call: Call) -> dict[str, Any]:
    """POST /ADSET. `targeting` is replaced as a whole; with `validate_only` everything is checked and nothing is kept."""
    ad_set, world = call.the(AdSet), call.world
    changes = read_changes(call)
    if ad_set.status in ("DELETED", "ARCHIVED") and changes.keys() - {"name"} and changes != {"status": "DELETED"}:
        refuse("ad_set_closed")
    after = {name: changes.get(name, getattr(ad_set, name)) for name in CHANGEABLE}
    if "targeting" in changes:
        check_targeting(world, world.accounts[ad_set.account], changes["targeting"])
    if "end_time" in changes and after["end_time"] and after["end_time"] <= world.clock.now():
        refuse("end_in_past")
    if after["end_time"] and after["end_time"] <= after["start_time"]:
        refuse("invalid_param", text="End time must be after start time")
    if after["lifetime_budget"] and not after["end_time"]:
        refuse("invalid_param", text="An ad set with a lifetime budget needs an end time")
    check_schedule(after, world.campaigns[ad_set.campaign])
    if "validate_only" not in (call.json("execution_options") or []):
        for name, value in changes.items():
            setattr(ad_set, name, value)
        ad_set.updated_at = world.clock.now()
        ad_set.writes += 1
    return {"success": True}

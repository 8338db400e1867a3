"""What Facebook checks when an ad set is changed: its targeting, its schedule, its budget."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph.audience_status import FLAGGED, require_terms
from audiences.sandbox.graph.error_table import refuse

if TYPE_CHECKING:
    from audiences.sandbox.graph.call import Call
    from audiences.sandbox.objects import Account, AdCampaign
    from audiences.sandbox.world import World

LISTS = ("custom_audiences", "excluded_custom_audiences")
CHANGEABLE = [
    "name",
    "status",
    "targeting",
    "daily_budget",
    "lifetime_budget",
    "start_time",
    "end_time",
    "pacing_type",
    "adset_schedule",
    "optimization_goal",
    "billing_event",
]
MAX_LINKED = 500
_STATUSES = ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED")


def linked(targeting: dict[str, Any]) -> list[str]:
    """The ids of the audiences that a targeting includes or excludes."""
    return [str(one.get("id")) for name in LISTS for one in targeting.get(name) or ()]


def read_changes(call: Call) -> dict[str, Any]:
    """The changes that the call asks for, each read as what it is."""
    changes: dict[str, Any] = {}
    for name in CHANGEABLE:
        if name not in call.params:
            continue
        if name in ("targeting", "pacing_type", "adset_schedule"):
            changes[name] = call.json(name) or ({} if name == "targeting" else [])
            if not isinstance(changes[name], dict if name == "targeting" else list):
                refuse("invalid_param", text=f"Param {name} has the wrong type")
        elif name.endswith("_budget"):
            changes[name] = call.integer(name)
        elif name.endswith("_time"):
            changes[name] = _time(call, name)
        else:
            changes[name] = call.required(name)
    if changes.get("status", "ACTIVE") not in _STATUSES:
        refuse("invalid_param", text=f"Param status must be one of {{{', '.join(_STATUSES)}}}")
    if len(changes.get("name", "")) > 400:
        refuse("invalid_param", text="The name of an ad set has at most 400 characters")
    return changes


def _time(call: Call, name: str) -> float | None:
    """Unix seconds of a time given as ISO 8601 with an offset or as Unix seconds; an end of 0 is none."""
    text = call.text(name) or "0"
    if text.isascii() and text.isdecimal() and len(text) < 12:
        return float(text) or None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        refuse("invalid_param", text=f"Param {name} must be ISO 8601 with an offset, or Unix seconds")
    return moment.timestamp()


def check_targeting(world: World, account: Account, targeting: dict[str, Any]) -> None:
    """Raise what is wrong with the audiences of a targeting; the rest of it is taken as it is."""
    for name in LISTS:
        audiences = targeting.get(name) or []
        if not isinstance(audiences, list) or not all(isinstance(one, dict) and "id" in one for one in audiences):
            refuse("invalid_param", text=f"Param targeting[{name}] must be a list of objects with an id")
        if len(audiences) > MAX_LINKED:
            refuse("invalid_param", text=f"Param targeting[{name}] has at most {MAX_LINKED} audiences")
    linked_ids = linked(targeting)
    if linked_ids:
        require_terms(account)
    for identifier in linked_ids:
        audience = world.audiences.get(identifier)
        if audience is None or audience.account != account.id:
            refuse("not_shared")
        if audience.deleted:
            refuse("deleted")
        if audience.disabled:
            refuse("disabled")
        if audience.operation_status == FLAGGED and world.settings.flagged_in_ad_sets == "refused":
            refuse("flagged")


def check_schedule(after: dict[str, Any], campaign: AdCampaign) -> None:
    """Day parting needs a lifetime budget with an end, here or on the campaign, and whole hours."""
    schedule, parted = after["adset_schedule"], "day_parting" in after["pacing_type"]
    if bool(schedule) != parted:
        refuse("invalid_param", text="Param adset_schedule and pacing_type day_parting go together")
    if parted and not ((after["lifetime_budget"] or campaign.lifetime_budget) and after["end_time"]):
        refuse("invalid_param", text="Day parting needs a lifetime budget and an end time")
    for part in schedule:
        if not isinstance(part, dict) or not _is_part(part):
            text = "Param adset_schedule needs whole hours from 0 to 1440 minutes, at least one hour long, and days from 0 to 6"
            refuse("invalid_param", text=text)
    for day in range(7):
        spans = sorted((part["start_minute"], part["end_minute"]) for part in schedule if day in part["days"])
        if any(first[1] > second[0] for first, second in pairwise(spans)):
            refuse("invalid_param", text="Param adset_schedule has parts that overlap")


def _is_part(part: dict[str, Any]) -> bool:
    start, end, days = part.get("start_minute"), part.get("end_minute"), part.get("days")
    return (
        isinstance(start, int)
        and isinstance(end, int)
        and 0 <= start < end <= 1440
        and start % 60 == end % 60 == 0
        and isinstance(days, list)
        and bool(days)
        and all(day in range(7) for day in days)
        and part.get("timezone_type", "USER") in ("USER", "ADVERTISER")
    )

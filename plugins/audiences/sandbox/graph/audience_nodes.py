"""Custom audiences: create, list, read, update, delete."""

from __future__ import annotations

from functools import partial
from operator import contains, eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph.audience_status import (
    bounds,
    delivery_status,
    operation_status,
    require_terms,
    require_value_terms,
)
from audiences.sandbox.graph.error_table import refuse
from audiences.sandbox.graph.fields import constants, page, select
from audiences.sandbox.graph.sessions import close_expired
from audiences.sandbox.objects import Account, CustomAudience

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.sandbox.graph.call import Call
    from audiences.sandbox.world import World

SUBTYPES = frozenset(
    [
        "APP",
        "BAG_OF_ACCOUNTS",
        "BIDDING",
        "CLAIM",
        "CUSTOM",
        "ENGAGEMENT",
        "EXCLUSION",
        "FOX",
        "LOOKALIKE",
        "MANAGED",
        "MEASUREMENT",
        "MESSENGER_SUBSCRIBER_LIST",
        "OFFLINE_CONVERSION",
        "PARTNER",
        "PRIMARY",
        "REGULATED_CATEGORIES_AUDIENCE",
        "STUDY_RULE_AUDIENCE",
        "VIDEO",
        "WEBSITE",
    ]
)
SOURCES = frozenset({"USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED"})
# Readable at Facebook, always absent here.
_UNSET = [
    "data_source_types",
    "datafile_custom_audience_uploading_status",
    "excluded_custom_audiences",
    "external_event_source",
    "fields_violating_integrity_policy",
    "household_audience",
    "included_custom_audiences",
    "is_household",
    "is_snapshot",
    "messenger_marketing_messages_page",
    "opt_out_link",
    "page_deletion_marked_delete_time",
    "pixel_id",
    "regulated_audience_spec",
    "rev_share_policy_id",
    "rule",
    "rule_aggregation",
    "rule_v2",
    "seed_audience",
    "sharing_status",
]
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": eq,
    "NOT_EQUAL": ne,
    "GREATER_THAN": gt,
    "GREATER_THAN_OR_EQUAL": ge,
    "LESS_THAN": lt,
    "LESS_THAN_OR_EQUAL": le,
    "CONTAIN": contains,
    "NOT_CONTAIN": lambda value, part: part not in value,
    "STARTS_WITH": lambda value, start: value.startswith(start),
    "IN": lambda value, choices: value in choices,
    "NOT_IN": lambda value, choices: value not in choices,
}


def create(call: Call) -> dict[str, Any]:
    """POST /act_N/customaudiences."""
    account, world = call.the(Account), call.world
    require_terms(account)
    if call.truth("is_value_based"):
        require_value_terms(account)
    name, subtype = call.required("name"), call.required("subtype")
    if subtype not in SUBTYPES:
        refuse("invalid_param", text=f"Param subtype must be one of {{{', '.join(sorted(SUBTYPES))}}}")
    source = call.required("customer_file_source") if subtype == "CUSTOM" else "USER_PROVIDED_ONLY"
    if source not in SOURCES:
        refuse("invalid_param", text=f"Param customer_file_source must be one of {{{', '.join(sorted(SOURCES))}}}")
    lists = sum(
        one.subtype == "CUSTOM" and not one.deleted and one.account == account.id for one in world.audiences.values()
    )
    if subtype == "CUSTOM" and lists >= account.audience_limit:
        refuse("too_many_audiences", limit=account.audience_limit)
    now = world.clock.now()
    audience = CustomAudience(
        id=world.new_id("2385"),
        account=account.id,
        name=name,
        description=call.text("description") or "",
        subtype=subtype,
        customer_file_source=source,
        retention_days=call.integer("retention_days") or 0,
        is_value_based=call.truth("is_value_based"),
        audience_labels=call.json("audience_labels") or [],
        origin_audience_id=call.text("origin_audience_id"),
        lookalike_spec=call.json("lookalike_spec"),
        created_at=now,
        updated_at=now,
    )
    world.audiences[audience.id] = audience
    call.entry.audience = audience.id
    return {"id": audience.id}


def read(call: Call) -> dict[str, Any]:
    """GET /AUDIENCE."""
    close_expired(call.world, call.the(CustomAudience))
    return _read(call, call.the(CustomAudience))


def update(call: Call) -> dict[str, Any]:
    """POST /AUDIENCE."""
    audience = call.the(CustomAudience)
    if not audience.can_edit:
        refuse("not_shared")
    if "name" in call.params:
        audience.name = call.required("name")
    if "description" in call.params:
        audience.description = call.text("description") or ""
    if "audience_labels" in call.params:
        audience.audience_labels = call.json("audience_labels") or []
    audience.updated_at = call.world.clock.now()
    return {"success": True}


def delete(call: Call) -> dict[str, Any]:
    """DELETE /AUDIENCE."""
    audience, world = call.the(CustomAudience), call.world
    if any(one.origin_audience_id == audience.id and not one.deleted for one in world.audiences.values()):
        refuse("has_lookalikes")
    for session in world.sessions_of(audience):
        del world.sessions[audience.id, session.id]
        world.forget_members(session.pending_key)
    world.forget_members(audience.id)
    audience.deleted = True
    audience.updated_at = world.clock.now()
    return {"success": True}


def list_of_account(call: Call) -> dict[str, Any]:
    """GET /act_N/customaudiences."""
    account = call.the(Account)
    audiences = [one for one in call.world.audiences.values() if one.account == account.id and not one.deleted]
    for audience in audiences:
        close_expired(call.world, audience)
    given = call.json("filtering")
    conditions = [] if given is None else given
    if not isinstance(conditions, list):
        refuse("invalid_param", text="Param filtering must be a list")
    kept = [one for one in audiences if all(_meets(call.world, one, condition) for condition in conditions)]
    return page(call, [(one.id, partial(_read, call, one)) for one in kept])


def _read(call: Call, audience: CustomAudience) -> dict[str, Any]:
    return select(call, readable(call.world, audience), node="CustomAudience")


def readable(world: World, audience: CustomAudience) -> dict[str, Callable[[], Any]]:
    """Every field of an audience with how to get it; times in whole Unix seconds."""
    account = world.accounts[audience.account]
    constant = {
        "id": audience.id,
        "account_id": account.number,
        "name": audience.name,
        "description": audience.description,
        "subtype": audience.subtype,
        "customer_file_source": audience.customer_file_source if audience.subtype == "CUSTOM" else None,
        "retention_days": audience.retention_days,
        "is_value_based": audience.is_value_based,
        "audience_labels": audience.audience_labels,
        "lookalike_spec": audience.lookalike_spec,
        "delete_time": audience.delete_time,
        "owner_business": {"id": account.business_id, "name": account.business_name},
        "time_created": int(audience.created_at),
        "time_updated": int(audience.updated_at),
        "time_content_updated": int(world.content_time(audience)) if audience.subtype == "CUSTOM" else None,
        "is_eligible_for_sac_campaigns": True,
        "data_source": {
            "type": "FILE_IMPORTED",
            "sub_type": (audience.family or "FILE_IMPORTED.ANYTHING").partition(".")[2],
        },
        "permission_for_actions": {
            "can_edit": audience.can_edit,
            "can_see_insight": "true",
            "can_share": "true",
            "subtype_supports_lookalike": "true",
            "supports_recipient_lookalike": "false",
        },
        **dict.fromkeys(_UNSET),
    }
    return constants(constant) | _derived(world, audience)


def _derived(world: World, audience: CustomAudience) -> dict[str, Callable[[], Any]]:
    """The fields that follow from members, sessions and the clock."""
    return {
        "operation_status": lambda: operation_status(world, audience),
        "delivery_status": lambda: delivery_status(world, audience),
        "approximate_count_lower_bound": lambda: bounds(world, audience)[0],
        "approximate_count_upper_bound": lambda: bounds(world, audience)[1],
        "lookalike_audience_ids": lambda: (
            [one.id for one in world.audiences.values() if one.origin_audience_id == audience.id and not one.deleted]
            or None
        ),
    }


def _meets(world: World, audience: CustomAudience, condition: Any) -> bool:
    if not isinstance(condition, dict) or condition.get("operator") not in _OPERATORS:
        refuse("invalid_param", text=f"Param filtering must use one of the operators {{{', '.join(_OPERATORS)}}}")
    name, _, inner = str(condition.get("field")).partition(".")
    fields = readable(world, audience)
    if name not in fields:
        refuse("invalid_param", text=f"Filtering field {name} is invalid")
    value = fields[name]()
    if inner:
        value = value.get(inner) if isinstance(value, dict) else None
    try:
        return value is not None and bool(_OPERATORS[condition["operator"]](value, condition.get("value")))
    except (TypeError, AttributeError):
        refuse("invalid_param", text=f"Filtering value of {name} has the wrong type")

"""Ad accounts: read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from audiences.sandbox.graph.fields import constants, iso, page, select
from audiences.sandbox.objects import Account

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.sandbox.graph.call import Call

_UNSET = ("funding_source", "funding_source_details", "spend_cap", "failed_delivery_checks")
_TERMS = {"custom_audience_tos": 1, "web_custom_audience_tos": 1}


def read(call: Call) -> dict[str, Any]:
    """GET /act_N."""
    return _read(call, call.the(Account))


def list_of_user(call: Call) -> dict[str, Any]:
    """GET /me/adaccounts: those that the token has a role in."""
    allowed = call.token.accounts if call.token else None
    accounts = [one for one in call.world.accounts.values() if allowed is None or one.id in allowed]
    return page(call, [(one.id, partial(_read, call, one)) for one in accounts])


def _read(call: Call, account: Account) -> dict[str, Any]:
    return select(call, readable(account), node="AdAccount", default=("account_id", "id"))


def readable(account: Account) -> dict[str, Callable[[], Any]]:
    """Every field of an ad account; `tos_accepted` has no `custom_audience_tos` while the terms are not accepted."""
    business = {"id": account.business_id, "name": account.business_name} if account.in_business else None
    return constants(
        {
            "id": account.id,
            "account_id": account.number,
            "name": account.name,
            "account_status": account.account_status,
            "age": 400.0,
            "amount_spent": "0",
            "balance": "0",
            "business": business,
            "business_name": account.business_name if account.in_business else None,
            "capabilities": ["CAN_USE_CUSTOM_AUDIENCES"],
            "created_time": iso(account.created_at),
            "currency": account.currency,
            "disable_reason": 0 if account.account_status == 1 else 1,
            "has_migrated_permissions": True,
            "is_personal": 0,
            "is_prepay_account": False,
            "min_daily_budget": 100,
            "owner": account.business_id,
            "timezone_id": 47,
            "timezone_name": account.timezone_name,
            "timezone_offset_hours_utc": 1,
            "tos_accepted": _accepted(account),
            "user_tos_accepted": _TERMS if account.tos_accepted else {},
            "user_tasks": ["DRAFT", "ANALYZE", "ADVERTISE", "MANAGE"],
            **dict.fromkeys(_UNSET),
        }
    )


def _accepted(account: Account) -> dict[str, int]:
    accepted = {name: 1 for name in _TERMS if account.tos_accepted or name != "custom_audience_tos"}
    return accepted | ({"value_based_custom_audience_tos": 1} if account.value_tos_accepted else {})

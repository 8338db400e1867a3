"""What the admin API and the pages tell about the world, as plain JSON."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from audiences.sandbox.faults import KINDS
from audiences.sandbox.graph.ad_sets import effective_status
from audiences.sandbox.graph.audience_status import bounds, delivery_status, operation_status
from audiences.sandbox.graph.sessions import close_expired
from audiences.sandbox.member_sets import as_json

if TYPE_CHECKING:
    from audiences.sandbox.objects import Account, AdSet, CustomAudience
    from audiences.sandbox.request_log import LoggedRequest
    from audiences.sandbox.world import World

FINDINGS = ("at_sign", "not_a_hash", "upper_case_hash", "empty_hash")
_TOTALS = ["requests", "errors", "faults", "rows_received", "rows_added", "rows_removed", "token_in_url", "retired"]


def state(world: World, *, with_members: bool, with_requests: bool) -> dict[str, Any]:
    """Everything there is; tokens are told by all but their text."""
    live = [one for one in world.audiences.values() if not one.deleted]
    for one in live:
        close_expired(world, one)
    answer: dict[str, Any] = {
        "clock": clock(world),
        "settings": asdict(world.settings),
        "accounts": [account(world, one) for one in world.accounts.values()],
        "audiences": [audience(world, one, with_members=with_members) for one in live],
        "deleted_audiences": [one.id for one in world.audiences.values() if one.deleted],
        "campaigns": [asdict(one) for one in world.campaigns.values()],
        "ad_sets": [ad_set(world, one) for one in world.ad_sets.values()],
        "tokens": [{**asdict(one), "token": f"{one.token[:4]}…"} for one in world.tokens.values()],
        "counters": counters(world),
        "pii": pii(world),
        "faults": faults(world),
    }
    if with_requests:
        answer["requests"] = requests(world, 0)
    return answer


def clock(world: World) -> dict[str, Any]:
    return {"now": _time(world.clock.now()), "offset_seconds": world.clock.offset}


def account(world: World, one: Account) -> dict[str, Any]:
    now = world.clock.now()
    audiences = sum(audience.account == one.id and not audience.deleted for audience in world.audiences.values())
    used = world.usage.of(one.id)
    usage = {
        "calls_last_hour": int(used.calls.total(now)),
        "percent": round(world.usage.percent(one, audiences=audiences, now=now), 2),
        "regain_minutes": world.usage.regain_minutes(one, audiences=audiences, now=now),
        "calls_while_blocked": used.while_blocked,
        "concurrency_peak": world.log.concurrency_peak(one.id),
    }
    return {**asdict(one), "usage": usage}


def audience(world: World, one: CustomAudience, *, with_members: bool) -> dict[str, Any]:
    """An audience; `members` is a list of `{KEY: value}` without blanks, sorted by the keys present, then by the values."""
    members = world.member_set(one.id)
    lower, upper = bounds(world, one)
    answer = {
        **asdict(one),
        "operation_status": operation_status(world, one),
        "delivery_status": delivery_status(world, one),
        "approximate_count": [lower, upper],
        "size": len(members),
        "sessions": [asdict(session) for session in world.sessions_of(one)],
    }
    return answer | {"members": as_json(members.groups)} if with_members else answer


def ad_set(world: World, one: AdSet) -> dict[str, Any]:
    return {**asdict(one), "effective_status": effective_status(world, one)}


def requests(world: World, since: int) -> list[dict[str, Any]]:
    return [_entry(entry) for entry in world.log.since(since)]


def _entry(entry: LoggedRequest) -> dict[str, Any]:
    return {**asdict(entry), "at": _time(entry.at)}


def counters(world: World) -> dict[str, Any]:
    """Totals since the start or the last reset."""
    log = world.log
    return {
        **{name: log.counters[name] for name in _TOTALS},
        "by_call": dict(log.by_call),
        "by_code": dict(log.by_code),
        "peak_rows": log.peaks["rows"],
        "peak_bytes": log.peaks["bytes"],
        "max_url_length": log.peaks["url_length"],
        "concurrency_peak": log.concurrency_peak(),
    }


def pii(world: World) -> dict[str, Any]:
    """What was sent and must not be: cells by kind, with where; `clean` when there was nothing."""
    found = {kind: world.log.found[kind] for kind in FINDINGS}
    return {"clean": not any(found.values()), **found, "findings": list(world.log.findings)}


def faults(world: World) -> dict[str, Any]:
    return {
        "faults": [asdict(rule) for rule in world.faults.rules],
        "fired_by_kind": world.faults.fired_by_kind,
        "kinds": KINDS,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")

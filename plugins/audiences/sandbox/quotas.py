"""Quotas per ad account and app, as percentages in Facebook's three usage headers; at 100 they block.

Numbers are Meta's: calls per sliding hour and ad account by access tier (custom_audience bucket), and a score per account
(reads 1, writes 3) that decays over 300 seconds.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from audiences.sandbox.graph.error_table import GraphError, known_error

if TYPE_CHECKING:
    from audiences.sandbox.objects import Account, ServerSettings

HOUR = 3600.0
SCORE_SPAN = 300.0
QUOTA_CAP = 700_000
QUOTA = {"full": 190_000, "limited": 5_000}
SCORE_MAX = {"full": 9_000, "limited": 60}
SCORE_BLOCK = {"full": 60, "limited": 300}


class SlidingSum:
    """A sum over the last `span` seconds, kept in sixtieths of it so that it costs nothing at a thousand calls a second."""

    __slots__ = ("_buckets", "_span", "_step", "_total")

    def __init__(self, span: float) -> None:
        self._span = span
        self._step = span / 60
        self._buckets: deque[list[float]] = deque()
        self._total = 0.0

    def add(self, now: float, amount: float) -> None:
        start = now - now % self._step
        if self._buckets and self._buckets[-1][0] == start:
            self._buckets[-1][1] += amount
        else:
            self._buckets.append([start, amount])
        self._total += amount

    def total(self, now: float) -> float:
        while self._buckets and self._buckets[0][0] + self._span <= now:
            self._total -= self._buckets.popleft()[1]
        return self._total

    def seconds_until(self, limit: float, now: float) -> float:
        """How long until the sum is at most `limit` if nothing is added; the whole span when it never will be."""
        left, wait = self.total(now), 0.0
        for start, amount in self._buckets:
            if left <= limit:
                break
            left -= amount
            wait = start + self._span - now
        return wait if left <= limit else self._span


@dataclass(slots=True)
class AccountUsage:
    """What one ad account has used up; `while_blocked` counts the calls a client should not have made."""

    calls: SlidingSum = field(default_factory=lambda: SlidingSum(HOUR))
    milliseconds: SlidingSum = field(default_factory=lambda: SlidingSum(HOUR))
    score: SlidingSum = field(default_factory=lambda: SlidingSum(SCORE_SPAN))
    score_blocked_until: float = 0
    while_blocked: int = 0


class Quotas:
    """The counters of all accounts and of the app."""

    def __init__(self) -> None:
        self._accounts: dict[str, AccountUsage] = {}
        self._app = SlidingSum(HOUR)

    def of(self, account: str) -> AccountUsage:
        return self._accounts.setdefault(account, AccountUsage())

    def admit(
        self, account: Account | None, settings: ServerSettings, *, audiences: int, write: bool, now: float
    ) -> GraphError | None:
        """Count one call; returns the throttle that it meets, if any: 80003 with the minutes to wait, 17 or 4.

        Calls while blocked count as well, and so make the block longer.
        """
        error = self._block(account, settings, audiences=audiences, now=now)
        self._app.add(now, 1)
        if account is not None:
            used = self.of(account.id)
            used.calls.add(now, 1)
            used.score.add(now, 3 if write else 1)
            used.while_blocked += error is not None
        return error

    def _block(
        self, account: Account | None, settings: ServerSettings, *, audiences: int, now: float
    ) -> GraphError | None:
        if self._app.total(now) >= settings.app_quota:
            return known_error("throttle_app")
        if account is None:
            return None
        minutes = self.regain_minutes(account, audiences=audiences, now=now)
        if minutes:
            return throttled(minutes)
        used = self.of(account.id)
        if settings.enforce_score and used.score.total(now) >= SCORE_MAX[account.tier]:
            used.score_blocked_until = now + SCORE_BLOCK[account.tier]
        return known_error("throttle_account") if used.score_blocked_until > now else None

    def percent(self, account: Account, *, audiences: int, now: float) -> float:
        return account.usage_percent + 100 * self.of(account.id).calls.total(now) / _quota(account, audiences)

    def regain_minutes(self, account: Account, *, audiences: int, now: float) -> int:
        """Whole minutes until the account may call again; 0 when it may now."""
        wait = account.blocked_until - now
        if self.percent(account, audiences=audiences, now=now) >= 100:
            allowed = _quota(account, audiences) * max(0.0, 100 - account.usage_percent) / 100
            wait = max(wait, self.of(account.id).calls.seconds_until(allowed - 1, now), 60.0)
        return math.ceil(wait / 60) if wait > 0 else 0

    def headers(
        self, account: Account | None, settings: ServerSettings, *, audiences: int, now: float, error: GraphError | None
    ) -> dict[str, str]:
        """The three usage headers of one answer, about nothing where it concerns no account.

        A throttle error shows at 100 % with its own minutes.
        """
        app = math.floor(100 * self._app.total(now) / settings.app_quota)
        headers = {"x-app-usage": _json({"call_count": min(app, 100), "total_time": 0, "total_cputime": 0})}
        if account is None:
            nothing = {"acc_id_util_pct": 0, "reset_time_duration": 0, "ads_api_access_tier": "standard_access"}
            return headers | {"x-business-use-case-usage": "{}", "x-ad-account-usage": _json(nothing)}
        used = self.of(account.id)
        minutes = (error and error.regain_minutes) or self.regain_minutes(account, audiences=audiences, now=now)
        calls = 100 if minutes else math.floor(self.percent(account, audiences=audiences, now=now))
        busy = math.floor(100 * used.milliseconds.total(now) / (HOUR * 1000))
        entry = {
            "type": "custom_audience",
            "call_count": calls,
            "total_cputime": busy,
            "total_time": busy,
            "estimated_time_to_regain_access": minutes,
        }
        score = 100 * used.score.total(now) / SCORE_MAX[account.tier]
        headers["x-business-use-case-usage"] = _json({account.number: [entry]})
        headers["x-ad-account-usage"] = _json(
            {
                "acc_id_util_pct": round(min(score, 100.0), 2),
                "reset_time_duration": math.ceil(max(0.0, used.score_blocked_until - now)),
                "ads_api_access_tier": "standard_access" if account.tier == "full" else "development_access",
            }
        )
        return headers


def throttled(minutes: int) -> GraphError:
    error = known_error("throttle")
    error.regain_minutes = minutes
    return error


def _quota(account: Account, audiences: int) -> int:
    by_tier = min(QUOTA[account.tier] + 40 * audiences, QUOTA_CAP)
    return account.quota if account.quota is not None else by_tier


def _json(value: object) -> str:
    return orjson.dumps(value).decode()

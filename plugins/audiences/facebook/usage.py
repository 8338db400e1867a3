"""Rate limits: how much of its quota an ad account has used, and the pace that follows from it.

Facebook states usage in three response headers as percentages (Marketing API rate limiting). It sends no Retry-After.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from audiences.facebook.contract import (
    BLOCK_FALLBACK_SECONDS,
    BLOCK_LONGEST_SECONDS,
    LONGEST_PAUSE_SECONDS,
    OUR_QUOTAS,
    SLOW_DOWN_FROM_PERCENT,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PERCENT_KEYS = ("call_count", "total_cputime", "total_time")
# A header that says more than a day is taken for nonsense and cut.
_LONGEST_STATED_BLOCK = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Usage:
    """The highest percentage of any quota we count against, and the seconds until a blocked account is free again."""

    percent: float = 0.0
    regain_seconds: float = 0.0


def read_usage(headers: Mapping[str, str], account_number: str) -> Usage | None:
    """What the usage headers of one answer say about us; None where there are none or none can be read."""
    found: list[Usage] = []
    app = _json(headers.get("X-App-Usage"))
    if isinstance(app, dict):
        found.append(Usage(_percent(app)))
    account = _json(headers.get("X-Ad-Account-Usage"))
    if isinstance(account, dict):
        percent = _number(account.get("acc_id_util_pct"))
        # reset_time_duration is in seconds, and says when the score is back at zero: it matters once we are blocked.
        found.append(Usage(percent, _number(account.get("reset_time_duration")) if percent >= 100 else 0.0))
    business = _json(headers.get("X-Business-Use-Case-Usage"))
    if isinstance(business, dict):
        # estimated_time_to_regain_access is in minutes.
        found.extend(
            Usage(_percent(entry), 60 * _number(entry.get("estimated_time_to_regain_access")))
            for entry in _our_entries(business, account_number)
        )
    if not found:
        return None
    return Usage(max(usage.percent for usage in found), max(usage.regain_seconds for usage in found))


def pause(percent: float) -> float:
    """Seconds between two calls at this usage: none below 75 %, then half a second, doubling with every 5 %."""
    if percent < SLOW_DOWN_FROM_PERCENT:
        return 0.0
    doublings = min((percent - SLOW_DOWN_FROM_PERCENT) / 5, 10.0)
    return min(0.5 * math.pow(2.0, doublings), LONGEST_PAUSE_SECONDS)


class Pace:
    """The pace of all calls for one ad account, shared by the threads (and sessions) that make them."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._percent = 0.0
        self._next_call = 0.0
        self._blocked_until = 0.0
        self._blocks = 0

    @property
    def percent(self) -> float:
        """The last usage seen."""
        return self._percent

    def blocked_for(self) -> float:
        """Seconds until the account may be called again; 0 when it may be now."""
        with self._lock:
            return max(0.0, self._blocked_until - self._clock())

    def take_turn(self) -> float:
        """Book the next call: the seconds to sleep before it. Turns are spaced over all threads, not in each."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next_call)
            self._next_call = turn + pause(self._percent)
            return turn - now

    def observe(self, usage: Usage) -> None:
        """Take note of the usage that an answer states."""
        with self._lock:
            self._percent = usage.percent
            if usage.percent < 100:
                self._blocks = 0

    def block(self, seconds: float = 0.0) -> float:
        """Block the account, whose quota is used up.

        Returns the wait: `seconds` if stated, else 300 s, doubled each time up to an hour.
        """
        with self._lock:
            left = self._blocked_until - self._clock()
            if seconds <= 0 and left > 0:
                # Other threads' calls, on their way when the first was refused, say nothing new.
                return left
            if seconds <= 0:
                seconds = min(BLOCK_FALLBACK_SECONDS * math.pow(2.0, min(self._blocks, 8)), BLOCK_LONGEST_SECONDS)
                self._blocks += 1
            left = max(left, min(seconds, _LONGEST_STATED_BLOCK))
            self._blocked_until = self._clock() + left
            return left


def _our_entries(business: dict[str, Any], account_number: str) -> Iterator[dict[str, Any]]:
    """The quotas of our ad account; keyed by a business instead, those of all its entries."""
    own = business.get(account_number)
    for entries in [own] if own is not None else business.values():
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and entry.get("type") in OUR_QUOTAS:
                yield entry


def _percent(entry: dict[str, Any]) -> float:
    return max(_number(entry.get(key)) for key in _PERCENT_KEYS)


def _number(value: Any) -> float:
    """A sane, non-negative number, else 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return 0.0
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return 0.0
    return number if 0 <= number <= 1e6 else 0.0


def _json(text: str | None) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None

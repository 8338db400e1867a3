"""What a goal counts, evaluated in plain Python over plain rows: the independent opinion that the SQL is held against."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@dataclass(frozen=True)
class Event:
    user: str
    name: str
    at: datetime
    amount: str | None = None
    sku: str | None = None


@dataclass(frozen=True)
class Assigned:
    campaign: str
    user: str
    arm: str
    at: datetime


@dataclass(frozen=True)
class Asked:
    """A goal: `sku` is its filter, `launch` whether the count starts with the campaign's first assignment."""

    campaign: str
    event: str
    within: timedelta
    sku: str | None
    launch: bool


def evaluate(
    asked: Asked, assigned: list[Assigned], events: list[Event], at: datetime
) -> dict[str, tuple[int, int, int, int, Fraction]]:
    """Per arm: users, open windows, converters, conversions, revenue."""
    ours = [each for each in assigned if each.campaign == asked.campaign and each.at <= at]
    found: dict[str, tuple[int, int, int, int, Fraction]] = {}
    for each in ours:
        starts = min(other.at for other in ours) if asked.launch else each.at
        ends = starts + asked.within
        conversions = [
            event
            for event in events
            if event.user == each.user
            and event.name == asked.event
            and (asked.sku is None or event.sku == asked.sku)
            and starts < event.at <= min(ends, at)
        ]
        users, still_open, converters, count, revenue = found.get(each.arm, (0, 0, 0, 0, Fraction(0)))
        found[each.arm] = (
            users + 1,
            still_open + (ends > at),
            converters + bool(conversions),
            count + len(conversions),
            revenue + sum(Fraction(event.amount) for event in conversions if event.amount is not None),
        )
    return found

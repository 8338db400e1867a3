"""Campaigns whose truth is known: users assigned by chance, who convert and pay by given laws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from audiences.goal.counting import HAPPENED, AssignmentWindows, Count, Counting

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SPREAD = 0.6  # of the logarithm of an amount


@dataclass(frozen=True)
class Law:
    """Users by run, the rate of those left alone, what the campaign adds to it, the median amount of a purchase."""

    users: tuple[int, ...] = (6000, 3000)
    control: float = 0.25
    rate: float = 0.06
    lift: float = 0.0
    amount: float = 20.0
    dearer: float = 1.0  # what a purchase of a target costs more, as a factor

    @property
    def revenue_lift(self) -> float:
        """The true difference of the expected revenue per user; every converter buys 1.5 times on average."""
        purchase = self.amount * float(np.exp(SPREAD**2 / 2)) * 1.5
        return purchase * ((self.rate + self.lift) * self.dearer - self.rate)


def counted(law: Law, random: np.random.Generator) -> list[Count]:
    """One campaign's counts, without events: what the measurement would find."""
    return [
        _count(arm, run, users, rate, amount, random)
        for run, everyone in enumerate(law.users)
        for arm, users, rate, amount in _arms(law, everyone, random)
    ]


def measured(law: Law, random: np.random.Generator, spill: Path) -> list[Count]:
    """One campaign's counts by way of assignments and events, with purchases outside of every window among them."""
    assigned, happened = [], []
    first = 0
    for run, everyone in enumerate(law.users):
        for arm, users, rate, amount in _arms(law, everyone, random):
            ids = np.arange(first, first + users)
            first += users
            assigned.append(
                pa.table({"user_id": _text(ids), "arm": pa.repeat(arm, users), "run_id": pa.repeat(run, users)})
            )
            buyers = ids[random.random(users) < rate]
            buyers = np.concatenate([buyers, buyers[random.random(len(buyers)) < 0.5]])
            inside = random.random(len(buyers)) * 5 * 86_400_000_000
            happened.append(_events(buyers, START + run * DAY, inside + 1, amount, random))
            strangers = ids[random.random(users) < 0.02]
            happened.append(_events(strangers, START + run * DAY, -inside[: len(strangers)], amount, random))
            happened.append(_events(strangers, START + (run + 5) * DAY, 1 + inside[: len(strangers)], amount, random))
    runs = [
        AssignmentWindows(run, START + run * DAY, START + run * DAY, START + (run + 5) * DAY, "same")
        for run in range(len(law.users))
    ]
    with Counting(spill) as counting:
        counting.assign(runs, pa.concat_tables(assigned).to_batches(), [])
        counting.convert(pa.concat_tables(happened).to_batches(max_chunksize=1000))
        return counting.counts(START + 20 * DAY)


def _arms(law: Law, everyone: int, random: np.random.Generator) -> list[tuple[str, int, float, float]]:
    held_out = int(random.binomial(everyone, law.control))
    return [
        ("target", everyone - held_out, law.rate + law.lift, law.amount * law.dearer),
        ("campaign", held_out, law.rate, law.amount),
    ]


def _count(arm: str, run: int, users: int, rate: float, amount: float, random: np.random.Generator) -> Count:
    converters = int(random.binomial(users, rate))
    purchases = 1 + (random.random(converters) < 0.5)
    spent = np.zeros(converters)
    np.add.at(spent, np.repeat(np.arange(converters), purchases), _amounts(int(purchases.sum()), amount, random))
    return Count(
        arm=arm,
        terms="same",
        ended=True,
        users=users,
        converters=converters,
        conversions=int(purchases.sum()),
        amounts=int(purchases.sum()),
        revenue=Decimal(str(round(float(spent.sum()), 6))),
        revenue_squared=float((spent**2).sum()),
    )


def _amounts(count: int, median: float, random: np.random.Generator) -> np.ndarray:
    return random.lognormal(np.log(median), SPREAD, size=count)


def _events(
    users: np.ndarray, start: datetime, after: np.ndarray, amount: float, random: np.random.Generator
) -> pa.Table:
    micros = int(start.timestamp()) * 1_000_000 + after.astype(np.int64)[: len(users)]
    users = users[: len(micros)]
    columns = [
        _text(users),
        pa.array(micros).cast(HAPPENED.field("occurred_at").type),
        _amounts(len(users), amount, random),
    ]
    return pa.table(columns, schema=HAPPENED)


def _text(ids: np.ndarray) -> pa.Array:
    return pa.array(ids).cast(pa.string())

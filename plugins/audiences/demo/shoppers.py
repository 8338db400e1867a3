"""`python -m audiences.demo.shoppers DATABASE`: customers who fill carts in the sample shop, some of whom pay, until it is ended.

It stands for the shop's own website: events are committed one by one as they take place. What happens is printed.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from audiences.demo.shop import SEED, USERS

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE_SECONDS = (3.0, 9.0)
PAYING = 0.5
PAYS_AFTER_SECONDS = (10.0, 50.0)  # in time for a campaign that waits a minute
_INSERT = "insert into shop.events (user_id, name, occurred_at, properties) values (%s, %s, clock_timestamp(), %s) returning id"


@dataclass(order=True, frozen=True, slots=True)
class Act:
    """What a customer is about to do, at a number of seconds."""

    at: float
    user: int
    event: str = field(compare=False)
    amount: float = field(compare=False)


def acts(chance: random.Random) -> list[Act]:
    """A customer's visit from second 0 on: a filled cart, and perhaps its payment."""
    user, amount = chance.randint(1, USERS), round(chance.uniform(25, 300), 2)
    visit = [Act(0.0, user, "Added To Cart", amount)]
    if chance.random() < PAYING:
        visit.append(Act(chance.uniform(*PAYS_AFTER_SECONDS), user, "Charged", amount))
    return visit


def insert(connection: psycopg.Connection, act: Act) -> str:
    """Commit the event, and give its id."""
    properties = json.dumps({"amount": act.amount, "category": "shoes", "sku": "SH-001"})
    row = connection.execute(_INSERT, (act.user, act.event, properties)).fetchone()
    return str(row[0]) if row else ""


def shop(connection: psycopg.Connection, chance: random.Random, say: Callable[[str], None]) -> None:
    """Let customers come until somebody ends it."""
    coming: list[Act] = []
    next_visit = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= next_visit:
            for act in acts(chance):
                heapq.heappush(coming, Act(now + act.at, act.user, act.event, act.amount))
            next_visit = now + chance.uniform(*PAUSE_SECONDS)
        while coming and coming[0].at <= now:
            act = heapq.heappop(coming)
            number = insert(connection, act)
            say(f"event {number}: user {act.user} {act.event}, {act.amount}")
        time.sleep(0.2)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """The process."""
    parser = argparse.ArgumentParser(prog="audiences.demo.shoppers", description="Customers who come and go.")
    parser.add_argument("database", help="libpq URI of the shop's database")
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    with psycopg.connect(asked.database, autocommit=True) as connection:
        shop(connection, random.Random(asked.seed), _print)  # noqa: S311  # customers, not keys
    return 0


if __name__ == "__main__":
    sys.exit(main())

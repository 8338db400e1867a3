"""The sample shop's events: visits that open the app, look, sometimes fill a cart and sometimes pay."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from datetime import datetime

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]

NAMES = ("App Opened", "Product Viewed", "Added To Cart", "Charged", "Wishlisted")
_OPENED, _VIEWED, _CARTED, _CHARGED, _WISHED = range(5)
_CATEGORIES = {"shoes": 79.0, "bags": 120.0, "outdoor": 65.0, "kids": 28.0, "beauty": 22.0, "home": 45.0}
_PRODUCTS_PER_CATEGORY = 40
_MOST_VIEWS = 6
_MOST_PIECES = 3
DAYS = 60
LAUNCH_DAYS = 6
"""So many days before `as_of` the campaign with the built-in lift was launched."""
_PERSUADED = 0.6  # of the visits after the launch
_DAY = 86_400
# No visit lasts longer, so that none reaches beyond `as_of`.
_LONGEST_VISIT = 1_200


def events(
    random: np.random.Generator,
    *,
    as_of: datetime,
    signed_up_at: pa.Array,
    count: int,
    reached: Truth | None = None,
) -> pa.Table:
    """Exactly `count` events of the last 60 days as the columns of `shop.events` without its id, in order of arrival.

    A few customers come often and most rarely; every third has stopped coming; nobody comes before signing up.
    `reached`, a truth per customer, says whom advertising reached six days ago: see `_won_back`.
    """
    now = int(as_of.timestamp())
    visits = count // 2 + 1  # A visit is of two events at least; the surplus is cut off.
    user, start = _visits(random, now=now, joined=_seconds(signed_up_at), visits=visits)
    course = _Course.drawn(random, visits=visits)
    kinds, visit = course.steps()
    if reached is not None:
        shown = np.arange(visits) <= visit[max(count, 1) - 1]
        launch = now - LAUNCH_DAYS * _DAY
        won_back = _won_back(random, course, reached=reached, user=user, start=start, launch=launch, shown=shown)
        kinds, visit = course.with_purchases(won_back).steps()
    kinds, visit = kinds[:count], visit[:count]
    position = np.arange(count) - np.searchsorted(visit, visit, side="left")
    occurred = start[visit] + position * 60 + random.integers(50, size=count)
    delay = random.lognormal(1.0, 0.7, size=count)
    delay[random.random(count) < 0.005] *= 3_000.0  # Phones that were offline.
    arrived = np.minimum(occurred * 1_000_000 + (delay * 1_000_000).astype(np.int64), now * 1_000_000)
    order = np.argsort(arrived, kind="stable")
    instant = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            "user_id": pa.array(user[visit][order]),
            "name": pa.array(NAMES).take(pa.array(kinds[order])),
            "occurred_at": pa.array(occurred[order] * 1_000_000, type=pa.int64()).cast(instant),
            "arrived_at": pa.array(arrived[order], type=pa.int64()).cast(instant),
            "properties": _properties(random, kinds=kinds[order], visit=visit[order], visits=visits),
        }
    )


def _seconds(instants: pa.Array) -> Numbers:
    seconds: Numbers = instants.cast(pa.timestamp("s", tz="UTC"), safe=False).cast(pa.int64()).to_numpy()
    return seconds


def _visits(random: np.random.Generator, *, now: int, joined: Numbers, visits: int) -> tuple[Numbers, Numbers]:
    """Who comes, and when, in seconds since 1970."""
    users = len(joined)
    fondness = random.lognormal(0.0, 1.1, size=users)
    user = np.searchsorted(np.cumsum(fondness), random.random(visits) * fondness.sum())
    left = np.where(random.random(users) < 0.35, now - random.integers(DAYS * _DAY, size=users), now)
    first = np.maximum(now - DAYS * _DAY, joined)
    last = np.maximum(np.minimum(left, now - _LONGEST_VISIT), first)
    start = first[user] + (random.random(visits) * (last - first)[user]).astype(np.int64)
    return user + 1, np.minimum(start, now - _LONGEST_VISIT)


@dataclass(frozen=True, slots=True)
class _Course:
    """What happens in each visit: how many products are viewed, whether one is wished for, put into the cart, paid."""

    views: Numbers
    wished: Truth
    carted: Truth
    charged: Truth

    @classmethod
    def drawn(cls, random: np.random.Generator, *, visits: int) -> _Course:
        views = np.minimum(random.geometric(0.45, size=visits), _MOST_VIEWS)
        carted = random.random(visits) < 0.30
        charged = carted & (random.random(visits) < 0.55)
        return cls(views=views, wished=random.random(visits) < 0.10, carted=carted, charged=charged)

    def with_purchases(self, visits: Truth) -> _Course:
        return replace(self, carted=self.carted | visits, charged=self.charged | visits)

    def steps(self) -> tuple[Numbers, Numbers]:
        """The kind of every event and the number of its visit."""
        visits = len(self.views)
        opened = np.ones(visits, dtype=np.int64)
        times = np.stack([opened, self.views, self.wished, self.carted, self.charged], axis=1).ravel()
        kinds = np.tile(np.array([_OPENED, _VIEWED, _WISHED, _CARTED, _CHARGED]), visits)
        return np.repeat(kinds, times), np.repeat(np.repeat(np.arange(visits), 5), times)


def _won_back(
    random: np.random.Generator,
    course: _Course,
    *,
    reached: Truth,
    user: Numbers,
    start: Numbers,
    launch: int,
    shown: Truth,
) -> Truth:
    """The visits that end in a purchase because of the advertising: the lift that is built into the shop.

    They are visits after the launch of customers who were reached and who in the 30 days before, as far as it is `shown`,
    had left a cart and bought nothing. Whoever the control group held out visits and buys as ever.
    """
    before = shown & (start <= launch) & (start > launch - 30 * _DAY)
    abandoned = np.zeros(len(reached) + 1, dtype=np.bool_)
    abandoned[user[before & course.carted]] = True
    abandoned[user[before & course.charged]] = False
    chosen: Truth = (start > launch) & reached[user - 1] & abandoned[user] & (random.random(len(user)) < _PERSUADED)
    return chosen


def _properties(random: np.random.Generator, *, kinds: Numbers, visit: Numbers, visits: int) -> pa.Array:
    """JSON texts. A visit is about one product; the amount is its price times the pieces, and missing now and then."""
    products = [(category, number) for category in _CATEGORIES for number in range(_PRODUCTS_PER_CATEGORY)]
    prices = np.round(np.array([_CATEGORIES[c] for c, _ in products]) * random.lognormal(0.0, 0.4, len(products)), 2)
    texts = ["{}"]
    for (category, number), price in zip(products, prices.tolist(), strict=True):
        about = {"category": category, "sku": f"{category[:2].upper()}-{number:03d}"}
        texts.append(json.dumps(about))
        texts += [json.dumps({"amount": round(price * n, 2), **about}) for n in range(1, _MOST_PIECES + 1)]
    product = random.integers(len(products), size=visits)[visit]
    pieces = np.where(kinds == _CHARGED, 1 + random.binomial(_MOST_PIECES - 1, 0.15, size=len(kinds)), 1)
    pieces[random.random(len(kinds)) < 0.02] = 0
    index = np.where(kinds == _OPENED, 0, 1 + product * (_MOST_PIECES + 1) + pieces)
    return pa.array(texts).take(pa.array(index))

"""The target cap over runs, days and shards: exactly so many, the right ones, members before newcomers."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

pytestmark = pytest.mark.integration
EVERYBODY = {"did": {"event": "Added To Cart"}}


def come(shop, first: int, last: int) -> None:
    for number in range(first, last + 1):
        shop.user(number, f"{number}@example.com")
        shop.event(number)


def ranked(users: range) -> list[int]:
    return sorted(users, key=lambda user: hashlib.sha256(f"cap:carts:{user}".encode()).digest())


def rows(shop, users) -> set:
    return {shop.row_of(f"{user}@example.com", None) for user in users}


def test_the_cap_is_exact_whatever_the_shards(shop, monkeypatch):
    monkeypatch.setattr("audiences.pipeline.steps.extract.SHARD_ROWS", 30)
    monkeypatch.setattr("audiences.warehouse.reader.BATCH_BYTES", 1_000)
    come(shop, 1, 300)
    spec = shop.campaign(who={**EVERYBODY, "target_cap": 100})
    summary = shop.run(spec)
    assert summary.outcomes["targeted"] == summary.outcomes["added"] == 100
    assert summary.outcomes["over_cap"] == 200
    assert shop.members(summary.audience.id) == rows(shop, ranked(range(1, 301))[:100])
    again = shop.run(spec)
    assert (again.outcomes["kept"], again.requests) == (100, 0)


def test_a_cap_per_day_counts_the_days_of_the_campaigns_zone(shop):
    come(shop, 1, 30)
    spec = shop.campaign(who={**EVERYBODY, "target_cap": {"users": 10, "per": "day"}}, timezone="Asia/Kolkata")
    evening = shop.noon.replace(hour=18)  # 23:30 in Kolkata
    audience = shop.run(spec, at=evening).audience.id
    order = ranked(range(1, 31))
    assert shop.members(audience) == rows(shop, order[:10])
    assert shop.run(spec, at=evening + timedelta(minutes=20)).outcomes["added"] == 0
    # Half an hour later it is the next day there, and the members stay without being counted again.
    tomorrow = shop.run(spec, at=evening + timedelta(minutes=40))
    assert tomorrow.outcomes["targeted"] == 10
    assert shop.members(audience) == rows(shop, order[:10])


def test_a_cap_in_all_counts_those_who_have_left(shop):
    come(shop, 1, 20)
    spec = shop.campaign(
        who={**EVERYBODY, "target_cap": {"users": 10, "per": "total"}}, what={"guards": {"max_removal": 100}}
    )
    audience = shop.run(spec).audience.id
    first = ranked(range(1, 21))[:10]
    for user in first[:4]:
        shop.sql("delete from events where user_id = %s", user)
    summary = shop.run(spec)
    assert (summary.outcomes["targeted"], summary.outcomes["added"], summary.outcomes["removed"]) == (6, 0, 4)
    assert shop.members(audience) == rows(shop, first[4:])
    for user in first[:4]:
        shop.event(user)
    assert shop.run(spec).outcomes["added"] == 4
    assert shop.members(audience) == rows(shop, first)


def test_a_cap_in_all_leaves_its_places_to_targets_and_not_to_control_groups(shop):
    come(shop, 1, 40)
    who = {**EVERYBODY, "target_cap": {"users": 10, "per": "total"}, "control_group": {"percent": 50}}
    first = shop.run(shop.campaign(who=who))
    assert first.outcomes["targeted"] == 10
    assert first.outcomes["control_campaign"] > 0
    wider = {**who, "target_cap": {"users": 12, "per": "total"}}
    assert shop.run(shop.campaign(who=wider)).outcomes["added"] == 2


def test_a_day_begins_at_midnight(shop):
    come(shop, 1, 30)
    spec = shop.campaign(who={**EVERYBODY, "target_cap": {"users": 10, "per": "day"}})
    midnight = shop.noon.replace(hour=0)
    shop.run(spec, at=midnight)
    come(shop, 31, 60)
    shop.sql("delete from events where user_id <= 30")
    later = shop.run(spec, at=midnight + timedelta(hours=1), allow=frozenset({"max_removal"}))
    assert later.outcomes["added"] == 0

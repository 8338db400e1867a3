"""Whole runs of which some answers of Facebook are odd: only errors of ours come out, and the next run makes all right.

Every request is carried out by the sandbox; what is odd is the answer alone. So an upload that was not acknowledged is in the
audience all the same, and must be neither lost nor left there for good.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.facebook.mangling import Mangler

from audiences.errors import AudiencesError
from audiences.facebook import preflight_checks
from audiences.pipeline.preview import preview

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration
_TOKEN = "sandbox-token"


@pytest.fixture
def mangler(shop) -> Iterator[Mangler]:
    proxy = Mangler(shop.sandbox.url)
    facebook = shop.connections["facebook_main"]
    shop.connections["facebook_main"] = replace(facebook, extra={**facebook.extra, "graph_url": proxy.url})
    yield proxy
    proxy.close()


def churn(shop, chance: random.Random) -> None:
    """Some users come, some go, some change their address."""
    for number in range(1, 31):
        fate = chance.random()
        if fate < 0.2:
            shop.sql("delete from events where user_id = %s", number)
        elif fate < 0.6:
            shop.sql("delete from users where id = %s", number)
            shop.user(number, f"user{number}-{chance.randrange(3)}@example.com")
            shop.event(number)


def wanted(shop):
    found = shop.sql("select distinct email from users where id in (select user_id from events)")
    return {shop.row_of(email, None) for (email,) in found}


def odd_round(shop, mangler: Mangler, seed: int) -> None:
    chance = random.Random(seed)  # the same round every time
    spec = shop.campaign(what={"guards": {"max_removal": 100, "allow_empty": True}, "ad_sets": ["23861234567890123"]})
    churn(shop, chance)
    mangler.throw(seed, chance.choice([0.05, 0.3, 0.8]))
    try:
        told = shop.run(spec, full_refresh=chance.random() < 0.4).error or ""
        with shop.resources(spec, read_only=True) as resources:
            preview(resources, shop.now, ask_facebook=True)
            preflight_checks.run(resources.facebook, now=shop.now, audience_ids=["23851234567890123"])
    except AudiencesError as error:
        told = str(error)
    assert _TOKEN not in told, seed
    assert "\x1b" not in told, seed
    mangler.throw(seed, 0)
    for _ in range(2):  # the first may find an ad set that another one has to be taken out of, or wait for Facebook
        healed = shop.run(spec, at=shop.now)
    assert (healed.state, healed.outcomes["failed"]) == ("success", 0), (seed, healed.error, told)
    assert shop.members(healed.audience.id) == wanted(shop), (seed, told)
    assert healed.audience.members == len(wanted(shop)), (seed, told)
    named = [one["name"] for one in shop.sandbox.admin.state(members=False)["audiences"]]
    assert named.count("carts") == 1, (seed, told)


def test_runs_survive_odd_answers(shop, mangler):
    for seed in (1, 2):
        odd_round(shop, mangler, seed)
    assert mangler.mangled


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("start", range(0, 300, 25))
def test_many_runs_survive_odd_answers(shop, mangler, start):
    for seed in range(start, start + 25):
        odd_round(shop, mangler, seed)

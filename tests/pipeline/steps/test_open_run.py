"""What a run finds as it opens: how fresh the warehouse is, and what an earlier run has left."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.errors import StoppedError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import check_freshness, open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select

pytestmark = pytest.mark.integration
LIMIT = timedelta(hours=6)


def check(shop, **request):
    spec = shop.campaign(what={"guards": {"fresh_within": "6 hours"}})
    with shop.resources(spec, read_only=True) as resources, resources.warehouse() as warehouse:
        check_freshness(resources, RunRequest(external_id="one", at=shop.noon, **request), warehouse)


def test_a_newest_event_exactly_as_old_as_allowed_lets_the_run_go_on(shop):
    shop.event(1, ago=LIMIT)
    shop.event(1, ago=2 * LIMIT)
    check(shop)


def test_a_newest_event_older_by_a_microsecond_stops_the_run(shop):
    shop.event(1, ago=LIMIT + timedelta(microseconds=1))
    shop.event(1, ago=-timedelta(hours=1))  # of after the run's time
    with pytest.raises(StoppedError, match="older than 6 hours"):
        check(shop)
    check(shop, allow=frozenset({"fresh_within"}))


def test_a_run_that_died_with_requests_planned_is_given_up_and_they_are_never_sent(shop):
    for number in (1, 2):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    spec = shop.campaign()
    with shop.resources(spec) as resources:
        died = open_run(resources, RunRequest(external_id="died", at=shop.noon))
        extracted = extract(resources, died)
        plan(resources, died, extracted, [select(resources, died, shard) for shard in extracted.shards])
    shop.sql("delete from events where user_id = 2")
    summary = shop.run(spec)
    assert shop.members(summary.audience.id) == {shop.row_of("user1@example.com", None)}
    requests = (
        "select r.state, c.state, c.rows from audiences.run r join audiences.chunk c on c.run_id = r.id order by r.id"
    )
    assert shop.sql(requests, on="ledger") == [("abandoned", "dropped", 2), ("success", "acknowledged", 1)]

"""The guard `fresh_within` at its edge."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.errors import StoppedError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.open_run import check_freshness

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

"""Metrics of a run reach a real StatsD receiver, by campaign and in all."""

from __future__ import annotations

from contextlib import closing

import pytest
from airflow.sdk.observability import stats
from tests.airflow.receivers import HOST, statsd_server

from audiences.airflow import metrics
from audiences.errors import ThrottledError
from audiences.notices.what_holds import Ended

statsd = pytest.importorskip("statsd", reason="statsd is not installed; Airflow sends no metrics without it")
pytestmark = pytest.mark.integration  # importing Airflow takes a second or two


@pytest.fixture
def sent():
    """Calls something and gives the lines that came."""
    from airflow.sdk._shared.observability.metrics.statsd_logger import SafeStatsdLogger

    def lines_of(call) -> list[str]:
        with statsd_server() as (port, lines), closing(statsd.StatsClient(HOST, port, prefix="airflow")) as client:
            logger = SafeStatsdLogger(client)
            stats.initialize(factory=lambda: logger, export_legacy_names=True)
            call()
        return lines

    yield lines_of
    stats.initialize(factory=_Nothing, export_legacy_names=True)


class _Nothing:
    """What Airflow has where metrics are off."""

    def __getattr__(self, _: str):
        return lambda *_, **__: None


def test_what_a_run_came_to_is_counted_by_campaign_and_in_all_and_nothing_is_sent_for_nothing(sent):
    run = Ended("carts", "Carts", 7, "success", members=1000, added=50, removed=4, failed=2, sent=60, unusable=3)
    lines = sent(lambda: metrics.of_run(run))
    assert sorted(lines) == sorted(
        f"airflow.audiences.{name}{part}:{value}"
        for part in ("", ".carts")
        for name, value in (
            ("runs_success", "1|c"),
            ("users_added", "50|c"),
            ("users_removed", "4|c"),
            ("users_failed", "2|c"),
            ("rows_invalid", "3|c"),
            ("members", "1000|g"),
        )
    )


def test_the_lag_of_a_live_batch_is_a_gauge(sent):
    assert "airflow.audiences.live_lag_seconds.carts:2.5|g" in sent(lambda: metrics.live_lag("carts", 2.5))


def test_seconds_slept_and_put_off_for_facebooks_limits_are_counted_also_of_a_step_that_failed(sent):
    slept = []

    def a_throttled_step() -> None:
        with metrics.throttle_seconds("carts", slept.append) as throttled:
            throttled.sleep(2)
            throttled.sleep(1.2)
            raise ThrottledError(what="no quota", seconds=60)

    def step() -> None:
        with pytest.raises(ThrottledError):
            a_throttled_step()

    assert "airflow.audiences.throttle_seconds.carts:63|c" in sent(step)
    assert slept == [2, 1.2]

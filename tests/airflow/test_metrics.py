"""Metrics of a run reach a real StatsD receiver, by campaign and in all."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace

import pytest
from airflow.sdk.execution_time.context import set_current_context
from airflow.sdk.observability import stats
from tests.airflow.receivers import HOST, statsd_server

from audiences.airflow import metrics
from audiences.airflow.operators.steps import CloseRunOperator
from audiences.campaign.notify import Notify
from audiences.errors import ThrottledError
from audiences.notices.what_holds import Ended
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload.export import export

statsd = pytest.importorskip("statsd", reason="statsd is not installed; Airflow sends no metrics without it")
pytestmark = pytest.mark.integration  # importing Airflow takes a second or two


@pytest.fixture
def sent():
    """Calls something and gives the lines that came."""
    from airflow.sdk._shared.observability.metrics.base_stats_logger import NoStatsLogger
    from airflow.sdk._shared.observability.metrics.statsd_logger import SafeStatsdLogger

    def lines_of(call) -> list[str]:
        with statsd_server() as (port, lines), closing(statsd.StatsClient(HOST, port, prefix="airflow")) as client:
            logger = SafeStatsdLogger(client)
            stats.initialize(factory=lambda: logger, export_legacy_names=True)
            call()
        return lines

    yield lines_of
    stats.initialize(factory=NoStatsLogger, export_legacy_names=True)


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


class _Broken:
    """A receiver that cannot be reached, of a kind that says so."""

    def __getattr__(self, _: str):
        def fail(*_: object, **__: object) -> None:
            message = "no route to host"
            raise OSError(message)

        return fail


def test_a_metric_that_cannot_be_sent_is_told_in_the_log_and_fails_nothing(sent, caplog):
    stats.initialize(factory=_Broken, export_legacy_names=True)
    with metrics.throttle_seconds("carts", lambda _: None) as throttled:
        throttled.sleep(2)
    metrics.live_lag("carts", 2.5)
    metrics.of_run(Ended("carts", "Carts", 7, "success", members=1000, added=50))
    for name in ("throttle_seconds", "live_lag_seconds", "users_added", "members"):
        assert f"the metric {name} could not be sent; nothing else is affected: OSError" in caplog.text


def test_a_step_that_fails_says_so_also_where_its_metrics_cannot_be_sent(sent):
    stats.initialize(factory=_Broken, export_legacy_names=True)
    with pytest.raises(ThrottledError), metrics.throttle_seconds("carts", lambda _: None):
        raise ThrottledError(what="no quota", seconds=60)


def test_a_run_is_closed_as_it_ended_where_nothing_beside_it_works(sent, shop, monkeypatch, caplog):
    """The last step itself, without a receiver of metrics, a mail server, and a connection that lineage could name."""
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", '{"conn_type": "smtp", "host": "127.0.0.1", "port": 1}')
    shop.user(1, "one@example.com")
    shop.event(1)
    spec = shop.campaign().model_copy(update={"notify": Notify(email=("crm@example.com",)), "warehouse": "nowhere"})
    stats.initialize(factory=_Broken, export_legacy_names=True)
    shop.connections["nowhere"] = shop.connections["warehouse"]
    with shop.resources(spec) as resources:
        run = open_run(resources, RunRequest(external_id="r", at=shop.now))
        extracted = extract(resources, run)
        planned = plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        export(resources, run, "add")
        ti = SimpleNamespace(
            xcom_pull=lambda **_: planned.model_dump(mode="json"),
            xcom_push=lambda **_: None,
            log_url="http://airflow/x",
        )
        task = CloseRunOperator(task_id="close_run")
        task.spec = spec
        with set_current_context({"ti": ti, "outlet_events": {}}):
            closed = task.step(resources, run)
        assert (closed["state"], closed["outcomes"]["added"]) == ("success", 1)
        assert "the metric users_added could not be sent" in caplog.text
        assert "the notice could not be sent by mail" in caplog.text
        assert task.get_openlineage_facets_on_complete(None) is None
        assert "the lineage could not be told" in caplog.text


def test_a_run_whose_record_cannot_be_read_any_more_has_no_metrics_and_fails_nothing(shop, caplog):
    spec = shop.campaign()
    shop.user(1, "one@example.com")
    shop.event(1)
    summary = shop.run(spec)
    with shop.resources(spec) as resources:
        resources.ledger.sql.close()
        metrics.of_summary(resources, summary)
    assert "the metrics of the run could not be sent; nothing else is affected: OperationalError" in caplog.text

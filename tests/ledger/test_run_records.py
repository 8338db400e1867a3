"""Runs as lists and pages read them: the last of each campaign, a history in pages, one run with all that is known of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.ledger.records import NOON, start

from audiences.ledger import formerly, run_records, runs
from audiences.ledger.database import EmptyLedger
from audiences.ledger.runs import RunState

pytestmark = pytest.mark.integration
HOUR = timedelta(hours=1)


def close(ledger, run, *, state="success", size=None, hours=0, **more):
    runs.end(ledger, run, state=state, size=size, **more)
    ledger.sql.execute("update audiences.run set ended_at = %s where id = %s", (NOON + hours * HOUR, run))


def test_a_run_under_way_has_its_times_and_nothing_of_its_end(ledger, campaign):
    run = start(ledger, campaign)
    found = run_records.find(ledger, run)
    assert (found.id, found.campaign, found.dag, found.external_id, found.state) == (
        run,
        "abandoned_cart",
        "abandoned_cart",
        "r1",
        RunState.RUNNING,
    )
    assert (found.as_of, found.ended_at, found.size, found.outcomes, found.error) == (NOON, None, None, {}, None)
    assert (found.audience, found.facebook_id, found.batch, found.warnings) == (None, None, None, ())
    assert found.action == "mirror"  # what a file means that says nothing
    assert run_records.config_of(ledger, run) == {"name": "x"}


def test_a_run_that_has_ended_has_its_outcomes_audience_size_and_error(ledger, campaign, audience):
    run = start(ledger, campaign)
    ledger.sql.execute("update audiences.run set audience_id = %s where id = %s", (audience.id, run))
    close(ledger, run, state="failed", size=7, outcomes={"added": 3}, requests=2, rekeyed=1, error="no")
    found = run_records.find(ledger, run)
    assert (found.state, found.outcomes, found.requests, found.rekeyed, found.size, found.error) == (
        RunState.FAILED,
        {"added": 3},
        2,
        1,
        7,
        "no",
    )
    assert (found.audience, found.facebook_id, found.ended_at) == (audience.id, "23", NOON)


def test_a_run_that_is_not_on_record_is_none_and_has_no_file(ledger):
    assert run_records.find(ledger, 1) is None
    assert run_records.numbered(ledger, [1, 2]) == {}
    assert run_records.config_of(ledger, 1) == {}


def test_a_history_comes_in_pages_the_newest_first_and_of_one_campaign_only(ledger, campaign, other):
    mine = [start(ledger, campaign, f"r{number}") for number in range(5)]
    start(ledger, other)

    def page(**more):
        return [run.id for run in run_records.of_campaign(ledger, "abandoned_cart", **more)]

    assert page() == mine[::-1]
    assert page(offset=1, limit=2) == mine[::-1][1:3]
    assert page(offset=5) == []
    assert run_records.count(ledger, "abandoned_cart") == 5
    assert (run_records.count(ledger, "nobody"), run_records.of_campaign(ledger, "nobody")) == (0, [])


def test_every_campaign_has_its_last_run_and_the_size_of_the_last_run_that_knew_it(ledger, campaign, other, audience):
    first, second = start(ledger, campaign, "r1"), start(ledger, campaign, "r2")
    ledger.sql.execute("update audiences.run set audience_id = %s where id = %s", (audience.id, first))
    close(ledger, first, size=7)
    close(ledger, second, state="failed", hours=1)
    carts, unrun = run_records.campaigns(ledger)
    assert (carts.name, carts.last_run.id, carts.last_run.state) == ("abandoned_cart", second, RunState.FAILED)
    assert (carts.size, carts.audience) == (7, audience.id)
    assert (unrun.name, unrun.last_run, unrun.size, unrun.audience) == ("other", None, None, None)
    assert [each.name for each in run_records.campaigns(ledger, ["other", "nobody"])] == ["other"]


def test_times_of_a_schedule_are_counted_once_each_however_often_a_run_is_made_for_them(ledger, campaign, other):
    for number, due in enumerate((None, NOON, NOON, NOON + HOUR)):
        run = start(ledger, campaign, f"r{number}")
        ledger.sql.execute("update audiences.run set due = %s where id = %s", (due, run))
    assert run_records.scheduled(ledger, ["abandoned_cart", "other"]) == {"abandoned_cart": 2}
    assert run_records.scheduled(ledger, []) == {}


def test_a_run_of_before_a_renaming_is_of_the_dag_of_then(ledger, campaign):
    run = start(ledger, campaign)
    ledger.sql.execute("update audiences.run set ended_at = now() - interval '1 day', state = 'success'")
    ledger.sql.execute("update audiences.run set started_at = now() - interval '1 day'")
    formerly.take_over(ledger, "carts", ["abandoned_cart"])
    found = run_records.find(ledger, run)
    assert (found.campaign, found.dag) == ("carts", "abandoned_cart")


def test_an_empty_ledger_has_no_runs(databases):
    with databases.ledger() as connection, EmptyLedger(connection) as empty:
        assert (run_records.find(empty, 1), run_records.campaigns(empty), run_records.scheduled(empty, ["x"])) == (
            None,
            [],
            {},
        )
        assert run_records.count(empty, "x") == 0

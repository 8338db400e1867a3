from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest
from tests.ledger.records import NOON, start

from audiences.ledger import assignments, goals, runs

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


def assign(ledger, campaign, run, *users):
    table = pa.table({"user_id": list(users), "arm": ["target"] * len(users)})
    assignments.record(ledger, campaign=campaign, run=run, assigned=table.to_reader())


def test_a_campaign_is_launched_by_its_first_run_that_got_as_far_as_a_plan(ledger, campaign, audience):
    start(ledger, campaign, "stopped", at=NOON - DAY)
    found_nobody = start(ledger, campaign, "first")
    runs.plan(ledger, found_nobody, audience=audience.id, planned={}, rejected={}, now=NOON)
    assign(ledger, campaign, start(ledger, campaign, "second", at=NOON + DAY), "1")
    assert goals.launched_at(ledger, campaign, NOON + 2 * DAY) == NOON
    assert goals.launched_at(ledger, campaign, NOON - timedelta(hours=1)) is None


def test_runs_that_assigned_somebody_up_to_the_time_are_named_the_first_one_first(ledger, campaign):
    late, early = (start(ledger, campaign, name, name, at=at) for name, at in (("late", NOON + DAY), ("early", NOON)))
    start(ledger, campaign, "nobody")
    for run in (late, early):
        assign(ledger, campaign, run, str(run))
    found = goals.assigning_runs(ledger, campaign, NOON + DAY)
    assert [(row.id, row.control_terms) for row in found] == [(early, "early"), (late, "late")]
    assert [row.id for row in goals.assigning_runs(ledger, campaign, NOON)] == [early]


def test_everyone_assigned_by_the_campaign_is_read(ledger, campaign, other):
    run = start(ledger, campaign)
    assign(ledger, campaign, run, "1")
    assign(ledger, other, start(ledger, other), "2")
    rows = [row for batch in goals.assigned(ledger, campaign) for row in batch.to_pylist()]
    assert rows == [{"user_id": "1", "arm": "target", "run_id": run}]


def test_the_result_of_the_newest_time_that_has_come_is_current(ledger, campaign):
    def record(digest, at, **report):
        goals.record(ledger, campaign=campaign, result=goals.GoalResult(digest, "c", at, report))

    record("g", NOON, n=1)
    record("g", NOON - DAY, n=2)
    record("g", NOON + DAY, n=3)
    record("another", NOON, n=4)
    assert goals.current(ledger, campaign, "g", NOON).report == {"n": 1}
    record("g", NOON, n=5)
    assert goals.current(ledger, campaign, "g", NOON).report == {"n": 5}
    assert goals.current(ledger, campaign, "g", NOON - 2 * DAY) is None

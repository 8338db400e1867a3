from __future__ import annotations

from datetime import timedelta

import pytest
from tests.ledger.records import NOON, one, start

from audiences.errors import StoppedError
from audiences.ledger import runs

pytestmark = pytest.mark.integration
LATER = NOON + timedelta(hours=3)


def row(ledger, run):
    return one(ledger, "select * from audiences.run where id = %(run)s", {"run": run})


def close(ledger, run, **outcomes):
    runs.end(ledger, run, state="success", outcomes=outcomes or {"added": 1})


def test_a_run_taken_up_again_looks_at_its_new_time_and_has_no_errors_and_warnings_of_before(ledger, campaign):
    run = start(ledger, campaign)
    runs.note_error(ledger, run, StoppedError(guard="g", found="f", allow_once="a"))
    runs.warn(ledger, run, ["watch out"])
    assert (row(ledger, run).stopped, row(ledger, run).warnings) == (True, ["watch out"])
    assert start(ledger, campaign, at=LATER) == run
    again = row(ledger, run)
    assert (again.as_of, again.state, again.error, again.stopped, again.warnings) == (LATER, "running", None, False, [])


def test_a_run_that_was_closed_is_not_taken_up_again(ledger, campaign):
    first = start(ledger, campaign)
    close(ledger, first)
    second = start(ledger, campaign)
    assert second != first
    assert row(ledger, first).state == "success"
    assert start(ledger, campaign) == second


def test_a_run_of_another_version_of_the_campaign_or_of_other_control_groups_is_another_run(ledger, campaign):
    first = start(ledger, campaign, terms="10 %")
    second = start(ledger, campaign, terms="20 %")
    assert second != first
    assert (row(ledger, first).control_terms, row(ledger, second).control_terms) == ("10 %", "20 %")
    ledger.sql.execute("update audiences.run set config_digest = 'before' where id = %s", (second,))
    third = start(ledger, campaign, terms="20 %")
    assert third not in (first, second)
    assert start(ledger, campaign, terms="20 %") == third


def test_a_new_run_closes_those_of_its_campaign_whose_process_is_gone(ledger, campaign, other):
    first, foreign, second = start(ledger, campaign), start(ledger, other), start(ledger, campaign, "r2")
    runs.abandon_others(ledger, campaign=campaign, run=second)
    assert [row(ledger, run).state for run in (first, foreign, second)] == ["abandoned", "running", "running"]


def test_a_run_is_under_way_until_it_has_ended_or_for_a_day(ledger, campaign, other):
    run = start(ledger, campaign)
    assert (runs.under_way(ledger, campaign), runs.under_way(ledger, other)) == (True, False)
    ledger.sql.execute("update audiences.run set started_at = now() - interval '25 hours'")
    assert not runs.under_way(ledger, campaign)
    ledger.sql.execute("update audiences.run set started_at = now()")
    close(ledger, run)
    assert not runs.under_way(ledger, campaign)


def test_of_the_runs_of_a_schedule_those_of_the_same_time_are_told_from_the_others(ledger, campaign, audience):
    def scheduled(external_id, due):
        return runs.start(
            ledger, campaign=campaign, external_id=external_id, digest="d", config={}, control_terms="",
            as_of=due, now=due, due=due, staging="/nowhere",
        )  # fmt: skip

    start(ledger, campaign, "by hand")
    first = scheduled("one", NOON)
    found = runs.of_schedule(ledger, campaign, NOON)
    assert (found.others, found.planned, found.same) == (0, None, None)
    runs.plan(ledger, first, audience=audience.id, planned={}, rejected={}, now=NOON)
    close(ledger, first)
    found = runs.of_schedule(ledger, campaign, NOON)
    assert (found.others, found.planned, found.same) == (0, first, first)
    found = runs.of_schedule(ledger, campaign, LATER)
    assert (found.others, found.planned, found.same) == (1, first, None)


def test_what_a_run_counted_adds_to_what_it_had_planned(ledger, campaign, audience):
    run = start(ledger, campaign)
    runs.plan(ledger, run, audience=audience.id, planned={"kept": 1, "begun": 2}, rejected={}, now=LATER)
    runs.counted(ledger, run, {"begun": 3, "leaving": 4})
    assert runs.noted(ledger, run).planned == {"kept": 1, "begun": 3, "leaving": 4}
    assert row(ledger, run).assigned_at == LATER


def test_a_warning_is_on_record_once_in_the_order_in_which_it_was_first_said(ledger, campaign):
    run = start(ledger, campaign)
    runs.warn(ledger, run, ["first", "second"])
    runs.warn(ledger, run, ["third", "first"])
    runs.warn(ledger, run, [])
    assert runs.noted(ledger, run).warnings == ("first", "second", "third")


def test_rows_that_facebook_refused_are_told_besides_the_values_that_it_could_not_use(ledger, campaign, audience):
    run = start(ledger, campaign)
    runs.plan(ledger, run, audience=audience.id, planned={}, rejected={"email": {"no @": 2}}, now=NOON)
    assert runs.reject(ledger, run, {}) == {"email": {"no @": 2}}
    assert runs.reject(ledger, run, {"too short": 1}) == {"email": {"no @": 2}, "row": {"too short": 1}}


def test_a_run_whose_counts_are_told_is_closed_with_them(ledger, campaign):
    run = start(ledger, campaign)
    runs.end(ledger, run, state="failed", outcomes={"failed": 3}, requests=2, timings={"plan": 0.5}, error="no")
    found = row(ledger, run)
    assert (found.state, found.outcomes, found.requests, found.timings, found.error) == (
        "failed",
        {"failed": 3},
        2,
        {"plan": 0.5},
        "no",
    )
    assert found.ended_at is not None

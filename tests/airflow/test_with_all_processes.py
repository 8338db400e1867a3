"""What needs all processes of Airflow, and people in several roles: approvals, and every way in which a run is made."""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import quote

import psycopg
import pytest
from tests.airflow.dated_runs import DUE, HOUR, PAST, RunsOfDates
from tests.airflow.demos import USER, demo_with_roles
from tests.airflow.office import LIVE, Office
from tests.pipeline.conftest import row_of

from audiences.demo.airflow import AirflowApiError

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def demo():
    with demo_with_roles() as running:
        yield running


@pytest.fixture(scope="module")
def office(demo):
    return Office(demo)


@pytest.fixture(scope="module", autouse=True)
def dated(demo):
    """From the start, so that its scheduled run is made while people are asked."""
    return RunsOfDates(demo)


def test_people_are_asked_before_anything_is_sent_and_only_a_yes_by_who_may_sends(office):
    sent = {row_of(f"user{USER}@example.com", None)}
    office.campaign("yes", approval="{approvers: [anna]}")
    office.campaign("no")
    yes, shown = office.question("yes")
    no, _ = office.question("no")

    # What is shown, and who may answer.
    assert "**+1 −0 people**, and this is the first time that the campaign sends." in shown["body"]
    assert shown["defaults"] is None
    assert office.answer(yes, "Approve", by="vic") == 403
    assert office.answer(yes, "Approve", by="ben") == 403, "not among the approvers"
    assert office.answer(no, "Approve", by="vic") == 403
    assert office.members("yes") == office.members("no") == set()

    # Yes.
    assert office.answer(yes, "Approve", by="anna") == 200
    assert office.answer(yes, "Reject", by="anna") == 409
    assert office.ended("yes")["state"] == "success"
    assert office.members("yes") == sent
    assert office.approvals("yes") == [("in_force", "anna")]

    # No: the run is closed, its counts add up, nobody is a member, and the next run asks again.
    assert office.answer(no, "Reject", by="ben") == 200
    ended = office.ended("no")
    assert ended["state"] == "failed"
    assert "ben rejected it. Nothing was sent" in ended["note"]
    assert office.last_run("no")[:3] == ("stopped", "0", "1")
    assert office.members("no") == set()


def test_whatever_the_date_of_a_run_it_sends_what_holds_now_or_nothing(dated):
    # The scheduler, late: the audience is not put back to three hours ago.
    scheduled = f"scheduled__{DUE.isoformat()}"
    assert dated.ended(scheduled)["state"] == "success"
    dated.is_as_of_now(scheduled)

    # By REST, with either date in the past, and by TriggerDagRunOperator.
    by_hand = [
        dated.trigger("logical_date", logical_date=(PAST + HOUR).isoformat()),
        dated.trigger("run_after", run_after=PAST.isoformat()),
        "by_operator_in_the_past",
    ]
    mistyped = [dated.trigger("mistyped", conf={"dryrun": True}), "by_operator_mistyped"]
    dated.knows("operators")
    dated.call("POST", "/api/v2/dags/operators/dagRuns", json={"logical_date": None})
    for run in by_hand:
        assert dated.ended(run)["state"] == "success", run
        dated.is_as_of_now(run)
    for run in mistyped:
        assert dated.ended(run)["state"] == "failed", run
        assert dated.ledger(run) == []

    # A backfill of the other date of the schedule; of the upkeep there is none.
    span = {"from_date": (PAST - timedelta(days=1)).isoformat(), "to_date": (PAST + timedelta(days=1)).isoformat()}
    dated.call("POST", "/api/v2/backfills", json={"dag_id": "dated", **span})
    (backfill,) = [run for run, found in dated.dag_runs().items() if found["run_type"] == "backfill"]
    assert "a backfill stands for a time that has passed" in dated.ended(backfill)["note"]
    assert dated.ledger(backfill) == []
    with pytest.raises(AirflowApiError, match="does not allow backfill runs"):
        dated.call("POST", "/api/v2/backfills", json={"dag_id": "audiences_upkeep", **span})

    # An old run that is cleared is a run now, and one of its own.
    dated.call("POST", f"/api/v2/dags/dated/dagRuns/{quote(scheduled, safe='')}/clear", json={"dry_run": False})
    dated.ended(scheduled)
    dated.is_as_of_now(scheduled, times=2)

    # Airflow forgets the campaign's runs, the ledger does not.
    dated.demo.airflow._http.delete(f"{dated.demo.airflow.url}/api/v2/dags/dated", timeout=60).raise_for_status()
    assert "has taken place" in dated.ended(scheduled)["note"]
    assert len(dated.ledger(scheduled)) == 2


def test_a_run_whose_brand_has_a_pool_that_is_not_there_says_so_and_goes_on_once_it_is(office):
    settings = office.project / "include/settings.yml"
    settings.write_text(f"{settings.read_text()}\nbrands: {{acme: {{pool: acme_pool}}}}\n")
    office.campaign("pooled", brand="acme", approval="none", tasks="by_step")
    until = time.monotonic() + 400
    while "waits for ever: pool acme_pool: Airflow has no such pool" not in str(
        (office.run("pooled") or {}).get("note")
    ):
        assert time.monotonic() < until, office.run("pooled")
        time.sleep(1)
    pool = {"name": "acme_pool", "slots": 1, "description": "Calls to Facebook at a time", "include_deferred": False}
    assert office.call("POST", "/pools", json=pool)[0] == 201
    ended = office.ended("pooled")
    assert (ended["state"], "wait" in ended["note"]) == ("success", False), ended
    assert office.members("pooled") == {row_of(f"user{USER}@example.com", None)}


def test_without_an_answer_in_time_nothing_is_sent_and_one_that_comes_late_is_only_on_airflows_record(office):
    ended = office.ended("late")
    assert ended["state"] == "failed"
    assert "nobody answered before" in ended["note"]
    assert office.answer(office.path("late"), "Approve", by="ben") == 200
    assert office.last_run("late")[:3] == ("stopped", "0", "1")
    assert office.approvals("late") == [("unanswered", None)]
    assert office.members("late") == set()


@pytest.mark.long
def test_a_cleared_run_is_not_asked_about_anew_since_airflow_goes_on_showing_the_first_question(office):
    office.campaign("cleared", when="{dates: ['2030-01-01 09:00']}")
    office.waits_for("cleared")
    run = office.trigger("cleared")
    path, _ = office.question("cleared", run=run)
    assert office.answer(path, "Reject", by="ben") == 200
    office.ended("cleared", run)
    # Within the minute the question would be the same to the letter, and could be asked.
    office.campaign("cleared", approval="{deadline: 2 hours}", when="{dates: ['2030-01-01 09:00']}")
    status, _ = office.call("POST", f"/dags/cleared/dagRuns/{quote(run, safe='')}/clear", json={"dry_run": False})
    assert status == 200
    time.sleep(2)
    assert "Airflow goes on showing" in office.ended("cleared")["note"]
    assert office.members("cleared") == set()
    again = office.trigger("cleared")
    path, _ = office.question("cleared", run=again)
    assert office.answer(path, "Approve", by="ben") == 200
    assert office.ended("cleared", again)["state"] == "success"
    assert office.members("cleared") == {row_of(f"user{USER}@example.com", None)}


@pytest.mark.long
def test_a_version_asks_once_and_an_edit_asks_again(office):
    office.campaign("edited", when="{dates: ['2030-01-01 09:00']}")
    office.waits_for("edited")
    run = office.trigger("edited")
    path, _ = office.question("edited", run=run)
    assert office.answer(path, "Approve", by="ben") == 200
    found = office.ended("edited", run)
    assert found["state"] == "success", (found, office.last_run("edited"), office.approvals("edited"))
    run = office.trigger("edited")
    assert office.ended("edited", run)["state"] == "success", "this version is approved"
    # Edited, and edited once more while the question stands: what was shown is no longer what the file says.
    office.campaign("edited", when="{dates: ['2030-01-02 09:00']}")
    time.sleep(30)
    run = office.trigger("edited")
    path, _ = office.question("edited", run=run)
    office.campaign("edited", when="{dates: ['2030-01-03 09:00']}")
    time.sleep(30)
    assert office.answer(path, "Approve", by="ben") == 200
    assert "edited after the question was asked" in office.ended("edited", run)["note"]
    assert [state for state, _ in office.approvals("edited")] == ["in_force", "lapsed"]


@pytest.mark.long
def test_a_live_campaign_asks_once_for_its_version_and_its_events_wait_for_the_answer(office):
    (office.project / "campaigns" / "live.yml").write_text(LIVE)
    office.waits_for("live")
    time.sleep(10)  # the dispatcher has noticed it
    with psycopg.connect(office.demo.server.uri("shop"), autocommit=True) as shop:

        def happens():
            shop.execute(
                "insert into shop.events (user_id, name, occurred_at, properties)"
                """ values (%s, 'Wishlisted', now(), '{"amount": 3}')""",
                (USER,),
            )

        happens()
        path, shown = office.question("live", task="run_batch")
        assert "This is a live campaign." in shown["body"]
        assert office.members("live") == set()
        assert office.answer(path, "Approve", by="ben") == 200
        until = time.monotonic() + 120
        while not office.members("live"):
            assert time.monotonic() < until, office.run("live")
            time.sleep(1)
    assert office.approvals("live") == [("in_force", "ben")]

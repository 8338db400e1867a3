"""Approvals through real Airflow, with people in different roles: a yes, a no, no answer in time, an edit, a cleared run."""

from __future__ import annotations

import time
from urllib.parse import quote

import psycopg
import pytest
import requests
from tests.airflow.demos import ROLES, USER, airflow_demo  # noqa: F401  # a fixture
from tests.pipeline.conftest import row_of

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]
CAMPAIGN = """
name: {name}
status: published
approval: {approval}
who: {{did: {{event: Wishlisted, within: last 7 days, where: {{amount: 1}}}}, control_group: {{system: false}}}}
what: {{audience: {{create: {{name: {name}}}}}, identifiers: [email]}}
when: {when}
"""
LIVE = """
name: live
status: published
qualification: live
approval: required
who: {control_group: {system: false}}
what: {audience: {create: {name: live}}, identifiers: [email], keep_for: 30 days}
when: {on: {event: Wishlisted, where: {amount: 3}}, max_age: 1 day}
"""


class Office:
    """A running demo, and people who log in to its Airflow."""

    def __init__(self, demo) -> None:
        self.demo, self.project, self.url = demo, demo.folders.project, demo.airflow.url
        self.people = {name: self._log_in(name) for name in ROLES}

    def _log_in(self, name):
        session = requests.Session()
        session.trust_env = False
        answer = session.post(f"{self.url}/auth/token", json={"username": name, "password": name}, timeout=90)
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return session

    def call(self, method, path, *, by="root", **options):
        answer = self.people[by].request(method, f"{self.url}/api/v2{path}", timeout=90, **options)
        return answer.status_code, answer.json()

    def campaign(self, name, *, approval="required", when="now"):
        text = CAMPAIGN.format(name=name, approval=approval, when=when)
        (self.project / "campaigns" / f"{name}.yml").write_text(text)

    def run(self, campaign):
        """The last run of the campaign, None before there is one."""
        status, found = self.call("GET", f"/dags/{campaign}/dagRuns", params={"order_by": "-id", "limit": 1})
        return found["dag_runs"][0] if status == 200 and found["dag_runs"] else None

    def trigger(self, campaign):
        status, found = self.call("POST", f"/dags/{campaign}/dagRuns", json={"logical_date": None})
        assert status == 200, found
        return found["dag_run_id"]

    def question(self, campaign, *, task="approve", run=None, seconds=400):
        """The path of the question of the campaign's last run, and what Airflow shows, once the task waits."""
        until = time.monotonic() + seconds
        while True:
            assert time.monotonic() < until, (campaign, self.run(campaign))
            time.sleep(1)
            last = self.run(campaign)
            if last is None or (run and last["dag_run_id"] != run):
                continue
            path = f"/dags/{campaign}/dagRuns/{quote(last['dag_run_id'], safe='')}/taskInstances/{task}"
            status, found = self.call("GET", path)
            if status == 200 and found["state"] == "awaiting_input" and self.parked(last["dag_run_id"], task):
                return self.path(campaign, task=task), self.call("GET", self.path(campaign, task=task))[1]

    def parked(self, run, task):
        """Whether the scheduler has seen the task's process end, as it has long before a person reads the question.

        An answer that comes between the two, about a second, is lost: Airflow 3.3 fails a task that is queued again by then
        ("state mismatch" in its event log), as if somebody had killed it.
        """
        return any(
            f"task_id={task}, run_id={run}," in line and "state=awaiting_input" in line
            for line in (self.demo.folders.logs / "scheduler.log").read_text().splitlines()
        )

    def path(self, campaign, *, task="approve"):
        """Where the question of the campaign's last run is."""
        run = quote(self.run(campaign)["dag_run_id"], safe="")
        return f"/dags/{campaign}/dagRuns/{run}/taskInstances/{task}/-1/hitlDetails"

    def answer(self, path, option, *, by):
        return self.call("PATCH", path, by=by, json={"chosen_options": [option], "params_input": {}})[0]

    def ended(self, campaign, run=None, *, seconds=400):
        """The campaign's last run when it has ended, and its note is written."""
        until = time.monotonic() + seconds
        while (found := self.run(campaign) or {}).get("state") not in ("success", "failed") or (
            run and found["dag_run_id"] != run
        ):
            assert time.monotonic() < until, (campaign, found)
            time.sleep(1)
        return found

    def ledger(self, query, *parameters):
        with psycopg.connect(self.demo.server.uri("ledger")) as connection:
            return connection.execute(query, parameters).fetchall()

    def approvals(self, campaign):
        return self.ledger(
            "select a.state, a.decided_by from audiences.approval a join audiences.campaign c on c.id = a.campaign_id"
            " where c.name = %s order by a.id",
            campaign,
        )

    def last_run(self, campaign):
        (found, *_) = self.ledger(
            "select r.state, r.outcomes->>'added', r.outcomes->>'failed', r.error from audiences.run r"
            " join audiences.campaign c on c.id = r.campaign_id where c.name = %s order by r.id desc",
            campaign,
        )
        return found

    def members(self, name):
        audiences = [one for one in self.demo.sandbox.state()["audiences"] if one["name"] == name]
        return {tuple(sorted(row.items())) for one in audiences for row in self.demo.sandbox.members(one["id"])}


@pytest.fixture(scope="module")
def office(airflow_demo):  # noqa: F811  # the fixture imported above
    return Office(airflow_demo)


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
    _wait_for(office, "cleared")
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
    _wait_for(office, "edited")
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


def _wait_for(office, campaign, seconds=120):
    until = time.monotonic() + seconds
    while office.call("GET", f"/dags/{campaign}")[0] != 200:
        assert time.monotonic() < until, campaign
        time.sleep(1)


@pytest.mark.long
def test_a_live_campaign_asks_once_for_its_version_and_its_events_wait_for_the_answer(office):
    (office.project / "campaigns" / "live.yml").write_text(LIVE)
    _wait_for(office, "live")
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

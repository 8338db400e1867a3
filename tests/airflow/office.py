"""People who log in to a running demo's Airflow, and campaigns that ask them before they send."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, LiteralString
from urllib.parse import quote

import psycopg
import requests
from tests.airflow.demos import ROLES

if TYPE_CHECKING:
    from audiences.demo.start import Demo

CAMPAIGN = """
name: {name}
status: published
approval: {approval}
tasks: {tasks}
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

    def __init__(self, demo: Demo) -> None:
        self.demo, self.project, self.url = demo, demo.folders.project, demo.airflow.url
        self.people = {name: self._log_in(name) for name in ROLES}

    def _log_in(self, name: str) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        answer = session.post(f"{self.url}/auth/token", json={"username": name, "password": name}, timeout=90)
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return session

    def call(self, method: str, path: str, *, by: str = "root", **options: Any) -> tuple[int, Any]:
        answer = self.people[by].request(method, f"{self.url}/api/v2{path}", timeout=90, **options)
        return answer.status_code, answer.json()

    def campaign(
        self,
        name: str,
        *,
        brand: str = "",
        approval: str = "required",
        when: str = "now",
        tasks: str = "by_size",
    ) -> None:
        folder = self.project / "campaigns" / brand
        folder.mkdir(exist_ok=True)
        text = CAMPAIGN.format(name=name, approval=approval, when=when, tasks=tasks)
        (folder / f"{name}.yml").write_text(text)

    def run(self, campaign: str) -> dict[str, Any] | None:
        """The last run of the campaign, None before there is one."""
        status, found = self.call("GET", f"/dags/{campaign}/dagRuns", params={"order_by": "-id", "limit": 1})
        return found["dag_runs"][0] if status == 200 and found["dag_runs"] else None

    def waits_for(self, campaign: str, *, seconds: float = 120) -> None:
        """Wait until Airflow has read the campaign."""
        until = time.monotonic() + seconds
        while self.call("GET", f"/dags/{campaign}")[0] != 200:
            assert time.monotonic() < until, campaign
            time.sleep(1)

    def trigger(self, campaign: str) -> str:
        status, found = self.call("POST", f"/dags/{campaign}/dagRuns", json={"logical_date": None})
        assert status == 200, found
        run: str = found["dag_run_id"]
        return run

    def question(
        self, campaign: str, *, task: str = "approve", run: str | None = None, seconds: float = 400
    ) -> tuple[str, dict[str, Any]]:
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

    def parked(self, run: str, task: str) -> bool:
        """Whether the scheduler has seen the task's process end, as it has long before a person reads the question.

        An answer that comes between the two, about a second, is lost: Airflow 3.3 fails a task that is queued again by then
        ("state mismatch" in its event log), as if somebody had killed it.
        """
        return any(
            f"task_id={task}, run_id={run}," in line and "state=awaiting_input" in line
            for line in (self.demo.folders.logs / "scheduler.log").read_text().splitlines()
        )

    def path(self, campaign: str, *, task: str = "approve") -> str:
        """Where the question of the campaign's last run is."""
        run = quote((self.run(campaign) or {})["dag_run_id"], safe="")
        return f"/dags/{campaign}/dagRuns/{run}/taskInstances/{task}/-1/hitlDetails"

    def answer(self, path: str, option: str, *, by: str) -> int:
        return self.call("PATCH", path, by=by, json={"chosen_options": [option], "params_input": {}})[0]

    def ended(self, campaign: str, run: str | None = None, *, seconds: float = 400) -> dict[str, Any]:
        """The campaign's last run when it has ended, and its note is written."""
        until = time.monotonic() + seconds
        while (found := self.run(campaign) or {}).get("state") not in ("success", "failed") or (
            run and found["dag_run_id"] != run
        ):
            assert time.monotonic() < until, (campaign, found)
            time.sleep(1)
        return found

    def ledger(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.demo.server.uri("ledger")) as connection:
            return connection.execute(query, parameters).fetchall()

    def approvals(self, campaign: str) -> list[tuple[Any, ...]]:
        return self.ledger(
            "select a.state, a.decided_by from audiences.approval a join audiences.campaign c on c.id = a.campaign_id"
            " where c.name = %s order by a.id",
            campaign,
        )

    def last_run(self, campaign: str) -> tuple[Any, ...]:
        (found, *_) = self.ledger(
            "select r.state, r.outcomes->>'added', r.outcomes->>'failed', r.error from audiences.run r"
            " join audiences.campaign c on c.id = r.campaign_id where c.name = %s order by r.id desc",
            campaign,
        )
        return found

    def members(self, name: str) -> set[tuple[tuple[str, str], ...]]:
        audiences = [one for one in self.demo.sandbox.state()["audiences"] if one["name"] == name]
        return {tuple(sorted(row.items())) for one in audiences for row in self.demo.sandbox.members(one["id"])}

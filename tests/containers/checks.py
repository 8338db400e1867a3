"""What is shown of an installation; each check says what it saw, and raises AssertionError where that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
import requests
from tests.containers.campaign import Outcome, begin_run, end_run, wait_for
from tests.containers.engine import CommandError

if TYPE_CHECKING:
    from tests.containers.installation import Installation

_UP_SECONDS: Final = 300.0


def file_is_valid(installation: Installation) -> str:
    installation.compose("config", "--quiet", around=False)
    return installation.compose_file


def missing_secrets_are_refused(installation: Installation) -> str:
    """Each variable that the file calls for, left out alone."""
    try:
        for name in installation.required:
            installation.write_values({key: value for key, value in installation.values.items() if key != name})
            with pytest.raises(CommandError, match=name):
                installation.compose("config", "--quiet", around=False)
    finally:
        installation.write_values(installation.values)
    return f"{len(installation.required)}, each left out alone"


def all_become_healthy(installation: Installation) -> str:
    installation.compose("up", "--detach", "--no-build")
    taken = installation.wait_until_well(seconds=_UP_SECONDS)
    found = installation.containers()
    for name, service in installation.services.items():
        there = [one for one in found if one.service == name]
        assert len(there) == service.get("deploy", {}).get("replicas", 1), f"{name}: {len(there)} containers"
        assert all(one.health == "healthy" for one in there) == ("healthcheck" in service), (
            f"{name} has no health check"
        )
    return f"{len(found)} containers, {taken:.0f} s after the last was started"


def only_airflow_is_published(installation: Installation) -> str:
    published = {
        (one.service, place["HostIp"], place["HostPort"])
        for one in installation.containers()
        for places in one.ports.values()
        for place in places or ()
    }
    assert published == {("airflow-apiserver", "127.0.0.1", str(installation.port))}, published
    return f"127.0.0.1:{installation.port}"


def logging_in_is_required(installation: Installation) -> str:
    def status(method: str, path: str, **json: str) -> int:
        return requests.request(method, f"{installation.url}{path}", json=json or None, timeout=30).status_code

    closed = ["/api/v2/dags", "/api/v2/connections", "/api/v2/pools", "/audiences/api/campaigns"]
    found = {path: status("GET", path) for path in closed}
    found["/auth/token"] = status("GET", "/auth/token")
    found["a wrong password"] = status("POST", "/auth/token", username="admin", password="admin")
    assert set(found.values()) <= {401, 403}, found
    installation.airflow()
    return "401 or 403 without the password"


def volumes_are_owned_right(installation: Installation) -> str:
    written, read = set(), set()
    running = [
        one for one in installation.containers() if one.service.startswith("airflow-") and one.state == "running"
    ]
    for one in running:
        for volume in installation.services[one.service]["volumes"]:
            source, folder, *_ = volume.split(":")
            probe = f"touch {folder}/probe && rm {folder}/probe"
            if source.startswith("."):
                installation.inside(one, "bash", "-c", f"test -r {folder} && ! ({probe}) 2>/dev/null")
                read.add(source.removeprefix("./"))
            else:
                owner = installation.inside(one, "stat", "--format=%U:%G", folder).strip()
                assert owner == "airflow:root", f"{one.name}: {folder} belongs to {owner}"
                installation.inside(one, "bash", "-c", probe)
                written.add(source)
        passwords = installation.inside(one, "stat", "--format=%U %a", "/opt/airflow/secrets/passwords.json").split()
        assert passwords == ["airflow", "600"], f"{one.name}: the passwords are {passwords}"
    return f"{len(running)} containers write {', '.join(sorted(written))}, and only read {', '.join(sorted(read))}"


def campaign_runs(installation: Installation) -> Outcome:
    outcome = end_run(installation, begin_run(installation))
    assert outcome.members == outcome.outcomes["targeted"] > 0, outcome
    return outcome


def killed_one_heals(installation: Installation, service: str) -> str:
    """Every container of the service is killed, comes back by itself, and a campaign runs."""
    killed = installation.of(service)
    for one in killed:
        installation.kill(one)
    wait_for(
        f"{service} with other processes",
        lambda: not {one.process for one in killed} & {one.process for one in installation.of(service)},
        seconds=60,
    )
    taken = installation.wait_until_well(seconds=_UP_SECONDS)
    return f"healthy after {taken:.0f} s; then {campaign_runs(installation)}"


def nothing_is_lost_when_taken_down(installation: Installation) -> str:
    airflow = installation.airflow()
    before = airflow.run_ids("abandoned_cart")
    installation.compose("down")
    assert not installation.containers()
    all_become_healthy(installation)
    after = installation.airflow().run_ids("abandoned_cart")
    assert before == after, (before, after)
    outcome = campaign_runs(installation)
    assert outcome.outcomes["added"] == 0, outcome
    return f"{len(after)} runs on record, then {outcome}"

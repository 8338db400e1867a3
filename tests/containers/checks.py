"""What is shown of an installation; each check says what it saw, and raises AssertionError where that is wrong."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

import pytest
import requests
from tests.containers.campaign import Outcome, begin_upload, end_run, fill_warehouse, run_campaign, wait_for
from tests.containers.engine import CommandError

if TYPE_CHECKING:
    from tests.containers.installation import Installation

TASKS: Final = frozenset({"airflow-scheduler", "airflow-worker"})
"""The services that begin and run tasks."""
_UP_SECONDS: Final = 300.0
# Airflow counts a task as lost after five minutes without a sign of life, unless the file says less; then it is tried again.
_HEAL_SECONDS: Final = 900.0


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
        if "test" in service.get("healthcheck", {}):
            assert {one.health for one in there} == {"healthy"}, f"{name} is not asked for its health"
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
    return run_campaign(installation, "plain")


def logs_are_read(installation: Installation) -> str:
    """The pages are in another container than the tasks."""
    airflow = installation.airflow()
    run = airflow.run_ids("plain")[-1]
    log = airflow.log("plain", run, "close_run")
    assert "targeted" in log, log
    return f"{len(log.splitlines())} lines of close_run"


def killed_one_heals(installation: Installation, service: str) -> str:
    """Every container of the service is killed and comes back by itself; then a campaign runs."""
    taken = _kill(installation, service)
    return f"healthy after {taken:.0f} s; then {campaign_runs(installation)}"


def run_goes_on_when_its_tasks_are_killed(installation: Installation) -> str:
    """What runs the tasks is killed in mid-upload."""
    service = "airflow-worker" if "airflow-worker" in installation.services else "airflow-scheduler"
    run = begin_upload(installation, "disturbed")
    taken = _kill(installation, service)
    outcome = end_run(installation, "disturbed", run, seconds=_HEAL_SECONDS)
    return f"{service} healthy after {taken:.0f} s; the run: {outcome}"


def _kill(installation: Installation, service: str) -> float:
    """Kill all containers of a service; the seconds until all is well again, by itself."""
    killed = {one.process for one in installation.of(service)}
    for process in killed:
        os.kill(process, signal.SIGKILL)
    wait_for(
        f"{service} with other processes",
        lambda: not killed & {one.process for one in installation.of(service)},
        seconds=60,
    )
    return installation.wait_until_well(seconds=_UP_SECONDS)


def nothing_is_lost_when_taken_down(installation: Installation) -> str:
    before = installation.airflow().run_ids("plain")
    installation.compose("down")
    assert not installation.containers()
    all_become_healthy(installation)
    after = installation.airflow().run_ids("plain")
    assert before == after, (before, after)
    outcome = campaign_runs(installation)
    assert outcome.outcomes["added"] == 0, outcome
    return f"{len(after)} runs on record; then {outcome}"


def upgrade_keeps_all(installation: Installation, before: str) -> str:
    """From the image `before`, on which a campaign has run, and another one is in mid-upload."""
    after = installation.engine.docker("images", "--quiet", installation.image).strip()
    installation.engine.docker("tag", before, installation.image)
    installation.check_out(before)
    try:
        all_become_healthy(installation)
        fill_warehouse(installation)
        old = installation.ledger_revision()
        first = campaign_runs(installation)
        run = begin_upload(installation, "upgraded")
        # The version before may be one that fails a task which meets a ledger that is migrated already, instead of waiting.
        installation.compose("stop", *TASKS & installation.services.keys())
        installation.check_out(after)
    finally:
        installation.engine.docker("tag", after, installation.image)
    all_become_healthy(installation)
    new = installation.ledger_revision()
    assert old < new, (old, new)
    went_on = end_run(installation, "upgraded", run, seconds=_HEAL_SECONDS)
    second = campaign_runs(installation)
    assert (second.members, second.outcomes["added"]) == (first.members, 0), second
    return f"the ledger from {old} to {new}; the run begun before: {went_on}; the next one: {second}"

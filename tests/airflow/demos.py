"""A demo with all processes of Airflow, to which people in several roles log in."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from rich.console import Console

from audiences.demo import airflow, start
from audiences.demo.folders import DemoFolders
from audiences.demo.progress import Progress
from audiences.demo.start import started

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audiences.demo.airflow import AirflowApi
    from audiences.demo.start import Demo

ROOT = Path(__file__).parents[2]
ROLES = {"root": "admin", "anna": "op", "ben": "op", "vic": "viewer"}
"""Who may log in, each with the name as password."""
USER = 60_001
"""The user who alone wished for something at the price of 1, an hour ago."""
LATE = """
name: late
status: published
approval: {deadline: 1 minute}
who: {did: {event: Wishlisted, within: last 7 days, where: {amount: 1}}, control_group: {system: false}}
what: {audience: {create: {name: late}}, identifiers: [email]}
when: now
"""
"""Nobody answers for it: a campaign that is there from the start, so that no test waits for the minute."""


def wished(shop: str, user: int, *, amount: int, at: datetime) -> None:
    """Add a user to the shop (a libpq URI), with an e-mail address, who wished for something then."""
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute("insert into shop.users (id, email) values (%s, %s)", (user, f"user{user}@example.com"))
        connection.execute(
            "insert into shop.events (user_id, name, occurred_at, properties)"
            " values (%s, 'Wishlisted', %s, jsonb_build_object('amount', %s::int))",
            (user, at, amount),
        )


@contextmanager
def with_roles(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the demo's Airflow ask who somebody is, and log in as `root` ourselves."""
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps({person: person for person in ROLES}))
    alone = airflow.environment
    variables = {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "false",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{one}:{role}" for one, role in ROLES.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",  # a test adds a DAG of its own
    }

    def environment(**given: str | Path | int | Mapping[str, str]) -> dict[str, str]:
        return {**alone(**given), **variables}  # type: ignore[arg-type]  # the arguments of the function that is replaced

    def log_in(api: AirflowApi) -> None:
        answer = api._call("POST", "/auth/token", json={"username": "root", "password": "root"})
        api._http.headers["Authorization"] = f"Bearer {answer['access_token']}"

    with patch.context() as patched:
        patched.setattr(start, "USERS", 2_000)  # of whom these tests ask nothing
        patched.setattr(start, "EVENTS", 10_000)
        patched.setattr(airflow, "environment", environment)
        patched.setattr(airflow.AirflowApi, "log_in", log_in)
        yield


@contextmanager
def demo_with_roles() -> Iterator[Demo]:
    """A running demo over a project with no campaign but `late`, whose dags/ is a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="audiences-e2e-") as name, pytest.MonkeyPatch.context() as patch:
        project = Path(name) / "project"
        for folder in ("campaigns", "dags"):
            (project / folder).mkdir(parents=True)
        shutil.copytree(ROOT / "include", project / "include")
        for file in (ROOT / "dags").glob("*.py"):
            (project / "dags" / file.name).symlink_to(file)
        (project / "plugins").symlink_to(ROOT / "plugins")
        place = DemoFolders(project=project, folder=Path(name) / "demo")
        with (
            with_roles(Path(name), patch),
            place.occupied(),
            started(place, Progress(Console(quiet=True))) as running,
        ):
            wished(running.server.uri("shop"), USER, amount=1, at=datetime.now(UTC) - timedelta(hours=1))
            (project / "campaigns" / "late.yml").write_text(LATE)
            yield running

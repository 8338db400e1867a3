"""A small shop, a ledger and a sandbox, with campaigns over them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import yaml

import audiences
from audiences.campaign.spec import CampaignSpec
from audiences.cli import main
from audiences.connections import Connection
from audiences.pipeline.preview import preview
from audiences.pipeline.resources import CampaignResources
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign
from audiences.pipeline.steps import stage_changes
from audiences.sandbox import running_sandbox
from audiences.warehouse.reader import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from tests.databases import Databases

    from audiences.open_connections import OpenConnections
    from audiences.pipeline.results import Summary
    from audiences.pipeline.steps.preview_report import Preview
    from audiences.sandbox.server import SandboxServer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TABLES = """
create table users (id bigint primary key, email text, phone text, tier text, age int, opted_out boolean);
create table events (
    id bigint generated always as identity primary key, user_id bigint, name text, occurred_at timestamptz, amount numeric
);
"""
CATALOG: dict[str, dict[str, Any]] = {
    "users": {
        "relation": "users",
        "key": "id",
        "email": "email",
        "phone": "phone",
        "opt_out": "opted_out",
        "properties": {"tier": {"column": "tier", "type": "string"}, "age": {"column": "age", "type": "integer"}},
    },
    "events": {"relation": "events", "id": "id", "user": "user_id", "name": "name", "occurred_at": "occurred_at"},
}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=65_536)  # tests ask for the same thousands of people again and again
def row_of(email: str | None, phone: str | None) -> tuple[tuple[str, str], ...]:
    """What the sandbox should hold for a user with a plain e-mail address and an E.164 phone number."""
    cells = {"EMAIL": email and sha256(email.strip().lower()), "PHONE": phone and sha256(re.sub(r"\D", "", phone))}
    return tuple(sorted((key, cell) for key, cell in cells.items() if cell))


@dataclass
class Shop:
    """Everything a run needs, and what came of it."""

    connections: dict[str, Connection]
    sandbox: SandboxServer
    staging: Path
    runs: int = field(default=0)
    seconds: float = 1000.0
    now: datetime = NOON
    waited: list[float] = field(default_factory=list)
    noon: datetime = NOON
    later: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    open: dict[str, psycopg.Connection[Any]] = field(default_factory=dict)

    row_of = staticmethod(row_of)

    def sql(self, query: str, *parameters: Any, on: str = "warehouse") -> list[tuple[Any, ...]]:
        if on not in self.open:
            self.open[on] = psycopg.connect(self.connections[on].dsn(application="test"), autocommit=True)
        cursor = self.open[on].execute(query.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []

    def never_migrated(self) -> None:
        """The ledger's database as it is before anybody has used it."""
        self.sql("drop schema audiences cascade", on="ledger")

    def user(self, number: int, email: str | None, phone: str | None = None, **more: Any) -> None:
        values = {"id": number, "email": email, "phone": phone, **more}
        columns, marks = ", ".join(values), ", ".join(["%s"] * len(values))
        self.sql(f"insert into users ({columns}) values ({marks})", *values.values())

    def event(self, user: int, name: str = "Added To Cart", ago: timedelta = timedelta(days=1)) -> None:
        self.sql("insert into events (user_id, name, occurred_at) values (%s, %s, %s)", user, name, self.noon - ago)

    def at_the_real_time(self) -> None:
        """Go by the sandbox's own clock, by which tokens expire and ad sets end; what happens does so before that."""
        self.now = self.noon = datetime.now(UTC)

    def campaign(
        self, name: str = "carts", *, who: Any = None, what: Any = None, when: Any = None, **settings: Any
    ) -> CampaignSpec:
        return CampaignSpec.model_validate(
            {
                "id": name,
                "segments": {},
                "catalog": CATALOG,
                "account": {"id": "act_1001", "connection": "facebook_main"},
                "control_groups": settings.pop("control_groups", {}),
                "timezone": "UTC",
                "staging": str(self.staging),
                "campaign": {
                    "name": name,
                    "status": "published",
                    "who": who or {"did": {"event": "Added To Cart", "within": "last 30 days"}},
                    "what": {"audience": {"create": {"name": name}}, **(what or {})},
                    "when": when or {"now": True},
                },
                **settings,
            }
        )

    def resources(
        self, spec: CampaignSpec, *, read_only: bool = False, shared: OpenConnections | None = None
    ) -> CampaignResources:
        return CampaignResources(
            spec,
            read_only=read_only,
            shared=shared,
            look_up=self.connections.__getitem__,
            clock=lambda: self.seconds,
            sleep=self.pause,
            now=lambda: self.now,
        )

    def pause(self, seconds: float) -> None:
        """The short waits within a step: only its own clock goes on."""
        self.seconds += seconds

    def wait(self, seconds: float) -> None:
        """Let time pass without waiting: here, at Facebook, and in the ledger, where a blocked ad account is on record."""
        self.waited.append(seconds)
        self.seconds += seconds
        self.sandbox.admin.advance(seconds)
        self.sql(
            "update audiences.ad_account set blocked_until = blocked_until - %s * interval '1 second'",
            seconds,
            on="ledger",
        )
        self.now += timedelta(seconds=seconds)

    def run(
        self,
        spec: CampaignSpec,
        *,
        at: datetime | None = None,
        allow: frozenset[str] = frozenset(),
        full_refresh: bool = False,
        **more: Any,
    ) -> Summary:
        """A run at that time: the shop's clock is set to it, and stays there."""
        self.runs += 1
        self.now = at or self.now
        with self.resources(spec) as resources:
            request = RunRequest(
                external_id=f"run{self.runs}", at=self.now, allow=allow, full_refresh=full_refresh, **more
            )
            return run_campaign(resources, request, sleep=self.wait)

    def preview(self, spec: CampaignSpec, *, at: datetime | None = None, **more: Any) -> Preview:
        with self.resources(spec, read_only=True) as resources:
            return preview(resources, at or self.noon, **more)

    def members(self, audience: str) -> set[tuple[tuple[str, str], ...]]:
        return {tuple(sorted(row.items())) for row in self.sandbox.admin.members(audience)}

    def uploads(self) -> list[dict[str, Any]]:
        """The `/users` requests so far."""
        return [entry for entry in self.sandbox.admin.requests() if entry["path"].endswith("/users")]


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    with running_sandbox() as server:
        yield server


@pytest.fixture
def shop(databases: Databases, sandbox_server: SandboxServer, tmp_path: Path) -> Iterator[Shop]:
    sandbox_server.admin.reset()
    facebook = Connection(
        "facebook_main",
        extra={
            "app_id": "1234567890",
            "app_secret": "sandbox-secret",
            "access_token": "sandbox-token",
            "graph_url": sandbox_server.url,
        },
    )
    with databases.warehouse(TABLES) as warehouse, databases.ledger() as ledger:
        connections = {"warehouse": warehouse, "ledger": ledger, "facebook_main": facebook}
        made = Shop(connections, sandbox_server, tmp_path / "staging")
        yield made
        for connection in made.open.values():
            connection.close()


@pytest.fixture
def users_queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries for a campaign's users that the warehouse was given."""
    given: list[str] = []
    stream = Warehouse.stream

    def listening(self: Warehouse, query: str) -> Iterator[pa.RecordBatch]:
        if "AS opted_out" in query and not query.endswith(
            "LIMIT 0"
        ):  # by which a run sees first whether it can be answered
            given.append(query)
        return stream(self, query)

    monkeypatch.setattr(Warehouse, "stream", listening)
    return given


@pytest.fixture
def small_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of ten rows, so that a few users make several."""
    monkeypatch.setattr(stage_changes, "MAX_ROWS", 10)


@dataclass
class ProjectFolder:
    """A project over the shop with the campaign `carts`, and the environment in which its commands run."""

    path: Path
    environment: dict[str, str]

    def write(self, name: str, text: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text)

    def text(self, name: str) -> str:
        return (self.path / name).read_text()


CARTS = """
name: Carts
status: published
who: {did: {event: Added To Cart}}
what: {audience: {create: {name: Carts}}, guards: {max_removal: 100}}
when: now
"""


@pytest.fixture
def project(shop: Shop, tmp_path: Path) -> ProjectFolder:
    environment = {
        "PYTHONPATH": str(Path(audiences.__file__).parents[1]),
        "AIRFLOW_HOME": os.environ.get("AIRFLOW_HOME", str(tmp_path / "airflow")),
        "AUDIENCES_PROJECT": str(tmp_path / "project"),
    }
    for name, connection in shop.connections.items():
        fields = {key: getattr(connection, key) for key in ("host", "port", "login", "password", "schema", "extra")}
        kind = "facebook_social" if name == "facebook_main" else "postgres"
        environment[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps({"conn_type": kind, **fields})
    made = ProjectFolder(tmp_path / "project", environment)
    settings = {
        "ad_accounts": {"main": {"id": "act_1001", "connection": "facebook_main"}},
        "staging": str(shop.staging),
    }
    made.write("campaigns/carts.yml", CARTS)
    made.write("include/warehouse.yml", yaml.safe_dump(CATALOG))
    made.write("include/settings.yml", yaml.safe_dump(settings))
    return made


@pytest.fixture(name="audiences")
def command_line(
    project: ProjectFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Gives a command line to `main` in this process; answers with exit code, standard output and standard error."""
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)

    def give(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["audiences", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return int(ended.value.code or 0), shown.out, shown.err

    return give

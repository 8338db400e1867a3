"""What a storm rages over: a Postgres and a sandbox of our own that can be struck down, and a project's command line."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from tests.chaos.campaigns import write_project
from tests.forked import OF_A_RUN, Commands, forking

import audiences
from audiences.demo import postgres
from audiences.demo.postgres import Postgres, running_postgres
from audiences.sandbox import APP_ID, APP_SECRET, TOKEN, running_sandbox_process

if TYPE_CHECKING:
    from audiences.sandbox import AdminClient
    from audiences.sandbox.server import SandboxProcess

LATENCY_MS = 30


@dataclass
class Place:
    """Open it with `with`; everything lives under `folder`."""

    folder: Path
    struck: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    _open: ExitStack = field(default_factory=ExitStack)
    _sandbox_open: ExitStack = field(default_factory=ExitStack)
    _counted: int = 0
    _seen: Counter[str] = field(default_factory=Counter)

    def __enter__(self) -> Place:
        # The process may be killed, the machine will not be: commits have to be durable, but not on the disk itself.
        self.postgres: Postgres = self._open.enter_context(running_postgres(self.folder, settings={"fsync": "off"}))
        for name in ("warehouse", "ledger"):
            self.postgres.create_database(name)
        self._open.callback(lambda: self._sandbox_open.close())
        self.sandbox = self._start_sandbox(0)
        self.admin.settings(latency_ms=LATENCY_MS, jitter_ms=LATENCY_MS)
        project = self.folder / "project"
        write_project(project, self.folder / "staging")
        environment = self._environment(project)
        self.commands: Commands = self._open.enter_context(
            forking("audiences", {**os.environ, **environment}, self.folder / "commands", imports=OF_A_RUN)
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def admin(self) -> AdminClient:
        return self.sandbox.admin

    def dsn(self, database: str) -> str:
        return self.postgres.uri(database)

    def ledger(self, query: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Rows from the ledger; none before its first migration."""
        with psycopg.connect(self.dsn("ledger")) as connection:
            if connection.execute("select to_regclass('audiences.run')").fetchone() == (None,):
                return []
            return connection.execute(query.encode(), parameters).fetchall()

    def restart_postgres(self, *, crash: bool) -> None:
        postgres.restart(self.folder, crash=crash)

    def restart_sandbox(self) -> None:
        """Kill the sandbox in the middle of what it does and start it again on what it remembers, faults included."""
        self.count()
        port = int(self.sandbox.url.rpartition(":")[2])
        os.kill(self.sandbox.pid, signal.SIGKILL)
        self._sandbox_open.close()
        self._counted = 0
        self.sandbox = self._start_sandbox(port)

    def clear_faults(self) -> None:
        """End all faults and add up those that struck; whoever was throttled has waited long enough."""
        self.count()
        self.admin.clear_faults()
        with psycopg.connect(self.dsn("ledger")) as connection:
            if connection.execute("select to_regclass('audiences.ad_account')").fetchone() != (None,):
                connection.execute("update audiences.ad_account set blocked_until = now()")

    def count(self) -> None:
        state = self.admin.state(members=False, requests=False)
        assert state["pii"]["clean"], state["pii"]
        assert state["counters"]["token_in_url"] == 0
        fired = Counter(state["faults"]["fired_by_kind"])
        self.requests += state["counters"]["requests"] - self._counted
        self._counted = state["counters"]["requests"]
        self.struck += fired - self._seen
        self._seen = fired

    def last_request(self) -> int:
        """The number of the last request so far."""
        return max((entry["number"] for entry in self.admin.requests()), default=0)

    def uploads(self, since: int = 0) -> int:
        """How many `/users` and `/usersreplace` requests there were after the request of that number."""
        return sum("/users" in entry["path"] for entry in self.admin.requests(since))

    def _start_sandbox(self, port: int) -> SandboxProcess:
        self._seen = Counter()
        return self._sandbox_open.enter_context(running_sandbox_process(port, self.folder / "facebook.sqlite"))

    def _environment(self, project: Path) -> dict[str, str]:
        server = {
            "conn_type": "postgres",
            "host": str(self.postgres.socket_directory),
            "port": self.postgres.port,
            "login": "postgres",
        }
        extra = {"app_id": APP_ID, "app_secret": APP_SECRET, "access_token": TOKEN, "graph_url": self.sandbox.url}
        return {
            "PYTHONPATH": str(Path(audiences.__file__).parents[1]),
            "AIRFLOW_HOME": os.environ.get("AIRFLOW_HOME", str(self.folder / "airflow")),
            "AUDIENCES_PROJECT": str(project),
            "AIRFLOW_CONN_WAREHOUSE": json.dumps({**server, "schema": "warehouse"}),
            "AIRFLOW_CONN_LEDGER": json.dumps({**server, "schema": "ledger"}),
            "AIRFLOW_CONN_FACEBOOK_MAIN": json.dumps({"conn_type": "facebook_social", "extra": extra}),
        }

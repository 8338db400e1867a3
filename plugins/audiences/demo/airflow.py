"""Airflow on this machine: the environment of its components, their commands, and a small client of its REST API."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from audiences.demo.ports import HOST
from audiences.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.connections import Connection

POOL = "facebook"
POOL_SLOTS = 4
_TIMEOUT_SECONDS = 90  # Airflow's first answers take a second; half a minute when the machine has much else to do.

# The logs are read from the folder that all components share, so nobody serves them.
COMPONENTS: Mapping[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
# Tasks are forked from the scheduler's workers, and find imported there what they need.
OF_COMPONENT: Mapping[str, Mapping[str, str]] = {"scheduler": {"AUDIENCES_PRELOAD": "true"}}
"""Environment variables of one component alone."""


def command(*arguments: str) -> list[str]:
    """Airflow's command line, in the virtual environment of this interpreter."""
    return [sys.executable, "-m", "airflow", *arguments]


def environment(
    *, project: Path, home: Path, port: int, database: str, connections: Mapping[str, str]
) -> dict[str, str]:
    """All variables for Airflow's processes, on top of our own environment without its AIRFLOW ones.

    `database` is a libpq URI; `connections` maps connection ids to their JSON. The secrets are new ones each time.
    """
    options = {
        "core.executor": "LocalExecutor",
        "core.parallelism": "4",  # Each is a process that is forked in advance.
        "core.dags_folder": str(project / "dags"),
        "core.plugins_folder": str(project / "plugins"),
        "core.load_examples": "false",
        "core.fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "core.simple_auth_manager_all_admins": "true",
        "core.execution_api_server_url": f"http://{HOST}:{port}/execution/",
        "core.min_serialized_dag_update_interval": "5",
        "database.sql_alchemy_conn": database.replace("postgresql://", "postgresql+psycopg://", 1),
        "api.host": HOST,
        "api.port": str(port),
        "api.base_url": f"http://{HOST}:{port}",
        "api.secret_key": secrets.token_hex(32),
        "api_auth.jwt_secret": secrets.token_hex(32),
        "scheduler.scheduler_idle_sleep_time": "0.5",
        # Up to so many seconds pass until it is noticed that a task's process has ended, and its slot is free.
        "workers.min_heartbeat_interval": "1",
        # At each refresh Airflow forgets the errors of files that are not Python, until it has read the campaigns again.
        "dag_processor.refresh_interval": "60",
        "dag_processor.min_file_process_interval": "10",
        # Campaigns that have not changed are then given to Airflow only every few minutes.
        "dag_processor.stale_dag_threshold": "300",
        # The loader of campaigns keeps below these by itself.
        "core.dagbag_import_timeout": "40",
        "dag_processor.dag_file_processor_timeout": "60",
        "dag_processor.parsing_processes": "1",
    }
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return {
        **ours,
        **{f"AIRFLOW__{name.upper().replace('.', '__')}": value for name, value in options.items()},
        **{f"AIRFLOW_CONN_{name.upper()}": value for name, value in connections.items()},
        "AIRFLOW_HOME": str(home),
        "AUDIENCES_PROJECT": str(project),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), ours.get("PATH", os.defpath)]),
        # A proxy of the company's is not asked for the way to our own machine.
        "NO_PROXY": ",".join(filter(None, [HOST, "localhost", ours.get("NO_PROXY")])),
        "no_proxy": ",".join(filter(None, [HOST, "localhost", ours.get("no_proxy")])),
    }


def write_exports(path: Path, variables: Mapping[str, str]) -> None:
    """A file to `source`, so that the command lines of `audiences` and `airflow` reach what runs here."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    lines = [
        f"export {name}={_quoted(value)}\n"
        for name, value in sorted(variables.items())
        if name.startswith(("AIRFLOW", "AUDIENCES"))
    ]
    draft.write_text("".join(lines))
    draft.replace(path)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


@dataclass(eq=False)
class AirflowApiError(FailedError):
    """Airflow's REST API refused a call, or gave no answer: then `status` is None."""

    call: str
    status: int | None
    answer: str

    def __str__(self) -> str:
        if self.status is None:
            return f"Airflow did not answer {self.call}: {self.answer}"
        return f"Airflow answered {self.call} with {self.status}: {self.answer}"


class AirflowApi:
    """Airflow's REST API v2, as one of its users."""

    def __init__(self, url: str, *, timeout: float = _TIMEOUT_SECONDS) -> None:
        self.url = url
        self.timeout = timeout
        self._http = requests.Session()
        self._http.trust_env = False  # Neither proxies nor .netrc have a say on the way to our own machine.

    def is_ready(self) -> bool:
        """Whether all components have reported that they work."""
        try:
            answer = self._http.get(f"{self.url}/api/v2/monitor/health", timeout=self.timeout)
        except (requests.ConnectionError, requests.Timeout):
            return False
        return answer.ok and all(part["status"] == "healthy" for part in answer.json().values())

    def log_in(self, user: str = "", password: str = "") -> None:
        """Fetch the token that the other calls carry; without a user's name where everybody is an admin."""
        asked = {"username": user, "password": password}
        found = self._call("POST", "/auth/token", json=asked) if user else self._call("GET", "/auth/token")
        token = found["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def create_pool(self, name: str, *, slots: int) -> None:
        """Make the pool that limits calls to one ad account."""
        pool = {"name": name, "slots": slots, "description": "Calls to Facebook at a time", "include_deferred": False}
        self._call("POST", "/api/v2/pools", json=pool)

    def dag_ids(self) -> set[str]:
        """The DAGs that Airflow has read so far."""
        return {dag["dag_id"] for dag in self._call("GET", "/api/v2/dags", params={"limit": 1000})["dags"]}

    def import_errors(self) -> dict[str, str]:
        """What Airflow could not read: by file, the last line of the error."""
        errors = self._call("GET", "/api/v2/importErrors", params={"limit": 1000})["import_errors"]
        return {error["filename"]: error["stack_trace"].strip().splitlines()[-1] for error in errors}

    def trigger(self, dag: str) -> str:
        """Start a run now and give its id."""
        run: str = self._call("POST", f"/api/v2/dags/{dag}/dagRuns", json={"logical_date": None})["dag_run_id"]
        return run

    def run_ids(self, dag: str) -> list[str]:
        """The runs that there are of the DAG, the first one first."""
        found = self._call("GET", f"/api/v2/dags/{dag}/dagRuns", params={"order_by": "id", "limit": 1000})
        return [run["dag_run_id"] for run in found["dag_runs"]]

    def run_state(self, dag: str, run: str) -> str:
        """`queued`, `running`, `success` or `failed`."""
        state: str = self._call("GET", f"/api/v2/dags/{dag}/dagRuns/{quote(run, safe='')}")["state"]
        return state

    def unpause(self, dag: str) -> None:
        """Let runs of the DAG begin."""
        self._call("PATCH", f"/api/v2/dags/{dag}", json={"is_paused": False})

    def result(self, dag: str, run: str, task: str) -> Any:
        """What a task returned."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run, safe='')}/taskInstances/{task}/xcomEntries/return_value"
        return self._call("GET", path)["value"]

    def log(self, dag: str, run: str, task: str) -> str:
        """What a task's first try has logged, one line of it a line."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run, safe='')}/taskInstances/{task}/logs/1"
        lines = self._call("GET", path, headers={"Accept": "application/json"})["content"]
        return "\n".join(line if isinstance(line, str) else line["event"] for line in lines)

    def task_states(self, dag: str, run: str) -> dict[str, str]:
        """The state of each task of a run that has one, `up_for_retry` among them; mapped tasks carry their number."""
        path = f"/api/v2/dags/{dag}/dagRuns/{quote(run, safe='')}/taskInstances"
        states = {}
        for task in self._call("GET", path, params={"limit": 1000})["task_instances"]:
            number = f"[{task['map_index']}]" if task["map_index"] >= 0 else ""
            if task["state"] is not None:
                states[f"{task['task_id']}{number}"] = task["state"]
        return states

    def _call(self, method: str, path: str, **options: Any) -> Any:
        call = f"{method} {path}"
        try:
            answer = self._http.request(method, f"{self.url}{path}", timeout=self.timeout, **options)
        except requests.RequestException as error:
            raise AirflowApiError(call=call, status=None, answer=type(error).__name__) from error
        if not answer.ok:
            raise AirflowApiError(call=call, status=answer.status_code, answer=answer.text[:500])
        return answer.json()


def postgres_connection(found: Connection) -> str:
    """An Airflow connection to Postgres, as JSON."""
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": found.host,
            "port": found.port,
            "login": found.login,
            "schema": found.schema,
        }
    )


def facebook_connection(found: Connection) -> str:
    """An Airflow connection in the shape of its Facebook provider, with our `graph_url`, as JSON."""
    return json.dumps({"conn_type": "facebook_social", "extra": found.extra})

"""API servers of Airflow with users of every role, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]


@dataclass
class Server:
    """An API server that answers."""

    url: str
    home: Path
    _tokens: dict[str, str] = field(default_factory=dict)

    def routes(self) -> set[tuple[str, str]]:
        """Every route of the pages, as method and path."""
        return {(method, path) for method, path in json.loads((self.home / "routes.json").read_text())}

    def token(self, user: str) -> str:
        """The session of a user, whose password is the name."""
        if user not in self._tokens:
            answer = requests.post(f"{self.url}/auth/token", json={"username": user, "password": user}, timeout=60)
            self._tokens[user] = answer.json()["access_token"]
        return self._tokens[user]

    def call(
        self, user: str | None, method: str, path: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> requests.Response:
        """A request with the user's session in a cookie, as a browser sends it from Airflow's own pages."""
        cookies = {"_token": self.token(user)} if user else {}
        headers = {"Origin": self.url, **(headers or {})}
        if method == "POST" and "data" not in more:
            more.setdefault("json", {})
        address = f"{self.url}/audiences/{path}"
        return requests.request(method, address, cookies=cookies, headers=headers, timeout=60, **more)


@contextlib.contextmanager
def serving(kind: str, home: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """An API server with that auth manager, `simple` or `fab`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home.mkdir(parents=True)
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "PYTHONPATH": os.pathsep.join([str(ROOT / "plugins"), str(ROOT)]),
        **environment,
    }
    with (home / "said.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.pages.serving", str(port), kind]
        process = subprocess.Popen(command, env=variables, cwd=ROOT, stdout=log, stderr=log)
    try:
        server = Server(f"http://127.0.0.1:{port}", home)
        deadline = time.monotonic() + 150
        while not _answers(server.url):
            assert process.poll() is None, (home / "said.log").read_text()[-4000:]
            assert time.monotonic() < deadline, (home / "said.log").read_text()[-4000:]
            time.sleep(0.2)
        yield server
    finally:
        process.kill()  # Nothing of it is kept, and an orderly end takes ten seconds.
        process.wait(30)


def _answers(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{url}/audiences/api/me", timeout=30).status_code == 401
    return False

"""An Airflow of its own for these tests, as processes: nothing here imports Airflow into the test process."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.pipeline.conftest import sandbox_server, shop  # noqa: F401  # fixtures

if TYPE_CHECKING:
    from tests.pipeline.conftest import Shop

ROOT = Path(__file__).parents[2]
CATALOG = """
users: {relation: users, key: id, email: email, phone: phone, opt_out: opted_out}
events: {relation: events, id: id, user: user_id, name: name, occurred_at: occurred_at}
"""


@dataclass
class Airflow:
    """A home, a project, and the commands over them."""

    home: Path
    project: Path
    environment: dict[str, str]

    def write(self, name: str, text: str) -> None:
        file = self.project / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def campaign(self, name: str, **more: str) -> None:
        who = more.get("who", "{did: {event: Added To Cart}}")
        status = more.get("status", "published")
        self.write(
            f"campaigns/{name}.yml",
            f"name: {more.get('title', name)}\nstatus: {status}\nwho: {who}\nwhen: {more.get('when', 'now')}\n"
            f"what: {{audience: {{create: {{name: {name}}}}}{more.get('what', '')}}}\n",
        )

    def airflow(self, *arguments: str) -> str:
        """Run an airflow command; its output, whatever came of it."""
        return self._run(str(Path(sys.executable).parent / "airflow"), *arguments)

    def python(self, code: str, *arguments: str) -> str:
        return self._run(sys.executable, "-c", code, *arguments)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.home / "airflow.db") as database:
            return database.execute(query).fetchall()

    def _run(self, *command: str) -> str:
        with (self.project / "said.log").open("w") as log:
            subprocess.run(command, env=self.environment, stdout=log, stderr=log, timeout=240, check=False)
        return (self.project / "said.log").read_text()


def airflow_in(folder: Path) -> Airflow:
    """An Airflow in an empty folder, with an empty project and without tables."""
    home, project = folder / "airflow", folder / "project"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "300",
        "AUDIENCES_PROJECT": str(project),
        "PYTHONPATH": str(ROOT / "plugins"),
    }
    made = Airflow(home, project, environment)
    made.write("include/warehouse.yml", CATALOG)
    made.write("include/settings.yml", "ad_accounts: {main: {id: act_1001, connection: facebook_main}}\n")
    return made


@pytest.fixture
def airflow(tmp_path: Path) -> Airflow:
    return airflow_in(tmp_path)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Airflow's tables as `airflow db migrate` makes them, which takes it many seconds; to be copied."""
    empty = airflow_in(tmp_path_factory.mktemp("migrated"))
    said = empty.airflow("db", "migrate")
    assert (empty.home / "airflow.db").exists(), said
    return empty.home / "airflow.db"


@pytest.fixture
def database(airflow: Airflow, migrated: Path) -> Airflow:
    """The same with Airflow's tables."""
    airflow.home.mkdir()
    shutil.copy(migrated, airflow.home / "airflow.db")
    return airflow


@pytest.fixture
def connected(database: Airflow, shop: Shop) -> Airflow:  # noqa: F811  # the fixture imported above
    """The same with a shop and the sandbox behind the connections."""
    for name, connection in shop.connections.items():
        fields = {key: getattr(connection, key) for key in ("host", "port", "login", "password", "schema", "extra")}
        kind = "facebook_social" if name == "facebook_main" else "postgres"
        database.environment[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps({"conn_type": kind, **fields})
    return database

"""An Airflow of its own for these tests, as processes: nothing here imports Airflow into the test process.

Its commands are forked from a process that has imported Airflow, which takes five seconds. All tests of a session have one
home and one project for that, in folders that are emptied before each.
"""

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
from tests.forked import Commands, forking
from tests.pipeline.conftest import sandbox_server, shop  # noqa: F401  # fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pipeline.conftest import Shop

ROOT = Path(__file__).parents[2]
CATALOG = """
users: {relation: users, key: id, email: email, phone: phone, opt_out: opted_out}
events: {relation: events, id: id, user: user_id, name: name, occurred_at: occurred_at}
"""


_SECONDS = 240
# What a task, the execution API that it talks to, and our steps import.
_IMPORTS = (
    "a2wsgi",
    "adbc_driver_postgresql.dbapi",
    "airflow.api_fastapi.execution_api.app",
    "airflow.api_fastapi.execution_api.routes",
    "airflow.api_fastapi.execution_api.versions",
    "airflow.cli.commands.dag_command",
    "airflow.dag_processing.bundles.local",
    "airflow.dag_processing.collection",
    "airflow.models.dagbag",
    "airflow.providers.standard.operators.empty",
    "airflow.providers.standard.operators.trigger_dagrun",
    "airflow.providers_manager",
    "airflow.sdk.execution_time.supervisor",
    "airflow.sdk.execution_time.task_runner",
    "alembic.command",
    "anyio._backends._asyncio",
    "audiences.airflow.campaign_dag",
    "audiences.airflow.dispatcher_dag",
    "audiences.airflow.upkeep_dag",
    "audiences.pipeline.run",
    "duckdb",
    "facebook_business.adobjects.adset",
    "facebook_business.adobjects.customaudience",
    "pandas",
    "psycopg_binary.pq",
    "pyarrow.dataset",
    "pyarrow.parquet",
)
# What each command of Airflow's would make anew before its first task: the words of its command line, the tables' classes,
# what providers know of assets' URIs, and the execution API, which makes a copy of its routes for each of its versions when it
# is first asked (3 s of CPU).
_PREPARE = """
import asyncio, httpx
from airflow.cli.cli_parser import get_parser
from airflow.sdk.execution_time.supervisor import in_process_api_server
from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime
from sqlalchemy.orm import configure_mappers
async def ask():
    async with httpx.AsyncClient(transport=in_process_api_server().atransport, base_url="http://prepared") as client:
        return await client.get("/health")
get_parser()
configure_mappers()
ProvidersManagerTaskRuntime().asset_uri_handlers
asyncio.run(ask()).raise_for_status()
"""


@dataclass
class Airflow:
    """A home, a project, and the commands over them."""

    home: Path
    project: Path
    environment: dict[str, str]
    commands: Commands

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
            f"tasks: {more.get('tasks', 'by_size')}\n"
            f"what: {{audience: {{create: {{name: {name}}}}}{more.get('what', '')}}}\n",
        )

    def airflow(self, *arguments: str) -> str:
        """Run an airflow command; its output, whatever came of it."""
        return self.commands.said_by(*arguments, environment=self.environment, seconds=_SECONDS)

    def code(self, code: str, *arguments: str) -> str:
        """Execute Python where Airflow is imported already; its output, whatever came of it."""
        return self.commands.said_by_code(code, *arguments, environment=self.environment, seconds=_SECONDS)

    def python(self, code: str) -> str:
        """Execute Python in an interpreter that has imported nothing yet; its output, whatever came of it."""
        with (self.project / "said.log").open("w") as log:
            command = [sys.executable, "-c", code]
            subprocess.run(command, env=self.environment, stdout=log, stderr=log, timeout=_SECONDS, check=False)
        return (self.project / "said.log").read_text()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(self.home / "airflow.db") as database:
            return database.execute(query).fetchall()


def environment_in(folder: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "300",
        "AUDIENCES_PROJECT": str(folder / "project"),
        "PYTHONPATH": str(ROOT / "plugins"),
    }


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Commands]]:
    """The folder of this session's Airflow, and its commands."""
    folder = tmp_path_factory.mktemp("installed")
    with forking(
        "airflow", environment_in(folder), tmp_path_factory.mktemp("commands"), imports=_IMPORTS, prepare=_PREPARE
    ) as commands:
        yield folder, commands


@pytest.fixture
def airflow(installed: tuple[Path, Commands]) -> Airflow:
    """An Airflow with an empty project and without tables."""
    folder, commands = installed
    for part in ("airflow", "project"):
        shutil.rmtree(folder / part, ignore_errors=True)
    made = Airflow(folder / "airflow", folder / "project", environment_in(folder), commands)
    made.write("include/warehouse.yml", CATALOG)
    made.write("include/settings.yml", "ad_accounts: {main: {id: act_1001, connection: facebook_main}}\n")
    return made


@pytest.fixture(scope="session")
def migrated(installed: tuple[Path, Commands], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Airflow's tables as `airflow db migrate` makes them, which takes it many seconds; to be copied."""
    folder, commands = installed
    shutil.rmtree(folder / "airflow", ignore_errors=True)
    said = commands.said_by("db", "migrate", environment=environment_in(folder), seconds=_SECONDS)
    assert (folder / "airflow/airflow.db").exists(), said
    return Path(shutil.move(folder / "airflow/airflow.db", tmp_path_factory.mktemp("migrated")))


@pytest.fixture
def database(migrated: Path, airflow: Airflow) -> Airflow:
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

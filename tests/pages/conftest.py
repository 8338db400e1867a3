"""What the tests of the pages share: a shop with two campaigns, and API servers of Airflow over it, once per session."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.pages.server import Server, serving
from tests.pages.serving import READABLE
from tests.pipeline.conftest import CATALOG, TABLES, Shop, sandbox_server  # noqa: F401  # a fixture

from audiences.campaign.project import Project
from audiences.connections import Connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Databases

    from audiences.sandbox.server import SandboxServer

HIDDEN = "hidden"
CAMPAIGN = """
name: {name}
status: published
owner: team of {name}
who: {{did: {{event: Added To Cart}}}}
what: {{audience: {{create: {{name: {name}}}}}}}
when: now
"""
FACEBOOK = {"app_id": "1234567890", "app_secret": "sandbox-secret", "access_token": "sandbox-token"}


@dataclass
class World:
    """The shop, the project over it, and the environment in which an API server finds both."""

    shop: Shop
    project: Path
    environment: dict[str, str]
    runs: dict[str, int]


@pytest.fixture(scope="session")
def world(
    databases: Databases,
    sandbox_server: SandboxServer,  # noqa: F811  # the fixture imported above
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Two campaigns that have run once, `readable` and `hidden`, over a shop with one customer."""
    project = tmp_path_factory.mktemp("pages") / "project"
    for name, text in {
        "include/warehouse.yml": yaml.safe_dump(CATALOG),
        "include/settings.yml": "ad_accounts: {main: {id: act_1001, connection: facebook_main}}\n",
        **{f"campaigns/{name}.yml": CAMPAIGN.format(name=name) for name in (READABLE, HIDDEN)},
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    facebook = Connection("facebook_main", extra={**FACEBOOK, "graph_url": sandbox_server.url})
    with databases.warehouse() as warehouse, databases.ledger() as ledger:
        connections = {"warehouse": warehouse, "ledger": ledger, "facebook_main": facebook}
        shop = Shop(connections, sandbox_server, project / "staging", now=datetime.now(UTC))
        shop.sql(TABLES)
        shop.user(1, "ada@example.com")
        shop.event(1)
        runs = {name: shop.run(Project.load_campaign(project, name)).run for name in (READABLE, HIDDEN)}
        yield World(shop, project, _environment(project, connections), runs)
        for connection in shop.open.values():
            connection.close()


def _environment(project: Path, connections: dict[str, Connection]) -> dict[str, str]:
    found = {"AUDIENCES_PROJECT": str(project)}
    for name, connection in connections.items():
        fields = {key: getattr(connection, key) for key in ("host", "port", "login", "password", "schema", "extra")}
        kind = "facebook_social" if name == "facebook_main" else "postgres"
        found[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps({"conn_type": kind, **fields})
    return found


@pytest.fixture(scope="session")
def by_role(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An API server with Airflow's own auth manager, which knows roles."""
    with serving("simple", tmp_path_factory.mktemp("simple") / "home", world.environment) as found:
        yield found


@pytest.fixture(scope="session")
def by_dag(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with FAB's auth manager, which knows rights to a DAG as well, behind a proxy with an address of its own."""
    environment = {**world.environment, "AIRFLOW__API__BASE_URL": "https://airflow.example.com"}
    with serving("fab", tmp_path_factory.mktemp("fab") / "home", environment) as found:
        yield found


@pytest.fixture(params=["by_role", "by_dag"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two."""
    found: Server = request.getfixturevalue(request.param)
    return found

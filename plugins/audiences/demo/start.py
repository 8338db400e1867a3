"""Starts everything: Postgres, the sandbox, the shop's data, the ledger and Airflow, side by side where possible."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from audiences.connections import Connection
from audiences.demo import airflow, launched, postgres, signals
from audiences.demo.ports import HOST, Ports
from audiences.demo.processes import Children, stop_leftovers
from audiences.demo.shop import EVENTS, USERS, load_shop
from audiences.demo.visits import LAUNCH_DAYS
from audiences.ledger.migrate import migrate
from audiences.logs import logger
from audiences.sandbox.client import AdminClient
from audiences.sandbox.fixtures import ACCOUNT, APP_ID, APP_SECRET, TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from concurrent.futures import Future

    from audiences.demo.folders import DemoFolders
    from audiences.demo.postgres import Postgres
    from audiences.demo.processes import Child
    from audiences.demo.progress import Progress

AIRFLOW_PORT = 8080
SANDBOX_PORT = 8090
POSTGRES_PORT = 5433  # Beside one that may run here already.
_READY_SECONDS = 180
_FACEBOOK = "facebook_main"


@dataclass(frozen=True, slots=True)
class Demo:
    """What runs, and how to reach it."""

    folders: DemoFolders
    server: Postgres
    sandbox_url: str
    sandbox: AdminClient
    airflow: airflow.AirflowApi
    children: Children

    def connection(self, name: str) -> Connection:
        """The connection of that id, for code in this process: `warehouse`, `ledger` or `facebook_main`."""
        return {**_databases(self.server), _FACEBOOK: _facebook(self.sandbox_url)}[name]

    def let_shoppers_in(self) -> None:
        """Have customers fill carts and pay from now on, for live campaigns to react to; from the main thread."""
        command = [sys.executable, "-m", "audiences.demo.shoppers", self.server.uri("shop")]
        self.children.start("shoppers", command, environment=dict(os.environ), folder=self.folders.project)


@contextlib.contextmanager
def started(folders: DemoFolders, progress: Progress) -> Iterator[Demo]:
    """Have everything run, with fresh data, and stop it at the end. From the main thread."""
    left = stop_leftovers(folders.record) + (["Postgres"] if postgres.stop_leftover(folders.postgres) else [])
    if left:
        progress.note(f"stopped what the last demo left behind: {', '.join(left)}")
    children = Children(record=folders.record, logs=folders.logs)
    # Nothing in it has to survive a crash of this machine; every start makes it anew.
    settings = {"synchronous_commit": "off"}
    with (
        # Left last: what still fills the shop when somebody interrupts us fails as soon as Postgres is gone.
        ThreadPoolExecutor(max_workers=1) as beside,
        contextlib.closing(Ports()) as ports,
        postgres.running_postgres(
            folders.postgres, tcp_port=ports.take("Postgres", POSTGRES_PORT), settings=settings
        ) as server,
    ):
        numbers = {
            "Airflow": ports.take("Airflow", AIRFLOW_PORT),
            "the sandbox": ports.take("the sandbox", SANDBOX_PORT),
        }
        for what, usual, given in ports.moved:
            progress.note(f"port {usual} is taken, so {what} listens on {given}")
        progress.done("Postgres is up")
        try:
            yield _start(folders, progress, server, children, numbers, beside)
        finally:
            signals.ignore_signals()
            progress.note("stopping")
            logger("psycopg").setLevel("ERROR")  # else it warns of rows that it could not go on to copy
            children.stop()


def _start(
    folders: DemoFolders,
    progress: Progress,
    server: Postgres,
    children: Children,
    ports: Mapping[str, int],
    beside: ThreadPoolExecutor,
) -> Demo:
    demo = Demo(
        folders=folders,
        server=server,
        sandbox_url=f"http://{HOST}:{ports['the sandbox']}",
        sandbox=AdminClient(f"http://{HOST}:{ports['the sandbox']}"),
        airflow=airflow.AirflowApi(f"http://{HOST}:{ports['Airflow']}"),
        children=children,
    )
    variables = _variables(demo, ports["Airflow"])
    airflow.write_exports(folders.exports, variables)
    for name in ("shop", "ledger"):
        server.create_database(name)
    data = beside.submit(_fill, demo, progress)
    command = [sys.executable, "-m", "audiences.sandbox", "--port", str(ports["the sandbox"])]
    children.start("sandbox", command, environment=variables, folder=folders.project)
    _migrate_airflow(demo, progress, variables)
    _start_airflow(demo, progress, variables, data, port=ports["Airflow"])
    return demo


def _facebook(sandbox_url: str) -> Connection:
    extra = {
        "app_id": APP_ID,
        "app_secret": APP_SECRET,
        "access_token": TOKEN,
        "account_id": ACCOUNT,
        "graph_url": sandbox_url,
    }
    return Connection(id=_FACEBOOK, extra=extra)


def _databases(server: Postgres) -> dict[str, Connection]:
    return {
        name: Connection(
            id=name, host=str(server.socket_directory), port=server.port, login=postgres.USER, schema=database
        )
        for name, database in (("warehouse", "shop"), ("ledger", "ledger"))
    }


def _variables(demo: Demo, port: int) -> dict[str, str]:
    databases = {name: airflow.postgres_connection(found) for name, found in _databases(demo.server).items()}
    facebook = airflow.facebook_connection(_facebook(demo.sandbox_url))
    return airflow.environment(
        project=demo.folders.project,
        home=demo.folders.airflow,
        port=port,
        database=demo.server.uri("airflow"),
        connections={**databases, _FACEBOOK: facebook},
    )


def _fill(demo: Demo, progress: Progress) -> None:
    """The shop's data, the ledger, and the past of the campaign that was launched before."""
    as_of = datetime.now(UTC)
    spec = launched.launched_campaign(demo.folders.project)
    reached = launched.reached(spec, USERS) if spec else None
    load_shop(demo.server.uri("shop"), as_of=as_of, users=USERS, events=EVENTS, reached=reached)
    progress.done(f"{USERS:,} users and {EVENTS:,} events are in the warehouse")
    revision = migrate(demo.connection("ledger"))
    progress.done(f"the ledger is at revision {revision}")
    if spec is not None:
        demo.children.check()  # that it is our sandbox which answers, and not another one at the same port
        summary = launched.launch(spec, demo.connection, staging=demo.folders.staging, as_of=as_of)
        what = f"run of {spec.id} as of {summary.at:%d %b}, {LAUNCH_DAYS} days ago: {summary.state}"
        (progress.done if summary.state == "success" else progress.note)(what)


def _migrate_airflow(demo: Demo, progress: Progress, variables: Mapping[str, str]) -> None:
    """Give Airflow an empty database: made by `airflow db migrate` the first time, from then on a copy of that."""
    server = demo.server
    empty = f"airflow_{version('apache-airflow-core').replace('.', '_')}"
    if server.has_database(empty):
        server.create_database("airflow", template=empty)
        return
    server.create_database("airflow")
    with progress.waiting("Airflow makes its database, this once"):
        command = airflow.command("db", "migrate")
        demo.children.start("airflow-db-migrate", command, environment=variables, folder=demo.folders.project).finish()
    server.create_database(empty, template="airflow")
    progress.done("Airflow's database is made")


def _start_airflow(
    demo: Demo, progress: Progress, variables: Mapping[str, str], data: Future[None], *, port: int
) -> None:
    def start(name: str) -> Child:
        command = airflow.command(*airflow.COMPONENTS[name])
        its_own = {**variables, **airflow.OF_COMPONENT.get(name, {})}
        return demo.children.start(name, command, environment=its_own, folder=demo.folders.project)

    server, *others = (start(name) for name in airflow.COMPONENTS if name != "scheduler")
    with progress.waiting("loading the sample shop"):
        while not data.done():
            demo.children.check()
            time.sleep(0.1)
    data.result()
    # Not before there is data: campaigns whose time has come run at once.
    others.append(start("scheduler"))

    def ready() -> bool:
        for child in others:
            child.check()
        return server.listens_on(port) and demo.airflow.is_ready()

    with progress.waiting("Airflow is starting"):
        server.wait_ready(ready, seconds=_READY_SECONDS)
    demo.airflow.log_in()
    demo.airflow.create_pool(airflow.POOL, slots=airflow.POOL_SLOTS)
    progress.done("Airflow is up: API server, scheduler, DAG processor, triggerer")

"""All services of docker-compose.celery.yml on pretended machines, with a warehouse and the sandbox beside them."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import psycopg
from tests.compose_files import PROJECT
from tests.distributed.containers import HOST, Containers, replicas, required
from tests.distributed.machines import Machine
from tests.object_stores import S3

from audiences.connections import Connection
from audiences.demo.airflow import AirflowApi, AirflowApiError, facebook_connection
from audiences.demo.ports import Ports
from audiences.demo.postgres import Postgres, running_postgres
from audiences.sandbox import ACCOUNT, APP_ID, APP_SECRET, TOKEN, running_sandbox_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from audiences.sandbox import AdminClient

BUCKET: Final = "audiences"
ONCE: Final = ("airflow-init", "airflow-bucket")
COMPONENTS: Final = (
    "airflow-apiserver",
    "airflow-scheduler",
    "airflow-dag-processor",
    "airflow-triggerer",
    "airflow-worker",
)
_READY_SECONDS: Final = 300


class Api(AirflowApi):
    """Airflow's REST API, with the logs of tasks."""

    def log_of(self, dag: str, run: str, task: str, map_index: int = -1, *, number: int = 1) -> str:
        """The log of a try of a task, the first unless said otherwise, as the page shows it."""
        path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/logs/{number}?map_index={map_index}"
        return json.dumps(self._call("GET", path, headers={"Accept": "application/json"}))


@dataclass
class Cluster:
    """Everything that runs."""

    containers: Containers
    postgres: Postgres
    sandbox: AdminClient
    store: S3
    machines: dict[str, Machine] = field(default_factory=dict)

    @cached_property
    def api(self) -> Api:
        return Api(f"http://{HOST}:{self.containers.port('airflow-apiserver:8080')}", timeout=20)

    def rows(self, database: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of `warehouse`, `ledger` or `airflow`; none where the statement has no rows."""
        with psycopg.connect(self.postgres.uri(database), autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """As `docker compose up`: what others wait for, then what runs once, then all components."""
        self.rows(
            "airflow", f"create role airflow login superuser password '{self.containers.given['POSTGRES_PASSWORD']}'"
        )
        self._new("redis", "redis").start()
        self.wait_until(lambda: self.is_healthy("redis"), 30, "Redis is not healthy")
        for name in ONCE:
            self._new(name, name).start()
        self._place_store()  # for which the bucket waits
        for name in ONCE:
            self.machines[name].finish(_READY_SECONDS)
        for service in COMPONENTS:
            for number in range(1, replicas(service) + 1):
                self._new(service, f"{service}-{number}").start()
        self.wait_until(self._is_ready, _READY_SECONDS, "Airflow is not ready")
        self.api.log_in("admin", self.containers.given["AIRFLOW_ADMIN_PASSWORD"])

    def of(self, service: str) -> list[Machine]:
        """Its machines that are up."""
        return [machine for name, machine in self.machines.items() if name.startswith(service) and machine.is_up]

    def is_healthy(self, name: str) -> bool:
        """What the health check of a machine's service says, run on it."""
        command = self.containers.health_check(name.rstrip("-0123456789"), self.machines[name])
        return self.machines[name].run(command).returncode == 0

    def checked(self) -> list[str]:
        """The machines that have a health check here: not those that ran once, and not the store, whose server is another."""
        return [name for name in self.machines if name not in (*ONCE, "object-store")]

    def wait_until(self, holds: Callable[[], bool], seconds: float, what: str, *, every: float = 0.5) -> None:
        """Ask again and again until it holds; an Airflow that does not answer has not said yes."""
        until = time.monotonic() + seconds
        while not self._answers(holds):
            assert time.monotonic() < until, f"{what} after {seconds:.0f} s"
            time.sleep(every)

    def is_listening(self, worker: Machine) -> bool:
        """Whether a worker that was started has told Redis that it takes tasks."""
        return worker.is_up and " ready." in worker.log.read_text(errors="replace")

    def stop(self) -> None:
        for machine in self.machines.values():
            machine.kill()

    def _answers(self, holds: Callable[[], bool]) -> bool:
        try:
            return holds()
        except AirflowApiError as error:
            if error.status is not None and error.status < 500:
                raise
            return False

    def _is_ready(self) -> bool:
        for name, machine in self.machines.items():
            if name not in ONCE:
                machine.check()
        return self.api.is_ready() and all(map(self.is_listening, self.of("airflow-worker")))

    def _new(self, service: str, name: str) -> Machine:
        self.machines[name] = self.containers.machine(service, name)
        return self.machines[name]

    def _place_store(self) -> None:
        home = self.containers.folder / "object-store"
        home.mkdir()
        ports = str(self.containers.port("object-store:7070")), str(self.store.port)
        command = [sys.executable, "-m", "tests.distributed.forward", *ports]
        log = self.containers.folder / "object-store.log"
        self.machines["object-store"] = Machine("object-store", home, {"PYTHONPATH": str(PROJECT)}, command, log)
        self.machines["object-store"].start()


def _given(server: Postgres, sandbox_url: str) -> dict[str, str]:
    """What a user writes into .env."""
    extra = {"app_id": APP_ID, "app_secret": APP_SECRET, "access_token": TOKEN, "account_id": ACCOUNT}
    facebook = Connection(id="facebook_main", extra={**extra, "graph_url": sandbox_url})
    return {
        **{name: f"{name.lower().replace('_', '')}1" for name in required()},
        "AIRFLOW_FERNET_KEY": "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
        "AIRFLOW_JWT_SECRET": "tokens" * 12,
        "AIRFLOW_API_SECRET_KEY": "sessions" * 8,
        "AIRFLOW_CONN_WAREHOUSE": str(server.tcp_uri("warehouse")),
        "AIRFLOW_CONN_LEDGER": str(server.tcp_uri("ledger")),
        "AIRFLOW_CONN_FACEBOOK_MAIN": facebook_connection(facebook),
        "WORKER_CONCURRENCY": "2",  # so that four shards need both workers
    }


@contextmanager
def running_cluster(files: Mapping[str, str]) -> Iterator[Cluster]:
    """Have it all run over these files of the project, by name; every process is gone at the end."""
    with ExitStack() as opened:
        name = opened.enter_context(TemporaryDirectory(prefix="audiences-distributed-", ignore_cleanup_errors=True))
        folder = Path(name)
        for file, text in files.items():
            (folder / "project" / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / "project" / file).write_text(text)
        ports = Ports()
        opened.callback(ports.close)
        server = opened.enter_context(
            running_postgres(
                folder / "postgres", tcp_port=ports.take("Postgres", 21_000), kept=False, settings={"fsync": "off"}
            )
        )
        for database in ("airflow", "warehouse", "ledger"):
            server.create_database(database)
        sandbox = opened.enter_context(running_sandbox_process(0, folder / "facebook.sqlite"))
        store = S3()
        store.start()
        opened.callback(store.stop)
        containers = Containers(folder, folder / "project", _given(server, sandbox.url), server.port, ports)
        cluster = Cluster(containers, server, sandbox.admin, store)
        opened.callback(cluster.stop)
        cluster.start()
        yield cluster

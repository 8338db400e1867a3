"""What a user has: a folder with the Compose file, `.env`, campaigns and include, and the containers that Compose makes of it.

Beside them run a warehouse and the sandbox (around.yml). Nothing of the driver's own is published: from this machine the
containers are reached by their addresses.
"""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg
from tests import compose_files
from tests.compose_files import PROJECT, interpolated
from tests.containers.engine import CommandError, run

from audiences.connections import Connection
from audiences.demo.airflow import AirflowApi, facebook_connection
from audiences.demo.ports import Ports
from audiences.sandbox.client import AdminClient
from audiences.sandbox.fixtures import ACCOUNT, APP_ID, APP_SECRET, TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.containers.engine import Engine

_AROUND: Final = PROJECT / "tests" / "containers" / "around.yml"
CAMPAIGNS: Final = ("plain", "disturbed", "upgraded")
_POLL_SECONDS: Final = 1.0
_TAIL_LINES: Final = "40"


class NotHealthyError(Exception):
    """Containers are not what they should be in time; the text says which, and what they are."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container as `docker inspect` tells; `health` is `none` where its file asks for no check."""

    id: str
    name: str
    service: str
    state: str
    health: str
    exit_code: int
    process: int
    address: str
    ports: dict[str, list[dict[str, str]] | None] = field(hash=False)

    @property
    def is_well(self) -> bool:
        """Healthy, or over with success, or running without a check."""
        if self.state == "exited":
            return self.exit_code == 0
        return self.state == "running" and self.health in ("healthy", "none")


class Installation:
    """A Compose project of its own; `compose_file` is the name of one in the project's folder."""

    def __init__(self, engine: Engine, folder: Path, compose_file: str) -> None:
        self.engine, self.folder, self.compose_file = engine, folder, compose_file
        self.services = compose_files.services(compose_file)
        built = [one for one in self.services.values() if "build" in one]
        self.image: str = built[0]["image"]
        self.build_arguments: dict[str, str] = {
            name: interpolated(value, {}) for name, value in built[0]["build"].get("args", {}).items()
        }
        for file in compose_files.files(compose_file):
            shutil.copy(PROJECT / file, folder)
        for name in ("campaigns", "include"):
            shutil.copytree(PROJECT / name, folder / name)
        _write_campaigns(folder / "campaigns")
        self._ports = Ports()
        self.port = self._ports.take("Airflow", 18_080)  # Far from where demos and tests listen.
        needed = {name for name, operator, _ in compose_files.variables(compose_file) if operator == "?"}
        self.required = sorted(needed)
        given = _values()
        self.values = {name: given[name] for name in self.required} | {"AIRFLOW_PORT": str(self.port)}
        self.write_values(self.values)

    @property
    def images(self) -> set[str]:
        """The names of all images that the file asks for."""
        return {one["image"] for one in self.services.values()}

    def write_values(self, values: dict[str, str]) -> None:
        """Write `.env`, which has the secrets."""
        (self.folder / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))

    def compose(self, *arguments: str, around: bool = True) -> str:
        """The output of a command of Compose; without `around` it sees the user's file alone."""
        files = [f"--file={self.compose_file}"] + ([f"--file={_AROUND}"] if around else [])
        ours = {"SANDBOX_IMAGE": self.image, "WAREHOUSE_PASSWORD": self.values["POSTGRES_PASSWORD"]}
        command = [*self.engine.compose, "--project-name=audiences", f"--project-directory={self.folder}"]
        return run([*command, *files, *arguments], environment={**self.engine.environment, **ours}, folder=self.folder)

    def containers(self) -> list[Container]:
        """All there are, ended ones too."""
        label = "com.docker.compose.project=audiences"
        found = self.engine.docker("ps", "--all", "--quiet", "--no-trunc", f"--filter=label={label}").split()
        return [_container(one) for one in json.loads(self.engine.docker("inspect", *found))] if found else []

    def of(self, service: str) -> list[Container]:
        """The containers of a service."""
        return [one for one in self.containers() if one.service == service]

    def inside(self, container: Container, *command: str) -> str:
        """The output of a command in a container."""
        return self.engine.docker("exec", container.id, *command)

    def wait_until_well(self, *, seconds: float) -> float:
        """Wait until every container is well; the seconds that took. NotHealthyError names those that are not in time."""
        begun = time.monotonic()
        while True:
            found = self.containers()
            unwell = [one for one in found if not one.is_well]
            if found and not unwell:
                return time.monotonic() - begun
            broken = [one for one in unwell if one.state == "exited" and one.service.endswith("init")]
            if broken or time.monotonic() - begun > seconds:
                message = (
                    ", ".join(f"{one.name} is {one.state}/{one.health}" for one in unwell) or "there is no container"
                )
                raise NotHealthyError(message)
            time.sleep(_POLL_SECONDS)

    def remove(self) -> None:
        """Take all of it away: containers, networks, volumes."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout=5")

    def check_out(self, image: str) -> None:
        """Have the SQL texts in the folder that is mounted which a checkout of the version in the image has."""
        texts = self.folder / "include" / "sql"
        shutil.rmtree(texts)
        container = self.engine.docker("create", image).strip()
        try:
            self.engine.docker("cp", f"{container}:/opt/airflow/plugins/audiences/include_sql", str(texts))
        finally:
            self.engine.docker("rm", container)

    def ledger_revision(self) -> str:
        """The number of the last migration that the ledger has seen."""
        with psycopg.connect(self.database("postgres", "airflow").dsn(application="containers")) as connection:
            found = connection.execute("select version_num from audiences.alembic_version").fetchone()
        assert found
        return str(found[0])

    @property
    def url(self) -> str:
        """Where Airflow is published."""
        return f"http://127.0.0.1:{self.port}"

    def airflow(self) -> AirflowApi:
        """Its API at the published port, logged in as the admin."""
        api = AirflowApi(self.url, timeout=30)
        api.log_in("admin", self.values["AIRFLOW_ADMIN_PASSWORD"])
        return api

    def sandbox(self) -> AdminClient:
        """The admin API of the sandbox."""
        return AdminClient(f"http://{self.of('sandbox')[0].address}:8090")

    def database(self, service: str, name: str) -> Connection:
        """The connection to a database of a container, for code on this machine; its login has the database's name."""
        return Connection(
            id=service,
            host=self.of(service)[0].address,
            port=5432,
            login=name,
            password=self.values["POSTGRES_PASSWORD"],
            schema=name,
        )

    def logs(self) -> str:
        """The end of the log of every container that is not well, or of all if all are."""
        found = self.containers()
        shown = [one for one in found if not one.is_well] or found
        tails = []
        for one in shown:
            try:
                said = run(
                    ["bash", "-c", f"docker logs --tail {_TAIL_LINES} {one.id} 2>&1"],
                    environment=self.engine.environment,
                )
            except CommandError as error:
                said = str(error)
            tails.append(f"---- {one.name} ({one.state}/{one.health})\n{said}")
        return "\n".join(tails)


def _write_campaigns(folder: Path) -> None:
    """One sample under several names, each with an audience of its own: the first run of each has members to send."""
    text = (folder / "abandoned_cart.yml").read_text()
    for name in CAMPAIGNS:
        (folder / f"{name}.yml").write_text(text.replace("name: Abandoned_Cart_30_Days", f"name: {name}"))


def _values() -> dict[str, str]:
    """For `.env`, everything that has no default in one of the files."""
    password = secrets.token_hex(16)
    facebook = Connection(
        id="facebook_main",
        extra={
            "app_id": APP_ID,
            "app_secret": APP_SECRET,
            "access_token": TOKEN,
            "account_id": ACCOUNT,
            "graph_url": "http://sandbox:8090",
        },
    )
    return {
        "POSTGRES_PASSWORD": password,
        "AIRFLOW_JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW_API_SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW_ADMIN_PASSWORD": secrets.token_hex(16),
        "AIRFLOW_CONN_WAREHOUSE": f"postgresql://shop:{password}@warehouse:5432/shop",
        "AIRFLOW_CONN_LEDGER": f"postgresql://airflow:{password}@postgres:5432/airflow",
        "AIRFLOW_CONN_FACEBOOK_MAIN": facebook_connection(facebook),
        "REDIS_PASSWORD": secrets.token_hex(16),
        "OBJECT_STORE_KEY": secrets.token_hex(8),
        "OBJECT_STORE_SECRET": secrets.token_hex(16),
    }


def _container(found: dict[str, Any]) -> Container:
    networks = found["NetworkSettings"]["Networks"].values()
    return Container(
        id=found["Id"],
        name=found["Name"].lstrip("/"),
        service=found["Config"]["Labels"]["com.docker.compose.service"],
        state=found["State"]["Status"],
        health=found["State"].get("Health", {}).get("Status", "none"),
        exit_code=found["State"]["ExitCode"],
        process=found["State"]["Pid"],
        address=next((network["IPAddress"] for network in networks), ""),
        ports=found["NetworkSettings"]["Ports"] or {},
    )

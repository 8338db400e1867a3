"""A service of docker-compose.celery.yml as a pretended machine: its command with its environment, over the image's files.

What differs from a container: addresses are ports of this machine, and the image is a copy of the files that the
Dockerfile copies. In that copy shards and upload tasks are small, so that a run of a hundred thousand users has as many parts
as one of millions.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests import compose_files, image
from tests.compose_files import interpolated
from tests.distributed.machines import Machine

from audiences.demo.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE: Final = "docker-compose.celery.yml"
SERVICES: Final = compose_files.services(FILE)
HOST: Final = "127.0.0.1"
_IMAGE: Final = "/opt/airflow"
_SMALLER: Final = {
    "plugins/audiences/warehouse/reader.py": ("BATCH_BYTES = 4 * 1024 * 1024", "BATCH_BYTES = 1024 * 1024"),
    "plugins/audiences/pipeline/steps/extract.py": ("SHARD_ROWS = 1_000_000", "SHARD_ROWS = 25_000"),
    "plugins/audiences/pipeline/steps/put_on_record.py": ("FEWEST_PER_TASK = 20 ", "FEWEST_PER_TASK = 2 "),
}
# Each container has these to itself; here components would listen on the same.
_PORTS: Final = {
    "AIRFLOW__API__PORT": 8080,
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": 8974,
    "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": 8793,
    "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": 8794,
}
_PROGRAMS: Final = {
    "docker-entrypoint.sh": f'#!/bin/sh\nexec "$@" --bind {HOST} --port {{port}}\n',  # what the image of Redis has
    "redis-cli": f'#!/bin/sh\nexec {shutil.which("redis-cli")} -h {HOST} -p {{port}} "$@"\n',
}


def required() -> list[str]:
    """The variables without which the file refuses to start."""
    return sorted({name for name, operator, _ in compose_files.variables(FILE) if operator == "?"})


def replicas(service: str) -> int:
    return int(SERVICES[service].get("deploy", {}).get("replicas", 1))


@dataclass
class Containers:
    """Makes machines of services. `given` is what a user writes into .env; `project` has campaigns/ and include/."""

    folder: Path
    project: Path
    given: Mapping[str, str]
    postgres_port: int
    ports: Ports = field(default_factory=Ports)
    _taken: dict[str, int] = field(default_factory=dict)

    def port(self, address: str) -> int:
        """The port of this machine that stands for an address of the file, such as `redis:6379`."""
        if address not in self._taken:
            self._taken[address] = self.ports.take(address, 21_000)
        return self._taken[address]

    def machine(self, service: str, name: str) -> Machine:
        """A machine for one container of the service."""
        home = self.folder / "machines" / name
        home.mkdir(parents=True)
        content = SERVICES[service]
        own = self._of_redis(home) if service == "redis" else self._of_image(content, home, name)
        environment = {
            variable: self._here(interpolated(str(value), dict(self.given)), home)
            for variable, value in content["environment"].items()
        }
        command = content["command"]
        words = ["airflow", *command.split()] if isinstance(command, str) else command
        here = [self._here(interpolated(word, dict(self.given)), home) for word in words]
        return Machine(name, home, {**environment, **own}, here, self.folder / f"{name}.log")

    def health_check(self, service: str, machine: Machine) -> list[str]:
        """The command by which the file finds out whether a container of the service is healthy."""
        kind, *words = SERVICES[service]["healthcheck"]["test"]
        command = ["sh", "-c", *words] if kind == "CMD-SHELL" else words
        for variable, port in _PORTS.items():
            ours = machine.environment.get(variable)
            command = [word.replace(f"localhost:{port}", f"{HOST}:{ours}") for word in command]
        return [word.replace("$$", "$") for word in command]

    def _here(self, text: str, home: Path) -> str:
        """A value or word with the addresses and paths of containers replaced by those of this machine."""
        text = text.replace("@postgres/", f"@{HOST}:{self.postgres_port}/").replace(_IMAGE, str(home))
        for address in ("redis:6379", "object-store:7070", "airflow-apiserver:8080"):
            text = text.replace(address, f"{HOST}:{self.port(address)}")
        return text

    def _of_redis(self, home: Path) -> dict[str, str]:
        (home / "bin").mkdir()
        for name, text in _PROGRAMS.items():
            program = home / "bin" / name
            program.write_text(text.format(port=self.port("redis:6379")))
            program.chmod(0o755)
        return {}

    def _of_image(self, content: dict[str, Any], home: Path, name: str) -> dict[str, str]:
        """What the image, its mounts and the container's network bring."""
        image.laid_out(home, compiled=True)
        for file, (product, smaller) in _SMALLER.items():
            text = (home / file).read_text()
            assert text.count(product) == 1, file
            (home / file).write_text(text.replace(product, smaller))
        for volume in content["volumes"]:
            source, target, *_ = volume.split(":")
            inside = home / Path(target).relative_to(_IMAGE)
            if source.startswith("."):
                shutil.copytree(self.project / source, inside, dirs_exist_ok=True)
            else:  # the passwords, which are the one disk that is shared
                (self.folder / source).mkdir(exist_ok=True)
                inside.symlink_to(self.folder / source)
        ports = {variable: str(self.port(f"{name} {port}")) for variable, port in _PORTS.items()}
        ports["AIRFLOW__API__PORT"] = str(self.port("airflow-apiserver:8080"))
        paths = {"AIRFLOW_HOME": str(home), "PYTHONPATH": str(home / "plugins")}
        return {**paths, **ports, "AIRFLOW__API__HOST": HOST, "NO_PROXY": f"{HOST},localhost"}

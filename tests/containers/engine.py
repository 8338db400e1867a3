"""A container engine of our own: Debian's dockerd with its own data folder and socket, stopped at the end.

It needs root, since it mounts and makes networks. Where it cannot be had, NoEngineError says why: that is no fault of the
product's, and nothing is shown then.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from audiences.demo.progress import Progress

PROGRAMS: Final = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "docker-compose": "docker-compose",
    "mmdebstrap": "mmdebstrap",
}
"""What is called, and Debian's package that brings it. `docker compose` is taken instead of the third, if it is there."""
# Without these limits runc cannot start a container where the machine's own are lower.
_LIMITS: Final = ("--default-ulimit=nofile=4096:4096", "--default-ulimit=nproc=4096:4096")
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 60.0
_TAIL_LINES: Final = 25


class NoEngineError(Exception):
    """No engine can be had on this machine; the text says why."""


class CommandError(Exception):
    """A command ended with an error; the text has the command and the end of what it said."""


def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """The standard output of a command; CommandError with both outputs when it fails."""
    ended = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, errors="replace")
    if ended.returncode:
        said = "\n".join(f"{ended.stdout}\n{ended.stderr}".strip().splitlines()[-_TAIL_LINES:])
        message = f"`{' '.join(command)}` ended with exit code {ended.returncode}:\n{said}"
        raise CommandError(message)
    return ended.stdout


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine. `compose` is the command of Compose that there is."""

    environment: Mapping[str, str]
    compose: tuple[str, ...]

    def docker(self, *arguments: str) -> str:
        """The output of `docker ARGUMENTS`."""
        return run(["docker", *arguments], environment=self.environment)


@contextlib.contextmanager
def running_engine(folder: Path, progress: Progress) -> Iterator[Engine]:
    """Have an engine run that keeps images in `folder`; NoEngineError where none can be had."""
    if os.geteuid() != 0:
        message = "it needs root, to mount file systems and to make networks"
        raise NoEngineError(message)
    _install(progress)
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        yield from _engine(folder, progress)


def _engine(folder: Path, progress: Progress) -> Iterator[Engine]:
    if _stop(folder / "pid"):
        progress.note("stopped the engine that the last run left behind")
    if _answers({**os.environ, "DOCKER_HOST": "unix:///var/run/docker.sock"}):
        message = "another dockerd runs here, whose networks a second one would disturb"
        raise NoEngineError(message)
    # A socket's path must be short, so that it is not in the folder of a project that may lie deep.
    with tempfile.TemporaryDirectory(prefix="audiences-engine-") as short:
        environment = {
            **os.environ,
            "DOCKER_HOST": f"unix://{short}/docker.sock",
            "DOCKER_CONFIG": f"{short}/config",  # not the user's own, with logins of registries
            "DOCKER_BUILDKIT": "0",
        }
        try:
            _start(folder, Path(short), environment)
            version = run(["docker", "version", "--format", "{{.Server.Version}}"], environment=environment).strip()
            compose = _compose(environment)
            progress.done(f"dockerd {version} is up, with {' '.join(compose)} {_compose_version(compose, environment)}")
            yield Engine(environment=environment, compose=compose)
        finally:
            _stop(folder / "pid")
            _unmount(Path(short))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others off the folder; what a run leaves behind that was killed is then nobody's."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another run has its engine in {folder}"
            raise NoEngineError(message) from error
        yield


def _install(progress: Progress) -> None:
    missing = sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        message = f"there is no {', no '.join(missing)}, and no apt-get to install them with"
        raise NoEngineError(message)
    # No service is to be started: the engine is one of our own.
    apt = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    try:
        run(["apt-get", "update", "-qq"], environment=apt)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], environment=apt)
    except CommandError as error:
        message = f"{', '.join(missing)} cannot be installed: {str(error).splitlines()[-1]}"
        raise NoEngineError(message) from error
    progress.done(f"installed {', '.join(missing)}")


def _start(folder: Path, short: Path, environment: Mapping[str, str]) -> None:
    log = folder / "dockerd.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                "dockerd",
                f"--data-root={folder / 'data'}",
                f"--exec-root={short / 'exec'}",
                f"--pidfile={folder / 'pid'}",
                f"--host={environment['DOCKER_HOST']}",
                "--storage-driver=overlay2",
                "--bridge=none",  # Each installation makes a network of its own.
                *_LIMITS,
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us, who stop it in order.
        )
    until = time.monotonic() + _START_SECONDS
    while not _answers(environment):
        if process.poll() is not None or time.monotonic() > until:
            said = log.read_text(errors="replace").strip().splitlines()[-1:]
            message = f"dockerd does not start here: {' '.join(said)}"
            raise NoEngineError(message)
        time.sleep(0.2)
    probe = ["docker", "info", "--format", "{{.CgroupVersion}}"]
    if not run(probe, environment=environment).strip():
        message = "the machine has no cgroups"
        raise NoEngineError(message)


def _answers(environment: Mapping[str, str]) -> bool:
    return not subprocess.run(["docker", "version"], env=environment, capture_output=True).returncode


def _compose(environment: Mapping[str, str]) -> tuple[str, ...]:
    newer = ("docker", "compose")
    found = not subprocess.run([*newer, "version"], env=environment, capture_output=True).returncode
    return newer if found else ("docker-compose",)


def _compose_version(compose: tuple[str, ...], environment: Mapping[str, str]) -> str:
    return run([*compose, "version", "--short"], environment=environment).strip()


def _stop(pidfile: Path) -> bool:
    """Stop the engine whose id is in the file, if it is one; whether there was one."""
    try:
        number = int(pidfile.read_text())
        command = Path(f"/proc/{number}/cmdline").read_bytes()
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return False
    if f"--pidfile={pidfile}".encode() not in command.split(b"\0"):
        return False  # The number belongs to another process by now.
    os.kill(number, signal.SIGTERM)
    until = time.monotonic() + _STOP_SECONDS
    while _runs(number):
        if time.monotonic() > until:
            os.kill(number, signal.SIGKILL)
        time.sleep(0.1)
    return True


def _unmount(folder: Path) -> None:
    """The engine leaves the name of a network behind, as a mount."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        place = line.split()[1]
        if place.startswith(f"{folder}/"):
            run(["umount", place])


def _runs(number: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(number, os.WNOHANG)  # Ours would stay on record until asked for.
    return Path(f"/proc/{number}").exists()

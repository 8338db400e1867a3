"""Debian's pgbouncer in front of the tests' Postgres: what many production databases are reached through."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.demo.postgres import Postgres

ACCOUNT = "pgserver"  # under which the tests' Postgres runs when they run as root; neither server runs as root itself
_PORT = 6432
_SECONDS = 20.0


def program() -> str:
    """The path of pgbouncer; skips the test where it is not installed."""
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        pytest.skip("pgbouncer is not installed: apt-get install pgbouncer")
    return found


@contextmanager
def pgbouncer(postgres: Postgres, *, mode: str, **options: str) -> Iterator[tuple[str, int]]:
    """Run a pooler for all databases of the server, and give the folder of its socket and its port."""
    path = program()
    # Sessions of the pool are lent in turn, so that one transaction after the other meets another.
    settings = {"pool_mode": mode, "server_round_robin": "1", **_without_prepared(path), **options}
    with TemporaryDirectory(prefix="audiences-pool-", dir="/tmp") as name:  # short enough for a socket's path
        folder = Path(name)
        (folder / "users.txt").write_text('"postgres" ""\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={postgres.socket_directory} port={postgres.port}\n"
            f"[pgbouncer]\nlisten_addr =\nunix_socket_dir = {folder}\nlisten_port = {_PORT}\n"
            f"auth_type = trust\nauth_file = {folder}/users.txt\nlogfile = {folder}/log\n"
            + "".join(f"{key} = {value}\n" for key, value in settings.items())
        )
        as_another = os.geteuid() == 0
        if as_another:
            for each in (folder, *folder.iterdir()):
                shutil.chown(each, ACCOUNT)
        command = [path, "-q", *(["-u", ACCOUNT] if as_another else []), str(folder / "pgbouncer.ini")]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            _wait_for(folder, process)
            yield str(folder), _PORT
        finally:
            process.terminate()
            process.wait(_SECONDS)


def several_sessions(host: str, port: int, database: str) -> None:
    """Let the pool of a database have several idle sessions."""
    dsn = f"host={host} port={port} user=postgres dbname={database}"
    opened = [psycopg.connect(dsn, prepare_threshold=None) for _ in range(3)]
    for each in opened:
        each.execute("select 1")
    for each in opened:
        each.close()


def _without_prepared(path: str) -> dict[str, str]:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    version = tuple(map(int, re.findall(r"\d+", said)[:2]))
    return {"max_prepared_statements": "0"} if version >= (1, 21) else {}


def _wait_for(folder: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _SECONDS
    while not _listens(folder / f".s.PGSQL.{_PORT}"):
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < until, "pgbouncer does not start"
        time.sleep(0.02)


def _listens(path: Path) -> bool:
    """The socket's file is there a moment before anybody listens."""
    with socket.socket(socket.AF_UNIX) as asked:
        return asked.connect_ex(str(path)) == 0

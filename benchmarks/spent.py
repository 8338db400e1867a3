"""What processes cost: seconds by the clock and on processors, and their peak memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import psycopg

from benchmarks.builds import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command cost with all that it waited for, and what it wrote to standard output."""

    seconds: float
    cpu: float
    peak_mb: float
    output: str


def by_command(command: Sequence[str], environment: Mapping[str, str], *, may_fail: bool = False) -> Spent:
    """Run a command to its end. Raises SystemExit with the end of what it wrote when it fails, unless it `may_fail`."""
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        begun = time.perf_counter()
        process = subprocess.Popen(command, env=dict(environment), cwd=ROOT, stdout=output, stderr=errors)  # noqa: S603  # our own
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        told = output.read()
        if process.returncode and not may_fail:
            message = f"{' '.join(command)} failed:\n{told[-3000:]}{errors.read()[-3000:]}"
            raise SystemExit(message)
    # Linux gives KiB.
    return Spent(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, told)


def by_server(uri: str) -> float:
    """CPU seconds of the whole Postgres server behind a libpq URI, sessions that have ended included."""
    with psycopg.connect(uri) as connection:
        server = psutil.Process(connection.info.backend_pid).parent()
        return by_tree(server) if server is not None else 0.0


def workers(uri: str, database: str) -> int:
    """How many parallel workers Postgres, 18 or newer, has started so far for the queries in that database."""
    with psycopg.connect(uri) as connection:
        asked = "select parallel_workers_launched from pg_stat_database where datname = %s"
        return int((connection.execute(asked, (database,)).fetchone() or [0])[0])


def by_tree(process: psutil.Process) -> float:
    """CPU seconds of a process and of all below it, with those that have ended and were waited for."""
    return float(sum(process.cpu_times()[:4])) + below(process)


def below(process: psutil.Process) -> float:
    """The same without the process itself."""
    spent = 0.0
    for each in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            spent += sum(each.cpu_times()[:4])
    return spent

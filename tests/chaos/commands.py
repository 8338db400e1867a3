"""The command line as processes that can be killed, without paying for its imports at each start.

A server process imports the product once and forks for every command; the child is `audiences …` in everything but that.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACEBACK = 70
"""The exit code of a command that ended with an exception instead of a word."""
_LOOK_SECONDS = 0.02


@dataclass
class Command:
    """A command under way. `code` is its exit code, None for one that was killed."""

    name: str
    pid: int
    folder: Path
    code: int | None = None

    @property
    def runs(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> bool:
        """SIGKILL; whether there was something to kill."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return self.wait(10)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within that time."""
        until = time.monotonic() + seconds
        while self.runs:
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_SECONDS)
        code = self.folder / "code"
        self.code = int(code.read_text()) if code.exists() else None
        return True

    def result(self) -> dict[str, Any]:
        """The JSON object that ends its output; empty when it was killed before that."""
        lines = (self.folder / "out").read_text().splitlines()
        found: dict[str, Any] = json.loads(lines[-1]) if lines and self.code is not None else {}
        return found

    def errors(self) -> str:
        return (self.folder / "err").read_text()


class Commands:
    """Starts commands of one project."""

    def __init__(self, server: subprocess.Popen[str], environment: dict[str, str], folder: Path) -> None:
        self._server, self._environment, self._folder = server, environment, folder
        self._started = 0
        self._one_at_a_time = threading.Lock()

    def start(self, name: str, *arguments: str) -> Command:
        with self._one_at_a_time:
            return self._start(name, arguments)

    def _start(self, name: str, arguments: tuple[str, ...]) -> Command:
        self._started += 1
        folder = self._folder / f"{self._started:04d}-{name}"
        folder.mkdir(parents=True)
        order = {"arguments": ["audiences", *arguments], "environment": self._environment, "folder": str(folder)}
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return Command(name, int(self._server.stdout.readline()), folder)


@contextmanager
def forking(environment: dict[str, str], folder: Path) -> Iterator[Commands]:
    """A server that forks commands with this environment; their output goes to folders under `folder`."""
    full = {**os.environ, **environment}
    server = subprocess.Popen(
        [sys.executable, __file__], env=full, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Commands(server, environment, folder)
    finally:
        assert server.stdin
        assert server.stdout
        server.stdin.close()
        server.wait(20)
        server.stdout.close()


def _serve() -> None:
    """Fork for each line on standard input; answer with the child's process id."""
    import airflow.sdk
    import duckdb
    import pandas as pd
    import pyarrow.dataset
    from adbc_driver_postgresql import dbapi

    import audiences.cli
    import audiences.pipeline.preview
    import audiences.pipeline.run

    assert all((airflow.sdk, duckdb, pd, pyarrow.dataset, dbapi, audiences.cli, audiences.pipeline))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children, so none becomes a zombie
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _obey(json.loads(line))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def _obey(order: dict[str, Any]) -> None:
    """In the child: run the command, leave its exit code in a file, and never come back."""
    from audiences.cli import main

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    folder, code = Path(order["folder"]), 0
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(folder / name, os.O_CREAT | os.O_WRONLY), number)
    os.environ.update(order["environment"])
    sys.argv = order["arguments"]
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except Exception:  # noqa: BLE001  # the interpreter would print it, too
        sys.excepthook(*sys.exc_info())
        code = TRACEBACK
    sys.stdout.flush()
    sys.stderr.flush()
    (folder / "code").write_text(str(code))
    os._exit(0)


if __name__ == "__main__":
    _serve()

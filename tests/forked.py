"""Commands as processes of their own, which can be killed, without paying for their imports at each start.

A server process imports a program once and forks for every command; the child is `audiences …` or `airflow …` in everything
but that.
"""

from __future__ import annotations

import atexit
import importlib
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
    from collections.abc import Iterator, Mapping, Sequence

TRACEBACK = 70
"""The exit code of a command that ended with an exception instead of a word."""
_LOOK_SECONDS = 0.02
_ROOT = str(Path(__file__).parents[1])
_MAINS = {"audiences": "audiences.cli", "airflow": "airflow.__main__"}
OF_A_RUN = (
    "adbc_driver_postgresql.dbapi",
    "airflow.sdk",
    "audiences.pipeline.preview",
    "audiences.pipeline.run",
    "duckdb",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
)
"""What `audiences run` imports once it needs it."""


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
    """Starts commands of one program."""

    def __init__(
        self, server: subprocess.Popen[str], program: str, environment: Mapping[str, str], folder: Path
    ) -> None:
        self._server, self._program, self._environment, self._folder = server, program, environment, folder
        self._started = 0
        self._one_at_a_time = threading.Lock()

    def start(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Command:
        """Start the program with these arguments; its output goes to a folder called after `name`.

        With these variables of the environment, or else with those that all commands have.
        """
        return self._start(
            name, arguments=[self._program, *arguments], **({"environment": dict(environment)} if environment else {})
        )

    def said_by(self, *arguments: str, environment: Mapping[str, str], seconds: float) -> str:
        """What the program prints, whatever comes of it, with these variables of the environment."""
        return self._said(seconds, arguments=[self._program, *arguments], environment=dict(environment))

    def said_by_code(self, code: str, *arguments: str, environment: Mapping[str, str], seconds: float) -> str:
        """The same of Python code, which is executed as `python -c` does, with the program's modules imported already."""
        return self._said(seconds, arguments=["-c", *arguments], code=code, environment=dict(environment))

    def _said(self, seconds: float, **order: Any) -> str:
        command = self._start("said", together=True, **order)
        if not command.wait(seconds):
            command.kill()
        return (command.folder / "out").read_text()

    def _start(self, name: str, **order: Any) -> Command:
        with self._one_at_a_time:
            return self._ask(name, {"environment": dict(self._environment), **order})

    def _ask(self, name: str, order: dict[str, Any]) -> Command:
        self._started += 1
        folder = self._folder / f"{self._started:04d}-{name}"
        folder.mkdir(parents=True)
        order["folder"] = str(folder)
        assert self._server.stdin
        assert self._server.stdout
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        return Command(name, int(self._server.stdout.readline()), folder)


@contextmanager
def forking(
    program: str, environment: Mapping[str, str], folder: Path, *, imports: Sequence[str] = (), prepare: str = ""
) -> Iterator[Commands]:
    """A server that forks commands of a program of ours with this environment; their output goes to folders under `folder`.

    `imports` are modules that the program does not import before it needs them. `prepare` is code that the server executes
    once before it forks: what each command would make anew. It must start no thread and open nothing.
    """
    # -P: the folder of this file has an `airflow` in it.
    command = [sys.executable, "-P", __file__, _MAINS[program], prepare, *imports]
    server = subprocess.Popen(command, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Commands(server, program, environment, folder)
    finally:
        assert server.stdin
        assert server.stdout
        server.stdin.close()
        server.wait(20)
        server.stdout.close()


def _serve() -> None:
    """Fork for each line on standard input; answer with the child's process id."""
    sys.path.append(_ROOT)
    from tests.garbage import hold_collection, keep_what_is_there

    sys.path.remove(_ROOT)
    main = sys.argv[1]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # modules print when they are imported
    hold_collection()
    for module in (main, *sys.argv[3:]):
        importlib.import_module(module)
    exec(sys.argv[2], {})
    keep_what_is_there()  # so that no child looks at it, or copies its pages by looking
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children, so none becomes a zombie
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _obey(main, json.loads(line))
        answers.write(f"{child}\n")
        answers.flush()


def _obey(main: str, order: dict[str, Any]) -> None:
    """In the child: run the command, leave its exit code in a file, and never come back."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    folder, code = Path(order["folder"]), 0
    os.dup2(os.open(folder / "out", os.O_CREAT | os.O_WRONLY), 1)
    os.dup2(1 if order.get("together") else os.open(folder / "err", os.O_CREAT | os.O_WRONLY), 2)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = order["arguments"]
    try:
        if "code" in order:
            exec(order["code"], {"__name__": "__main__"})
        else:
            importlib.import_module(main).main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if isinstance(ended.code, str):
            sys.stderr.write(f"{ended.code}\n")
    except Exception:  # noqa: BLE001  # the interpreter would print it, too
        sys.excepthook(*sys.exc_info())
        code = TRACEBACK
    atexit._run_exitfuncs()  # a database that is closed writes what it has into its file
    sys.stdout.flush()
    sys.stderr.flush()
    (folder / "code").write_text(str(code))
    os._exit(0)


if __name__ == "__main__":
    _serve()

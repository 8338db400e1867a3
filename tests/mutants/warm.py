"""A process that has the libraries loaded already and forks for each run of pytest: a run begins in one second, not in four.

Its arguments are the names of the libraries; none of the product is among them, which is imported after the fork, with the fault
in it. It reads one line of JSON for each run, and answers with one: `code`, the exit code of pytest, null when
it had to be stopped, and `seconds`, the processor's time that it took.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

_TO_TEAR_DOWN_SECONDS = 20.0


def main() -> None:
    """Serve until the input ends."""
    for name in sys.argv[1:]:
        with contextlib.suppress(ImportError):  # not of every project's extras
            importlib.import_module(name)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_run(asked["arguments"], Path(asked["said"]), asked["seconds"])), flush=True)  # noqa: T201  # its answer


def _run(arguments: list[str], said: Path, seconds: float) -> dict[str, Any]:
    pid = os.fork()
    if pid == 0:
        _pytest(arguments, said)
    done = _wait(pid, seconds)
    if done is not None:
        return {"code": done[0], "seconds": done[1]}
    os.kill(pid, signal.SIGINT)  # pytest takes down what its fixtures started
    if _wait(pid, _TO_TEAR_DOWN_SECONDS) is None:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return {"code": None, "seconds": seconds}


def _pytest(arguments: list[str], said: Path) -> None:
    """The child: it never returns."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a process started in the background lacks
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for descriptor, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(source, descriptor)
    import pytest

    code = 70
    try:
        code = int(pytest.main(arguments))
    except BaseException:  # noqa: BLE001  # nobody above would print it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(pid: int, seconds: float) -> tuple[int, float] | None:
    until = time.monotonic() + seconds
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
        if time.monotonic() >= until:
            return None
        time.sleep(0.02)


if __name__ == "__main__":
    main()

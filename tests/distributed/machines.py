"""Pretended machines: each has a name, folders and processes of its own, and is gone at once with all of them."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AS_ROOT = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
# Host name and processes of its own. Whoever ends the first process ends them all, at once; and it ends with us.
_APART = ["unshare", *_AS_ROOT, "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
_WITH_US = ["setpriv", "--pdeathsig", "KILL"]
# The first process of a container is an init that waits for the others.
_BEGIN = 'hostname "$HOSTNAME"; "$@"'


@functools.cache
def can_be_pretended() -> bool:
    """Whether this system lets us have names and processes apart."""
    tried = subprocess.run([*_WITH_US, *_APART, "true"], capture_output=True, check=False)
    return tried.returncode == 0


@dataclass
class Machine:
    """One of them. `home` stands for the folder that a container has its files in, which is where its command runs."""

    name: str
    home: Path
    environment: Mapping[str, str]
    command: Sequence[str]
    log: Path
    first: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin, for the first time or again on what is in its folders."""
        assert not self.is_up
        (self.home / "tmp").mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.first = subprocess.Popen(
                [*_WITH_US, *_APART, "sh", "-c", _BEGIN, "sh", *self.command],
                cwd=self.home,
                env=self._variables(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def is_up(self) -> bool:
        return self.first is not None and self.first.poll() is None

    def check(self) -> None:
        """Raise AssertionError for one that should run and does not."""
        assert self.is_up, f"{self.name} has ended; the end of its log:\n{self.end_of_log()}"

    def finish(self, seconds: float) -> None:
        """Wait for a command that ends by itself."""
        assert self.first is not None
        assert self.first.wait(seconds) == 0, f"{self.name} failed; the end of its log:\n{self.end_of_log()}"

    def kill(self) -> None:
        """Take it away: no process of it does anything more."""
        if self.first is not None:
            members = self.processes()
            # Who is killed along with the first process is gone a moment later.
            for process in members:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self.first.kill()
            self.first.wait()
            psutil.wait_procs(members, timeout=10)

    def stop(self, seconds: float) -> None:
        """Ask its command to end, as `docker stop` does, and wait until it has: a worker ends its tasks first."""
        assert self.first is not None
        command = next(process for process in self.processes() if process.name() != "sh")
        command.terminate()
        self.first.wait(seconds)
        self.kill()

    def processes(self) -> list[psutil.Process]:
        """Those that run on it now, the first of its command among them."""
        with suppress(psutil.NoSuchProcess):
            if self.first is not None:
                found: list[psutil.Process] = psutil.Process(self.first.pid).children(recursive=True)
                return found
        return []

    def run(self, command: Sequence[str], seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command on it, as `docker exec` does; its output, whatever came of it."""
        inside = ["sh", "-c", _BEGIN, "sh", *command]
        apart = ["unshare", *_AS_ROOT, "--uts"]
        return subprocess.run(
            [*_WITH_US, *apart, *inside],
            cwd=self.home,
            env=self._variables(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def end_of_log(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]

    def _variables(self) -> dict[str, str]:
        path = [str(self.home / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        return {
            "PATH": os.pathsep.join(path),
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "HOSTNAME": self.name,
            "LANG": "C.UTF-8",
            **self.environment,
        }

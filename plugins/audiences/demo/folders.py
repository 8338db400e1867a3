"""The demo's folder: where everything it makes lies, and who is using it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.errors import FixAccessError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# As root the server has an account of its own, which must pass through the folder; one that a killed demo left still does.
_PASSED_BY_POSTGRES = 0o710


@dataclass(eq=False)
class DemoRunningError(FixAccessError):
    """Another demo uses the same folder."""

    folder: str
    process: str

    def __str__(self) -> str:
        return f"a demo is running in {self.folder} already (process {self.process}); end it with Ctrl-C first"


@dataclass(frozen=True, slots=True)
class DemoFolders:
    """A project, and the folder for what the demo makes; deleting that folder is a fresh start."""

    project: Path
    folder: Path

    @property
    def postgres(self) -> Path:
        """The embedded server's data."""
        return self.folder / "postgres"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME, with the logs of tasks."""
        return self.folder / "airflow"

    @property
    def logs(self) -> Path:
        """What each process prints."""
        return self.folder / "logs"

    @property
    def staging(self) -> Path:
        """The rows of the run that is made before Airflow is up."""
        return self.folder / "staging"

    @property
    def record(self) -> Path:
        """The process ids of what runs."""
        return self.folder / "processes.json"

    @property
    def exports(self) -> Path:
        """Variables to `source`."""
        return self.folder / "connections.sh"

    @contextlib.contextmanager
    def occupied(self) -> Iterator[None]:
        """Have the folder to ourselves; raises DemoRunningError. A killed process holds it no longer.

        It and what is in it are nobody else's business: there are passwords, tokens and rows of users.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                raise DemoRunningError(folder=str(self.folder), process=lock.read() or "unknown") from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            # Not before: whoever is there may have let the account of Postgres into it.
            for folder in (self.folder, self.airflow, self.logs, self.staging):
                folder.mkdir(exist_ok=True)
                if stat.S_IMODE(folder.stat().st_mode) not in {0o700, _PASSED_BY_POSTGRES}:
                    folder.chmod(0o700)
            yield

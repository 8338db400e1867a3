"""Child processes that end with us: on an error, on Ctrl-C, on SIGTERM, and at the next start after a SIGKILL."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from audiences.demo import signals
from audiences.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_PATIENCE_SECONDS = 15.0  # An idle Airflow takes four to end by itself.
_POLL_SECONDS = 0.2
_TAIL_LINES = 25


@dataclass(eq=False)
class ChildEndedError(FailedError):
    """A process that should go on, or end well, did not."""

    name: str
    code: int
    log: str
    tail: str

    def __str__(self) -> str:
        return f"{self.name} ended with exit code {self.code}; the end of {self.log}:\n{self.tail}"


@dataclass(eq=False)
class NotReadyError(FailedError):
    """A process runs but did not answer in time."""

    name: str
    seconds: float
    log: str

    def __str__(self) -> str:
        return f"{self.name} was not ready after {self.seconds:.0f} s; see {self.log}"


@dataclass(frozen=True, slots=True)
class Child:
    """A started process, leader of a session of its own, with both outputs in `log`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raise ChildEndedError when the process is gone."""
        code = self.process.poll()
        if code is not None:
            raise self._ended(code)

    def listens_on(self, port: int) -> bool:
        """Whether it is this process, or one of its children, that answers at the port, and not a stranger who was faster."""
        for member in _members([self.process.pid]):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                listening = (one for one in member.net_connections(kind="tcp") if one.status == psutil.CONN_LISTEN)
                if any(one.laddr.port == port for one in listening):
                    return True
        return False

    def _ended(self, code: int) -> ChildEndedError:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        return ChildEndedError(name=self.name, code=code, log=str(self.log), tail=tail)

    def finish(self) -> None:
        """Wait for a process that is to end by itself; raise ChildEndedError unless its exit code is 0."""
        code = self.process.wait()
        if code != 0:
            raise self._ended(code)

    def wait_ready(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Ask `ready` until it says yes; raise ChildEndedError or NotReadyError when it never does."""
        until = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > until:
                raise NotReadyError(name=self.name, seconds=seconds, log=str(self.log))
            time.sleep(_POLL_SECONDS)


class Children:
    """The processes we started, on record in a file, so that a later start finds what a killed one left behind."""

    def __init__(self, *, record: Path, logs: Path, patience: float = _PATIENCE_SECONDS) -> None:
        self._record = record
        self._patience = patience
        self._logs = logs
        self._children: list[Child] = []

    def start(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> Child:
        """Start `command` in `folder`; from the main thread, which gets the signals."""
        log = self._logs / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output, signals.held_back():
            process = subprocess.Popen(  # noqa: S603  # commands are made here, from no outside word
                list(command),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            child = Child(name=name, process=process, log=log)
            self._children.append(child)
            self._write_record()
        return child

    @property
    def started(self) -> tuple[Child, ...]:
        """All of them, those that have ended too."""
        return tuple(self._children)

    def check(self) -> None:
        """Raise ChildEndedError when one of the processes ended badly."""
        for child in list(self._children):
            if child.process.poll() not in (None, 0):
                child.check()

    def stop(self) -> None:
        """End all of them: SIGTERM to each session, SIGKILL to what remains after `patience` seconds."""
        _stop_sessions([child.process.pid for child in self._children], patience=self._patience)
        for child in self._children:
            child.process.wait()
        self._record.unlink(missing_ok=True)

    def _write_record(self) -> None:
        known = []
        for child in self._children:
            with contextlib.suppress(psutil.NoSuchProcess):
                started = psutil.Process(child.process.pid).create_time()
                known.append({"name": child.name, "pid": child.process.pid, "started": started})
        draft = self._record.with_suffix(".new")
        draft.write_text(json.dumps(known))
        draft.replace(self._record)


def stop_leftovers(record: Path) -> list[str]:
    """Stop what a killed demo left running, by the process ids and start times on record; give the names."""
    try:
        known = json.loads(record.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return []
    left = [entry for entry in known if _is_ours(entry["pid"], started=entry["started"])]
    _stop_sessions([entry["pid"] for entry in left], patience=_PATIENCE_SECONDS)
    record.unlink(missing_ok=True)
    return [entry["name"] for entry in left]


def _is_ours(pid: int, *, started: float) -> bool:
    """Whether the session that `pid` led is still there and still ours.

    A number is not given out again while a session of that number has members: with the leader gone, members
    can only be the leader's; with a leader of another start time, the number went to somebody else.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        if abs(psutil.Process(pid).create_time() - started) > 1.0:
            return False
    return any(True for _ in _members([pid]))


def _members(sessions: Sequence[int]) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            if os.getsid(process.pid) in sessions and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _stop_sessions(sessions: Sequence[int], *, patience: float) -> None:
    """By session and not by process group: Airflow gives its task processes groups of their own."""
    if not sessions:
        return
    members = list(_members(sessions))
    for process in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    psutil.wait_procs(members, timeout=patience)
    for process in _members(sessions):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()

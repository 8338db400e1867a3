"""Starts and stops the sandbox: in this process for good, in a thread for a test, or as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

import audiences
from audiences.errors import FixAccessError
from audiences.sandbox.client import AdminClient
from audiences.sandbox.store import StateFile, Store
from audiences.sandbox.web_application import create_app
from audiences.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
READY = "Sandbox listening on "
_START_SECONDS = 30


@dataclass(eq=False)
class SandboxStartError(FixAccessError):
    """The sandbox cannot start: its port is taken, or its state file is something else."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}. {self.remedy}"


class _Protocol(HttpToolsProtocol):
    """Hands the connection to the application, whose faults cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


class _Server(uvicorn.Server):
    """Tells when it is up, and ends in good order on a signal instead of dying of it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class SandboxServer:
    """One sandbox: `start` and `stop` run it in a thread, `run` in the calling one until a signal ends it.

    The port is bound at once, so that `url` is known and a taken port is an error before anything starts.
    """

    def __init__(self, *, port: int = 0, host: str = HOST, state: Path | None = None) -> None:
        world = World()
        self._store = _open_store(state, world)
        try:
            self._socket = _bind(host, port)
        except SandboxStartError:
            self._store.close()
            raise
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._socket.getsockname()[1]}"
        self.admin = AdminClient(self.url)
        config = uvicorn.Config(
            create_app(world, self._store, host),
            http=_Protocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,  # the application's own clock can be moved
            # Requests that hang on purpose are not waited for.
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self.run, name="sandbox", daemon=True)

    def run(self) -> None:
        """Serve until stopped; closes the state file."""
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._socket.close()
            self._store.close()

    def start(self) -> SandboxServer:
        self._thread.start()
        if not self._server.up.wait(_START_SECONDS):
            what = f"the sandbox did not start within {_START_SECONDS} s"
            raise SandboxStartError(what, "See its log.")
        return self

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self.admin.close()


def _bind(host: str, port: int) -> socket.socket:
    if not host.strip():  # the system would take it for every address of the machine
        what = "the sandbox was given no host to listen on"
        raise SandboxStartError(what, "Leave --host out for this machine alone, or name an address.")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=2048)
        # asyncio sets this only on sockets made with IPPROTO_TCP; without it each answer waits 40 ms for a delayed ACK.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        what = f"the sandbox cannot listen on {host}:{port}: {error.strerror}"
        raise SandboxStartError(what, "Choose another port with --port; 0 picks a free one.") from None
    return listener


def _open_store(path: Path | None, world: World) -> Store:
    if path is None:
        return Store()
    connection = None
    try:
        _keep_private(path)
        # The thread that serves is another one than this, and the only one to use the connection from then on.
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        store = StateFile(connection)
        store.load(world)
    except (OSError, sqlite3.Error, ValueError, KeyError) as error:
        if connection is not None:
            connection.close()
        what = f"the state file {path} cannot be used: {error}"
        raise SandboxStartError(what, "Name another file, or delete this one to start afresh.") from None
    return store


def _keep_private(path: Path) -> None:
    """Make the file, or one that is there, its owner's alone: it holds tokens. SQLite gives its side files the same mode."""
    path.touch(mode=0o600)
    if path.stat().st_uid == os.geteuid():
        path.chmod(0o600)


def serve(port: int, host: str = HOST, state: Path | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM; prints the address once it listens. Raises SandboxStartError."""
    server = SandboxServer(port=port, host=host, state=state)
    sys.stdout.write(f"{READY}{server.url}\n")
    sys.stdout.flush()
    server.run()


@contextmanager
def running_sandbox(port: int = 0, state: Path | None = None) -> Iterator[SandboxServer]:
    """A sandbox in a thread of this process, on a free port unless one is given."""
    server = SandboxServer(port=port, state=state).start()
    try:
        yield server
    finally:
        server.stop()


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A sandbox that runs as a process of its own."""

    url: str
    pid: int
    admin: AdminClient


@contextmanager
def running_sandbox_process(port: int = 0, state: Path | None = None) -> Iterator[SandboxProcess]:
    """A sandbox in a process of its own, as `audiences sandbox` starts it; ended by SIGTERM."""
    command = [sys.executable, "-m", "audiences.sandbox", "--port", str(port)]
    command += ["--state", str(state)] if state else []
    environment = os.environ | {"PYTHONPATH": str(Path(audiences.__file__).parents[1])}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603  # our own module
    assert process.stdout is not None  # noqa: S101  # PIPE was asked for; this tells the type checker
    try:
        line = process.stdout.readline()
        if not line.startswith(READY):
            what = "the sandbox process ended at once"
            raise SandboxStartError(what, "Its error output says why.")
        url = line.removeprefix(READY).strip()
        with AdminClient(url) as admin:
            yield SandboxProcess(url, process.pid, admin)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()

"""The demo as a person runs it. That it ends well is `make demo ARGS=--once`; here it is interrupted."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


class RunningDemo:
    """A demo in a process of its own; what it prints is collected."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "audiences.demo", "--project", PROJECT, "--directory", folder],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": "plugins"},
            cwd=PROJECT,
        )
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._news:
                self.printed.append(line)
                self._news.notify_all()

    @property
    def output(self) -> str:
        return "".join(self.printed)

    def says(self, words: str) -> bool:
        """Wait until it has printed the words."""
        with self._news:
            return self._news.wait_for(lambda: words in self.output, timeout=120)

    def starts(self, *names: str) -> set[int]:
        """Wait until it has started these processes; the sessions of all that it has started."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):
                known = json.loads((self.folder / "processes.json").read_text())
                if set(names) <= {entry["name"] for entry in known}:
                    return {entry["pid"] for entry in known}
            time.sleep(0.1)
        raise AssertionError(self.output)

    def moved_ports(self) -> list[str]:
        """What it has said of ports that others use, without the time at which it said so."""
        return [line.partition("•")[2] for line in self.printed if "is taken" in line]

    def ends(self) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(timeout=150)
        self._reader.join()
        self.process.stdout.close()
        return code


@pytest.fixture
def start(folder):
    running = []

    def start() -> RunningDemo:
        running.append(RunningDemo(folder / "demo"))
        return running[-1]

    yield start
    for demo in running:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.ends()


def members(sessions: set[int]) -> list[int]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(pid) in sessions:
                found.append(pid)
    return found


def test_a_second_demo_in_the_same_folder_is_refused_and_the_first_when_interrupted_leaves_nothing_running(start):
    demo = start()
    sessions = demo.starts("sandbox", "airflow-db-migrate")
    assert members(sessions)
    second = start()
    assert second.ends() == 1
    assert f"(process {demo.process.pid})" in second.output
    demo.process.send_signal(signal.SIGINT)
    assert demo.ends() == 0, demo.output
    assert members(sessions) == []
    assert not (demo.folder / "postgres" / "data" / "postmaster.pid").exists()


def test_a_killed_demo_is_cleaned_up_by_the_next_which_when_terminated_leaves_nothing_running(start):
    killed = start()
    sessions = killed.starts("sandbox", "airflow-db-migrate")
    killed.process.kill()
    killed.ends()
    assert members(sessions)
    following = start()
    assert following.says("stopped what the last demo left behind: sandbox, ")
    # The migration may have come to its own end before the next demo looked.
    (told,) = [line for line in following.printed if "left behind" in line]
    assert told.rstrip().endswith(", Postgres")
    assert members(sessions) == []
    sessions = following.starts("sandbox")
    assert following.moved_ports() == killed.moved_ports()
    assert members(sessions)
    following.process.send_signal(signal.SIGTERM)
    assert following.ends() == 143, following.output
    assert members(sessions) == []
    assert not (following.folder / "postgres" / "data" / "postmaster.pid").exists()

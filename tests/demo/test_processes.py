from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from audiences.demo.processes import ChildEndedError, Children, NotReadyError, stop_leftovers

# Starts a grandchild in a process group of its own, as Airflow does for each task, and says its number.
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], process_group=0)
print(child.pid, flush=True)
time.sleep(100)
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(100)"
)


@pytest.fixture
def children(tmp_path):
    children = Children(record=tmp_path / "processes.json", logs=tmp_path / "logs")
    yield children
    children.stop()


def start(children: Children, code: str, *, name: str = "child"):
    return children.start(name, [sys.executable, "-c", code], environment=os.environ, folder=Path.cwd())


def first_line(log: Path) -> str:
    deadline = time.monotonic() + 20
    while not (log.exists() and "\n" in log.read_text()):
        assert time.monotonic() < deadline, "the process said nothing"
        time.sleep(0.02)
    return log.read_text().splitlines()[0]


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_stopping_reaches_grandchildren_in_groups_of_their_own(children, tmp_path):
    child = start(children, PARENT)
    grandchild = int(first_line(child.log))
    children.stop()
    assert child.process.poll() is not None
    assert is_gone(grandchild)
    assert not (tmp_path / "processes.json").exists()


def test_process_deaf_to_sigterm_is_killed(tmp_path):
    children = Children(record=tmp_path / "processes.json", logs=tmp_path / "logs", patience=0.3)
    child = start(children, STUBBORN)
    assert first_line(child.log) == "deaf"
    children.stop()
    assert child.process.returncode == -signal.SIGKILL


LISTENER = """
import os, socket, time
if os.fork():
    time.sleep(100)
with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.listen()
    print(server.getsockname()[1], flush=True)
    time.sleep(100)
"""


def test_an_answer_from_somebody_else_at_its_port_is_not_taken_for_its_own(children):
    child, stranger = start(children, "import time; time.sleep(100)"), start(children, LISTENER, name="stranger")
    port = int(first_line(stranger.log))
    assert stranger.listens_on(port)
    assert not child.listens_on(port)


def test_early_end_shows_the_end_of_the_log(children):
    child = start(children, "import sys; print('the port is taken'); sys.exit(3)", name="sandbox")
    with pytest.raises(ChildEndedError, match=r"(?s)sandbox ended with exit code 3.*the port is taken"):
        child.wait_ready(lambda: False, seconds=20)
    with pytest.raises(ChildEndedError):
        children.check()


def test_finish_tells_success_from_failure(children):
    start(children, "pass").finish()
    with pytest.raises(ChildEndedError):
        start(children, "raise SystemExit(1)").finish()


def test_waiting_ends_when_the_answer_never_comes(children):
    with pytest.raises(NotReadyError):
        start(children, "import time; time.sleep(100)").wait_ready(lambda: False, seconds=0.1)


def test_leftovers_of_a_killed_demo_are_stopped_with_their_children(tmp_path):
    code = f"""
import os, time
from pathlib import Path
from audiences.demo.processes import Children
children = Children(record=Path({str(tmp_path)!r}) / "processes.json", logs=Path({str(tmp_path)!r}) / "logs")
children.start("child", [{sys.executable!r}, "-c", {PARENT!r}], environment=os.environ, folder=Path.cwd())
time.sleep(100)
"""
    demo = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": "plugins"})
    grandchild = int(first_line(tmp_path / "logs" / "child.log"))
    demo.kill()
    demo.wait()
    assert not is_gone(grandchild)
    # The leader may be gone already, and only what it started still runs.
    os.kill(json.loads((tmp_path / "processes.json").read_text())[0]["pid"], signal.SIGKILL)
    assert stop_leftovers(tmp_path / "processes.json") == ["child"]
    assert is_gone(grandchild)
    assert stop_leftovers(tmp_path / "processes.json") == []


def test_stranger_who_got_the_number_is_left_alone(tmp_path):
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"], start_new_session=True)
    try:
        record = tmp_path / "processes.json"
        record.write_text(json.dumps([{"name": "child", "pid": stranger.pid, "started": time.time() - 1_000}]))
        assert stop_leftovers(record) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_torn_record_is_no_obstacle(tmp_path):
    record = tmp_path / "processes.json"
    record.write_text('[{"name": "chi')
    assert stop_leftovers(record) == []

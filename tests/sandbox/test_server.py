"""Starting and stopping."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest
import requests

from audiences.sandbox import AUDIENCE, running_sandbox, running_sandbox_process
from audiences.sandbox.server import READY, SandboxServer, SandboxStartError

pytestmark = pytest.mark.integration


def run(*arguments, module=("audiences.sandbox",)):
    command = [sys.executable, "-m", *module, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_sandboxes_live_side_by_side(graph_at, rows):
    with running_sandbox() as one, running_sandbox() as other:
        graph_at(one.url).upload(AUDIENCE, rows(3))
        assert (len(one.admin.members(AUDIENCE)), len(other.admin.members(AUDIENCE))) == (3, 0)


def test_a_taken_port_is_an_error_that_names_the_port(sandbox):
    port = int(sandbox.url.rpartition(":")[2])
    with pytest.raises(SandboxStartError, match=f"cannot listen on 127.0.0.1:{port}.*--port"), running_sandbox(port):
        pass
    with run("--port", str(port)) as process:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 1
        assert f"127.0.0.1:{port}" in error
        assert "Traceback" not in error


def test_an_empty_host_is_not_every_address_of_the_machine():
    with pytest.raises(SandboxStartError, match="no host to listen on"):
        SandboxServer(host="")


def test_a_process_says_where_it_listens_and_ends_on_a_signal():
    for number in (signal.SIGTERM, signal.SIGINT):
        with run("--port", "0") as process:
            url = process.stdout.readline().removeprefix(READY).strip()
            assert requests.get(url, timeout=20).ok
            os.kill(process.pid, number)
            _, error = process.communicate(timeout=60)
            assert (process.returncode, error) == (0, "")


def test_a_sandbox_can_be_a_process_of_its_own(graph_at, rows):
    with running_sandbox_process() as process:
        assert graph_at(process.url).upload(AUDIENCE, rows(3)).ok
        assert len(process.admin.members(AUDIENCE)) == 3


def test_a_hanging_request_does_not_keep_the_sandbox_alive(graph_at):
    with running_sandbox() as server:
        server.admin.add_fault("hang", seconds=500)
        with pytest.raises(requests.ReadTimeout):
            requests.get(f"{server.url}/v26.0/me", timeout=0.2)


def test_a_client_that_goes_away_in_the_middle_of_its_body_changes_nothing(sandbox, admin):
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = (f"POST /v26.0/{AUDIENCE}/users HTTP/1.1", "Host: x", "Content-Length: 1000", "", '{"payload": ')
        connection.sendall("\r\n".join(head).encode())
    for _ in range(100):
        entry = admin.requests()[-1:] or [{"ms": 0}]
        if entry[0]["ms"]:
            break
    assert (entry[0]["status"], entry[0]["applied"]) == (None, False)
    assert admin.members(AUDIENCE) == []


@pytest.mark.parametrize("module", [("audiences.sandbox",), ("audiences.cli", "sandbox")], ids=" ".join)
def test_both_commands_take_the_same_options(module, tmp_path):
    state = tmp_path / "state.db"
    with run("--host", "127.0.0.2", "--port", "0", "--state", str(state), module=module) as process:
        url = process.stdout.readline().removeprefix(READY).strip()
        assert url.startswith("http://127.0.0.2:")
        assert requests.get(f"{url}/__admin/state", timeout=20).ok
        process.terminate()
        _, error = process.communicate(timeout=60)
        assert (process.returncode, error) == (0, "")
    assert state.exists()


def test_an_ipv6_address_can_be_listened_on():
    server = SandboxServer(host="::1").start()
    try:
        assert server.url.startswith("http://[::1]:")
        assert server.admin.state()["requests"] == []
    finally:
        server.stop()


def test_a_state_file_is_its_owners_alone_with_its_side_files_and_when_it_was_not(tmp_path):
    state = tmp_path / "state.db"
    for _ in range(2):
        with running_sandbox(state=state):
            found = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
            assert set(found.values()) == {"0o600"}, found
            assert "state.db" in found
        state.chmod(0o644)
    (tmp_path / "folder").mkdir()
    with pytest.raises(SandboxStartError, match="cannot be used"), running_sandbox(state=tmp_path / "folder"):
        pass

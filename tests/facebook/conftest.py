"""Sessions against prepared answers (`graph`, with `scripted`) and against the sandbox (`sandboxed`, with `sandbox`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.facebook.scripted import TOKEN, FakeTime, ScriptedGraph

from audiences.facebook.credentials import Credentials
from audiences.facebook.session import GraphSession
from audiences.sandbox import ACCOUNT, APP_ID, APP_SECRET, SandboxServer, running_sandbox
from audiences.sandbox import TOKEN as SANDBOX_TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def scripted() -> Iterator[ScriptedGraph]:
    graph = ScriptedGraph()
    yield graph
    graph.close()


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def graph(scripted: ScriptedGraph, time: FakeTime) -> Iterator[GraphSession]:
    credentials = Credentials(TOKEN, "1", "app-secret", "act_42", scripted.url)
    with GraphSession(credentials, timeouts=(2.0, 2.0), sleep=time.sleep, clock=time.clock) as session:
        yield session


@pytest.fixture(scope="package")
def sandbox_server() -> Iterator[SandboxServer]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_server: SandboxServer) -> SandboxServer:
    sandbox_server.admin.reset()
    sandbox_server.admin.settings(require_app_secret=True)
    return sandbox_server


@pytest.fixture
def sandboxed(sandbox: SandboxServer, time: FakeTime) -> Iterator[GraphSession]:
    credentials = Credentials(SANDBOX_TOKEN, APP_ID, APP_SECRET, ACCOUNT, sandbox.url)
    with GraphSession(credentials, timeouts=(2.0, 2.0), sleep=time.sleep, clock=time.clock) as session:
        yield session

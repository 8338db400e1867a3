"""One sandbox for all tests of this folder, in its default state before each, and a plain HTTP client for it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import requests

from audiences.sandbox import TOKEN, running_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audiences.sandbox import AdminClient, SandboxServer


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


class Graph:
    """Calls the sandbox as a careful client does: token in the header, JSON in the body."""

    def __init__(self, url: str, token: str | None = TOKEN) -> None:
        self.base = f"{url}/v26.0"
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.base + path, timeout=20, **options)

    def get(self, path: str, **params: object) -> requests.Response:
        return self.call("GET", path, params=params)

    def post(self, path: str, **body: object) -> requests.Response:
        return self.call("POST", path, json=body)

    def delete(self, path: str, **body: object) -> requests.Response:
        return self.call("DELETE", path, json=body)

    def create(self, name: str = "Buyers", **more: object) -> str:
        answer = self.post(
            "/act_1001/customaudiences", name=name, subtype="CUSTOM", customer_file_source="USER_PROVIDED_ONLY", **more
        )
        assert answer.ok, answer.text
        made: str = answer.json()["id"]
        return made

    def upload(
        self,
        audience: str,
        rows: Sequence[object],
        *,
        schema: str | Sequence[str] = ("EMAIL", "PHONE"),
        method: str = "POST",
        edge: str = "users",
        **more: object,
    ) -> requests.Response:
        body = {"payload": {"schema": list(schema) if not isinstance(schema, str) else schema, "data": rows}, **more}
        return self.call(method, f"/{audience}/{edge}", json=body)


class GraphAt(Protocol):
    """Makes a client for a sandbox's URL, with a token or (None) without."""

    def __call__(self, url: str, token: str | None = TOKEN) -> Graph: ...


class Rows(Protocol):
    """Makes `n` rows of EMAIL and PHONE hashes, different for each `start`."""

    def __call__(self, n: int, start: int = 0) -> list[list[str]]: ...


@pytest.fixture(scope="session")
def server() -> Iterator[SandboxServer]:
    with running_sandbox() as started:
        yield started


@pytest.fixture
def sandbox(server: SandboxServer) -> SandboxServer:
    server.admin.reset()
    return server


@pytest.fixture
def admin(sandbox: SandboxServer) -> AdminClient:
    return sandbox.admin


@pytest.fixture
def graph_at() -> Iterator[GraphAt]:
    """Makes clients, and closes them after the test."""
    clients: list[Graph] = []

    def make(url: str, token: str | None = TOKEN) -> Graph:
        clients.append(Graph(url, token))
        return clients[-1]

    yield make
    for client in clients:
        client.session.close()


@pytest.fixture
def graph(sandbox: SandboxServer, graph_at: GraphAt) -> Graph:
    return graph_at(sandbox.url)


@pytest.fixture
def graph_as(sandbox: SandboxServer, graph_at: GraphAt) -> Callable[[str | None], Graph]:
    """Makes clients with other tokens, or none."""
    return lambda token: graph_at(sandbox.url, token)


@pytest.fixture(scope="session")
def rows() -> Rows:
    def make(n: int, start: int = 0) -> list[list[str]]:
        return [[hashed(f"user{i}@example.com"), hashed(f"4915{i}")] for i in range(start, start + n)]

    return make


@pytest.fixture(scope="session")
def error_of() -> Callable[[requests.Response], tuple[int, int | None]]:
    """The (code, subcode) of an error answer."""

    def read(answer: requests.Response) -> tuple[int, int | None]:
        error = answer.json()["error"]
        assert error["fbtrace_id"], "each error has a trace id"
        return error["code"], error.get("error_subcode")

    return read

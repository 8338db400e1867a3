"""One sandbox for all tests of this folder, in its default state before each, and a plain HTTP client for it."""

from __future__ import annotations

from hashlib import sha256

import pytest
import requests

from audiences.sandbox import TOKEN, running_sandbox


def hashed(text):
    return sha256(text.encode()).hexdigest()


class Graph:
    """Calls the sandbox as a careful client does: token in the header, JSON in the body."""

    def __init__(self, url, token=TOKEN):
        self.base = f"{url}/v26.0"
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method, path, **options):
        return self.session.request(method, self.base + path, timeout=20, **options)

    def get(self, path, **params):
        return self.call("GET", path, params=params)

    def post(self, path, **body):
        return self.call("POST", path, json=body)

    def delete(self, path, **body):
        return self.call("DELETE", path, json=body)

    def create(self, name="Buyers", **more):
        answer = self.post(
            "/act_1001/customaudiences", name=name, subtype="CUSTOM", customer_file_source="USER_PROVIDED_ONLY", **more
        )
        assert answer.ok, answer.text
        return answer.json()["id"]

    def upload(self, audience, rows, *, schema=("EMAIL", "PHONE"), method="POST", edge="users", **more):
        body = {"payload": {"schema": list(schema) if not isinstance(schema, str) else schema, "data": rows}, **more}
        return self.call(method, f"/{audience}/{edge}", json=body)


@pytest.fixture(scope="session")
def server():
    with running_sandbox() as started:
        yield started


@pytest.fixture
def sandbox(server):
    server.admin.reset()
    return server


@pytest.fixture
def admin(sandbox):
    return sandbox.admin


@pytest.fixture
def graph_at():
    """Makes clients: for a sandbox's URL, with a token or (None) without."""
    clients = []

    def make(url, token=TOKEN):
        clients.append(Graph(url, token))
        return clients[-1]

    yield make
    for client in clients:
        client.session.close()


@pytest.fixture
def graph(sandbox, graph_at):
    return graph_at(sandbox.url)


@pytest.fixture
def graph_as(sandbox, graph_at):
    """Makes clients with other tokens, or none."""
    return lambda token: graph_at(sandbox.url, token)


@pytest.fixture(scope="session")
def rows():
    """Makes `n` rows of EMAIL and PHONE hashes, different for each `start`."""

    def make(n, start=0):
        return [[hashed(f"user{i}@example.com"), hashed(f"4915{i}")] for i in range(start, start + n)]

    return make


@pytest.fixture(scope="session")
def error_of():
    """The (code, subcode) of an error answer."""

    def read(answer):
        error = answer.json()["error"]
        assert error["fbtrace_id"], "each error has a trace id"
        return error["code"], error.get("error_subcode")

    return read

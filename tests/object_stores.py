"""An S3 over real HTTP in this process, which can go away, fail and refuse; one for the whole session."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from werkzeug.serving import BaseWSGIServer

_numbers = count(1)
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "staging", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class S3:
    """The server. `answers` stand in for its own while they are there: status and S3's code by request."""

    port: int = 0
    refuses: Callable[[dict[str, Any]], tuple[str, str] | None] = field(default=lambda _: None)
    asked: list[str] = field(default_factory=list)
    _server: BaseWSGIServer | None = None
    _thread: Thread | None = None

    def start(self) -> None:
        """Listen, on the same port as before; what was stored is there again."""
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Silent(WSGIRequestHandler):
            def log(self, type: str, message: str, *args: Any) -> None:  # werkzeug's name
                pass

        store = DomainDispatcherApplication(create_backend_app)

        def application(environ: dict[str, Any], start_response: Any) -> Any:
            self.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            if refusal := self.refuses(environ):
                status, code = refusal
                body = f"<Error><Code>{code}</Code><Message>as the test wants</Message></Error>".encode()
                start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
                return [body if environ["REQUEST_METHOD"] != "HEAD" else b""]
            return store(environ, start_response)

        self._server = make_server("127.0.0.1", self.port, application, threaded=True, request_handler=Silent)
        self.port = self._server.port
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Go away: connections are refused."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    @property
    def is_up(self) -> bool:
        return self._server is not None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def client(self) -> Any:
        """Another worker's view: no memory is shared with the file systems under test."""
        import boto3

        return boto3.client("s3", endpoint_url=self.url, aws_access_key_id="other", aws_secret_access_key="worker")

    def bucket(self) -> str:
        """The name of a new bucket."""
        name = f"marketing-{next(_numbers)}"
        self.client.create_bucket(Bucket=name)
        return name

    def connection(self, **extra: Any) -> str:
        """An Airflow connection to it, as JSON."""
        given = {"endpoint_url": self.url, "region_name": "us-east-1", **extra}
        return json.dumps({"conn_type": "aws", "login": "staging", "password": "secret", "extra": given})


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    server = S3()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def s3(s3_server: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """The server with credentials in the environment; requests are tried once, so that a fault shows at once."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": s3_server.url, "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    yield s3_server
    s3_server.refuses = lambda _: None
    if not s3_server.is_up:
        s3_server.start()

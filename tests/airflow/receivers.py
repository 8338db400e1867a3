"""A mail server and an HTTP server on this machine, which keep what reaches them."""

from __future__ import annotations

import asyncio
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, SOCK_DGRAM, socket
from threading import Thread
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

HOST = "127.0.0.1"


@dataclass
class MailServer:
    """The mails that were taken; `refuse` answers each with an error, `slow` takes so many seconds for each."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuse: bool = False
    slow: float = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        if self.refuse:
            return "554 no"
        await asyncio.sleep(self.slow)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"

    @property
    def connection(self) -> str:
        """As an Airflow connection in JSON."""
        extra = {
            "timeout": 600,
            "disable_ssl": True,
            "disable_tls": True,
            "from_email": "audiences@example.com",
            "retry_limit": 5,
        }
        return json.dumps({"conn_type": "smtp", "host": HOST, "port": self.port, "extra": extra})


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with socket() as free:  # the controller looks whether it answers, so it must know its port
        free.bind((HOST, 0))
        server = MailServer(port=free.getsockname()[1])
    controller = Controller(server, hostname=HOST, port=server.port)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@dataclass
class HttpServer:
    """The requests that came: path, headers and JSON; each is answered with `status`."""

    port: int = 0
    status: int = 200
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    def connection(self, **more: Any) -> str:
        """As an Airflow connection in JSON."""
        return json.dumps({"conn_type": "http", "host": HOST, "port": self.port, **more})


@contextmanager
def http_server() -> Iterator[HttpServer]:
    found = HttpServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.requests.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(found.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    found.port = server.server_port
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def statsd_server() -> Iterator[tuple[int, list[str]]]:
    """The port of a StatsD receiver, and the lines that came."""
    lines: list[str] = []
    with socket(AF_INET, SOCK_DGRAM) as receiver:
        receiver.bind((HOST, 0))

        def receive() -> None:
            while datagram := receiver.recv(65_536):
                lines.extend(datagram.decode().splitlines())

        thread = Thread(target=receive, daemon=True)
        thread.start()
        port = receiver.getsockname()[1]
        try:
            yield port, lines
        finally:
            with socket(AF_INET, SOCK_DGRAM) as last:
                last.sendto(b"", (HOST, port))
            thread.join()

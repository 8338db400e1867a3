"""A proxy before the sandbox that does what it is asked and then, now and then, answers something odd in its place."""

from __future__ import annotations

import json
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

ODD: list[Any] = [
    None,
    True,
    [],
    {},
    "",
    "x",
    "\0\x1b[2J",
    -1,
    2**63,
    2**64,
    1e300,
    1.5,
    [None],
    {"a": {"b": []}},
    "9" * 400,
]
BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"<html>Sign in</html>",
    b'{"a": NaN}',
    b'{"data":' * 3000,
    b"\xff",
    b'{"success": 0}',
]


def mangled(body: bytes, chance: random.Random) -> bytes:
    """The answer with one thing in it of another kind or gone, or another body; never a plausible lie."""
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    if chance.random() < 0.2:
        return chance.choice([*BODIES, body[: len(body) // 2]])
    places: list[tuple[Any, Any]] = []
    _collect(answer, places)
    if not places:
        return body
    inside, key = chance.choice(places)
    if isinstance(inside, dict) and chance.random() < 0.2:
        del inside[key]
    else:
        # An empty list of audiences would be an answer like any other, and untrue.
        inside[key] = chance.choice([value for value in ODD if not (key == "data" and value == [])])
    return json.dumps(answer).encode()


def _collect(node: Any, places: list[tuple[Any, Any]]) -> None:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        places.append((node, key))
        _collect(value, places)


class Mangler:
    """Serves at `url`; of the answers of the Graph API, `share` are mangled, by the dice of `seed`."""

    def __init__(self, sandbox_url: str) -> None:
        self.share = 0.0
        self.mangled = 0
        self._chance = random.Random(0)  # the same oddities every time
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {
                    name: self.headers[name] for name in ("Authorization", "Content-Type") if name in self.headers
                }
                answer = requests.request(
                    self.command,
                    f"{sandbox_url}{self.path}",
                    data=body,
                    headers=headers,
                    timeout=20,
                    allow_redirects=False,
                )
                content = outer._mangled(answer.content)
                self.send_response(answer.status_code)
                for name in ("Date", "X-Business-Use-Case-Usage"):
                    if name in answer.headers:
                        self.send_header(name, answer.headers[name])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = _pass_on  # noqa: N815 -- the names that http.server looks for

            def send_response(self, code: int, message: str | None = None) -> None:
                self.send_response_only(code, message)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def throw(self, seed: int, share: float) -> None:
        """Mangle from now on."""
        self._chance, self.share = random.Random(seed), share

    def _mangled(self, body: bytes) -> bytes:
        with self._lock:
            if self._chance.random() >= self.share:
                return body
            self.mangled += 1
            return mangled(body, self._chance)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

"""Answers without end: of pages, of bytes, of time. A raw server sends what no sane one would."""

from __future__ import annotations

import gc
import gzip
import resource
import socket
import threading
import time
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.facebook.scripted import TOKEN, Answer, ScriptedGraph

from audiences.errors import AudiencesError, FacebookTransientError
from audiences.facebook import audience_members, custom_audiences
from audiences.facebook.answers import ListedAudienceAnswer
from audiences.facebook.contract import MOST_PAGES
from audiences.facebook.credentials import Credentials
from audiences.facebook.graph_errors import OddAnswerError
from audiences.facebook.session import GraphSession
from audiences.facebook.transport import Http

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.integration
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@contextmanager
def raw_server(answer: Callable[[socket.socket], Any]) -> Iterator[str]:
    """Calls `answer` with each connection, once its request has come."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    answer(connection)
                except OSError:
                    continue  # the client went away, as it should

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def ask(url: str, *, answer_within: float = 1.0) -> AudiencesError:
    credentials = Credentials(TOKEN, "1", "app-secret", "act_42", url)
    options: dict[str, Any] = {"timeouts": (1.0, 1.0), "answer_within": answer_within, "max_tries": 1}
    with GraphSession(credentials, **options) as graph, pytest.raises(AudiencesError) as caught:
        custom_audiences.read(graph, "7")
    assert TOKEN not in str(caught.value)
    return caught.value


def drip(connection: socket.socket, head: bytes, piece: bytes) -> None:
    connection.sendall(head)
    while True:
        connection.sendall(piece)
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"H"),
        (OK, b"X-More: 1\r\n"),
        (OK + b"Content-Length: 1000000\r\n\r\n", b" "),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFF\r\n", b" "),
        (OK + b"\r\n", b" "),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status line", "headers", "counted body", "chunks", "one large chunk", "body without a length", "only 100"],
)
def test_an_answer_that_trickles_ends_in_time(head: bytes, piece: bytes) -> None:
    begun = time.monotonic()
    with raw_server(lambda connection: drip(connection, head, piece)) as url:
        error = ask(url, answer_within=0.4)
    assert isinstance(error, FacebookTransientError)
    assert "no answer in time" in str(error) or "connection failed" in str(error)
    assert time.monotonic() - begun < 2


# The HTTP library leaves it to the garbage collector to close the answer whose two lengths it refuses.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/9.9 abc\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"9" * 100_000,
        OK + b"Content-Length: -1\r\n\r\n{}",
        OK + b"Content-Length: 5, 7\r\n\r\n{}",
        OK + b"Content-Length: many\r\n\r\n{}",
        OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Content-Encoding: deflate, gzip, gzip, gzip, gzip, gzip, gzip\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"X: y\r\n" * 500 + b"\r\n{}",
        OK + b"X: " + b"y" * 100_000 + b"\r\n\r\n{}",
        OK + b"Date: Mon, 01 Jan 0001 00:00:00 -0000\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Date: \xff\xfe, 99 Foo 99999 99:99:99 +9999\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"X-App-Usage: " + b"[" * 5000 + b"\r\nContent-Length: 2\r\n\r\n{}",
        OK + b'X-App-Usage: {"call_count": "NaN"}\r\nX-Business-Use-Case-Usage: [1]\r\nContent-Length: 2\r\n\r\n{}',
        OK + b"X-Ad-Api-Version-Warning: \x1b]0;owned\x07\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Set-Cookie: \xff=\x00; expires=never\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 307 Moved\r\nLocation: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: /v26.0/8\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=lambda sent: repr(sent[-60:])[:60],
)
def test_nonsense_on_the_wire_is_an_error_of_ours(sent: bytes) -> None:
    with raw_server(lambda connection: connection.sendall(sent)) as url:
        ask(url)
    gc.collect()


def test_a_body_that_unpacks_to_200_mb_is_not_unpacked() -> None:
    packer = zlib.compressobj(wbits=31)
    packed = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(200)) + packer.flush()
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with raw_server(lambda connection: connection.sendall(head + packed)) as url:
        error = ask(url, answer_within=20.0)
    assert "longer than 8 MB" in str(error)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024, "in KB"


@pytest.mark.parametrize(
    "head", [b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"Content-Length: 99999999999\r\n\r\n"]
)
def test_a_body_without_end_is_read_to_the_bound(head: bytes) -> None:
    piece = b" " * 65536
    piece = b"10000\r\n%s\r\n" % piece if b"chunked" in head else piece

    def pour(connection: socket.socket) -> None:
        connection.sendall(OK + head)
        while True:
            connection.sendall(piece)

    with raw_server(pour) as url:
        assert "longer than 8 MB" in str(ask(url, answer_within=20.0))


def test_a_packed_answer_is_read(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(Answer(body=gzip.compress(b'{"id": "7", "name": "Cart"}'), headers={"Content-Encoding": "gzip"}))
    assert custom_audiences.read(graph, "7").name == "Cart"


def page(after: Any, *identifiers: int, following: Any = "x") -> Answer:
    paging = {"cursors": {"after": after}, "next": following}
    return Answer(body={"data": [{"id": each} for each in identifiers], "paging": paging})


def test_a_list_whose_cursor_comes_back_never_ends_so_it_is_none(scripted: ScriptedGraph, graph: GraphSession) -> None:
    scripted.play(page("a", 1), page("b", 2), page("a", 1))
    with pytest.raises(OddAnswerError, match=r"list the account's audiences: .*`paging`.* read before"):
        custom_audiences.list_audiences(graph)
    assert len(scripted.seen) == 3


@pytest.mark.parametrize("after", [None, "", [], {}, True], ids=repr)
def test_a_list_that_goes_on_nowhere_is_not_taken_for_the_whole(
    scripted: ScriptedGraph, graph: GraphSession, after: Any
) -> None:
    scripted.play(page(after, 1))
    with pytest.raises(OddAnswerError, match="names no next page"):
        custom_audiences.list_audiences(graph)


@pytest.mark.parametrize("paging", [None, [], {}, {"cursors": []}, {"next": ""}, {"cursors": {"after": "a"}}], ids=repr)
def test_a_last_page_may_say_so_in_many_ways(scripted: ScriptedGraph, graph: GraphSession, paging: Any) -> None:
    scripted.play(Answer(body={"data": [{"id": 1}], "paging": paging}))
    assert len(custom_audiences.list_audiences(graph)) == 1


def test_pages_without_end_are_read_to_the_bound(graph: GraphSession, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_PAGES == 2_000
    monkeypatch.setattr("audiences.facebook.session.MOST_PAGES", 5)
    asked = []

    def endless(path: str, params: Any, **_: Any) -> Any:
        asked.append(params.get("after"))
        from audiences.facebook.answers import Page

        return Page[ListedAudienceAnswer].model_validate(
            {"data": [], "paging": {"cursors": {"after": str(len(asked))}, "next": "x"}}
        )

    monkeypatch.setattr(graph, "get", endless)
    with pytest.raises(OddAnswerError, match="goes on after 5 pages"):
        audience_members.upload_sessions(graph, "7")
    assert asked == [None, "1", "2", "3", "4"]


def test_proxy_and_ca_bundle_of_the_environment_are_taken_once_for_the_address_that_is_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "graph.internal")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "company.pem"))
    outside, inside = (Http(pool_size=1, answer_within=1) for _ in range(2))
    outside.as_environment_says("https://graph.facebook.com")
    inside.as_environment_says("https://graph.internal")
    assert outside.proxies["https"] == "http://proxy.example.com:3128"
    assert "https" not in inside.proxies
    assert outside.verify == inside.verify == str(tmp_path / "company.pem")
    assert not outside.trust_env

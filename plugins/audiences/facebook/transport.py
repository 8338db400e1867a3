"""HTTP as we speak it to Facebook: no redirects, and an answer is over in time and of a size, whatever the other side sends."""

from __future__ import annotations

import http.client
import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

# Unpacked. A page of a hundred audiences has some hundred kilobytes.
LONGEST_ANSWER: Final = 8 * 1024 * 1024
_PIECE: Final = 64 * 1024


class AnswerTooLongError(requests.RequestException):
    """The body goes on beyond LONGEST_ANSWER; the rest was not read."""


class Http(requests.Session):
    """A session with a pool of `pool_size` connections, each of whose answers ends within `answer_within` seconds.

    The time-out of a request is for each wait for some more bytes, so that a trickle of them could go on for days.
    """

    def __init__(self, *, pool_size: int, answer_within: float) -> None:
        super().__init__()
        adapter = _Adapter(answer_within, pool_connections=1, pool_maxsize=pool_size, pool_block=True)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def as_environment_says(self, url: str) -> None:
        """Take the proxies and the CA bundle for that address from the environment, once.

        The library would look for them at each request, which is a fifth of what a request costs us.
        """
        found = self.merge_environment_settings(url, {}, None, None, None)
        self.proxies, self.verify, self.trust_env = found["proxies"], found["verify"], False

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  # the signature of Session
        """None is followed. The library would read the address, and the whole body, to say where it leads."""
        return None


@dataclass(frozen=True, slots=True)
class BodyBytes:
    """The bytes of a body, which a traceback with local variables does not show: they may quote the token."""

    raw: bytes = field(repr=False)


def read_body(response: requests.Response) -> BodyBytes:
    """The unpacked body of a streamed answer; raises AnswerTooLongError and the errors of requests."""
    pieces, size = [], 0
    try:
        for piece in response.iter_content(_PIECE):
            size += len(piece)
            if size > LONGEST_ANSWER:
                raise AnswerTooLongError
            pieces.append(piece)
    except requests.RequestException:
        raise
    except (ValueError, HTTPError, http.client.HTTPException):
        # Of the libraries below: a chunk of a negative length ends in "read length must be non-negative".
        raise requests.exceptions.ChunkedEncodingError from None
    return BodyBytes(b"".join(pieces))


class _Adapter(HTTPAdapter):
    """Makes connections whose answers end in time, through a proxy too."""

    def __init__(self, answer_within: float, **options: Any) -> None:
        self._pools = _pools(answer_within)
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def close(self) -> None:
        """Close idle connections now: the library lets go of its pools and leaves that to the garbage collector."""
        for key in self.poolmanager.pools.keys():  # noqa: SIM118  # the container is not iterable
            pool = self.poolmanager.pools.get(key)
            if pool is not None:
                pool.close()
        super().close()


def _pools(answer_within: float) -> dict[str, type[HTTPConnectionPool]]:
    class Answer(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
            super().__init__(sock, *arguments, **options)
            bytes_as_they_come = self.fp.detach()
            self.fp = io.BufferedReader(_Until(time.monotonic() + answer_within, sock, bytes_as_they_come))

    class Plain(HTTPConnection):
        response_class = Answer

    class Encrypted(HTTPSConnection):
        response_class = Answer

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


class _Until(io.RawIOBase):
    """Reads from a socket up to a point in time; raises TimeoutError when that has come."""

    def __init__(self, end: float, sock: socket.socket, inside: io.RawIOBase) -> None:
        self._end = end
        self._sock = sock
        self._inside = inside

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            message = "the answer did not end in time"
            raise TimeoutError(message)
        wait = self._sock.gettimeout()
        self._sock.settimeout(left if wait is None else min(wait, left))
        return self._inside.readinto(buffer)

    def close(self) -> None:
        self._inside.close()
        super().close()

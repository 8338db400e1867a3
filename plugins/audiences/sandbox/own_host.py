"""Whom the admin API and the pages answer: requests that were addressed to this sandbox, by its `Host`.

A page of another site can have its own name lead to this machine (DNS rebinding). The browser then takes it for one site with
us, and sends no `Origin` that would tell; the name in `Host` still does.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_OWN: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class OwnHostOnly:
    """Refuses requests to other hosts than this machine and `host`, what the server listens on.

    A server that listens on every address of the machine may be called by any of them as a number, which no name server can
    have lead elsewhere.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = _OWN | {host.lower()}
        address = _address(host)
        self._any_number = address is not None and address.is_unspecified

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = Headers(scope=scope).get("host", "")
        if self._is_own(named):
            await self._app(scope, receive, send)
            return
        message = (
            f"requests to the host `{named[:100]}` are not taken; start the sandbox with --host for a name of its own"
        )
        await Response(orjson.dumps({"error": message}), 403, media_type="application/json")(scope, receive, send)

    def _is_own(self, named: str) -> bool:
        try:
            host = urlsplit(f"//{named}").hostname or ""
        except ValueError:
            return False
        return host in self._names or (self._any_number and _address(host) is not None)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None

"""Puts the pages, the admin API and the Graph API together as one web application."""

from __future__ import annotations

from email.utils import formatdate
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from audiences.sandbox.admin import Admin
from audiences.sandbox.graph.front import Front
from audiences.sandbox.own_host import OwnHostOnly
from audiences.sandbox.page import Pages

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from audiences.sandbox.store import Store
    from audiences.sandbox.world import World


def create_app(world: World, store: Store, host: str) -> Starlette:
    """The application over one world, listening on `host`.

    Whatever is neither page nor admin API is a call of the Graph API, or a wrong one.
    """
    graph = Route("/{path:path}", Front(world, store).answer, methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
    ours = [*Pages(world).routes(), *Admin(world, store).routes()]
    for route in ours:
        route.app = OwnHostOnly(route.app, host)
    return Starlette(routes=[*ours, graph], middleware=[Middleware(_Dated, world=world)])


class _Dated:
    """Puts the sandbox's time into the `Date` of every answer: whoever compares clocks must see the one that it lives by."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = formatdate(self._world.clock.now(), usegmt=True)
                message["headers"] = [*message["headers"], (b"date", date.encode())]
            await send(message)

        await self._app(scope, receive, dated)

"""Puts the pages, the admin API and the Graph API together as one web application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from audiences.sandbox.admin import Admin
from audiences.sandbox.graph.front import Front
from audiences.sandbox.page import Pages

if TYPE_CHECKING:
    from audiences.sandbox.store import Store
    from audiences.sandbox.world import World


def create_app(world: World, store: Store) -> Starlette:
    """The application over one world. Whatever is neither page nor admin API is a call of the Graph API, or a wrong one."""
    graph = Route("/{path:path}", Front(world, store).answer, methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
    return Starlette(routes=[*Pages(world).routes(), *Admin(world, store).routes(), graph])

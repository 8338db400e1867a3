"""What Airflow's plugin says of the pages.

Every process of Airflow reads it, so nothing here imports what only the API server needs.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from audiences.pages.assets import address

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX: Final = "/audiences"


class ApplicationOnDemand:
    """The application behind `/audiences`, made when it is first asked."""

    def __init__(self) -> None:
        self._made: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._made is None:
            # Its imports take a second, during which the API server has others to answer.
            self._made = await asyncio.to_thread(_application)
        await self._made(scope, receive, send)


@cache
def _application() -> ASGIApp:
    from audiences.pages.app import application

    return application()


FASTAPI_APPS: Final[list[dict[str, Any]]] = [{"app": ApplicationOnDemand(), "url_prefix": PREFIX, "name": "Audiences"}]

# The host imports the script and then takes the global of the app's name.
REACT_APPS: Final[list[dict[str, Any]]] = [
    {
        "name": "Audiences",
        "bundle_url": address("audiences.js"),
        "destination": "nav",
        "url_route": "audiences",
        "nav_top_level": True,
        "icon": address("icon.svg"),
        "icon_dark_mode": address("icon-dark.svg"),
    },
    {
        "name": "Campaign",
        "bundle_url": address("campaign.js"),
        "destination": "dag",
        "url_route": "campaign",
        "icon": address("icon.svg"),
        "icon_dark_mode": address("icon-dark.svg"),
    },
]

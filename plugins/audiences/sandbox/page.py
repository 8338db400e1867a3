"""Pages."""

from __future__ import annotations

from typing import Any


class Pages:
    def __init__(self, world: Any) -> None: ...
    def routes(self) -> list[Any]:
        return []

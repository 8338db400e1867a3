"""A terminal that no name and no value can steer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.console import Console
from rich.segment import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType

# Escape sequences begin with one of these (C0, DEL, C1); the others turn the direction of what follows on the line.
_STEERING = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u202a-\\u202e\\u2066-\\u2069]")


class SafeConsole(Console):
    """Rich's console, which shows characters that would steer the terminal as `�`; its own colours stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Rich does it, the texts made harmless."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(_STEERING.sub("\N{REPLACEMENT CHARACTER}", text), style)

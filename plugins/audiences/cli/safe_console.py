"""A terminal that no name and no value can steer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape  # noqa: TID251  # the one place
from rich.segment import Segment

from audiences.redact import harmless, harmless_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType


class SafeConsole(Console):
    """Rich's console, which shows characters that would steer the terminal as `�`; its own colours stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As Rich does it, the texts made harmless."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(harmless(text), style)


def as_text(text: object) -> str:
    """A name, value or text of others as a part of what is printed: on one line, and no markup of Rich's.

    Every value that is no number of ours goes through it; `rich.markup.escape` is banned elsewhere (pyproject.toml).
    """
    return escape(harmless_line(str(text)))

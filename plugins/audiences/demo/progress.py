"""What the demo says while it works: a line per step with the time since the start, and what it is waiting for."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console


class Progress:
    """Lines on `console`; on a terminal also a moving last line."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._begun

    def done(self, what: str) -> None:
        """A step that is over."""
        self.console.print(f"[dim]{self.seconds:6.1f} s[/]  [green]✓[/] {what}", highlight=False, soft_wrap=True)

    def note(self, what: str) -> None:
        """Something to know."""
        self.console.print(f"[dim]{self.seconds:6.1f} s[/]  [yellow]•[/] {what}", highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[Callable[[str], None]]:
        """Say what is waited for; the function given changes the words."""
        if not self.console.is_terminal:
            yield lambda _: None
            return
        with self.console.status(what) as status:
            yield status.update

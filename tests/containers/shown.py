"""The table of what was shown."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.demo.progress import Progress


class Shown:
    """Runs checks one after the other, and keeps what each saw and how long it took."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._rows: list[tuple[str, str, float]] = []
        self.is_well = True

    def check(self, what: str, seen: Callable[[], object]) -> None:
        """Run a check; what it raises goes on, and is in the table."""
        begun = time.monotonic()
        try:
            found = str(seen())
        except Exception as error:
            self.is_well = False
            last = (str(error).splitlines() or [type(error).__name__])[-1]
            self._rows.append((what, f"NO: {last}", time.monotonic() - begun))
            raise
        self._rows.append((what, found, time.monotonic() - begun))
        self._progress.done(f"{what}: {found}")

    def table(self, title: str) -> None:
        """Print all of it."""
        table = Table("shown", "what was seen", "seconds", title=title, title_justify="left")
        for what, found, seconds in self._rows:
            table.add_row(what, Text(found), f"{seconds:.0f}")
        self._progress.console.print(table)

"""How much memory a process takes in each step of a run: looked at while it runs, and told by step afterwards."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

STEPS: Final = ("open_run", "extract", "select", "plan", "remove", "add", "remove_late", "link_ad_sets")
"""In the order in which a run does them; what comes after is its end."""
END: Final = "close_run"
_EVERY: Final = 0.02  # seconds
_MB: Final = 2**20


class Looks:
    """Looks at this process's resident memory from a thread of its own for as long as it is open."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, float]] = []
        self._begun = time.perf_counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        page, file = os.sysconf("SC_PAGE_SIZE"), Path("/proc/self/statm")
        while not self._over.wait(_EVERY):
            resident = int(file.read_text().split()[1]) * page / _MB
            self._seen.append((time.perf_counter() - self._begun, resident))

    def by_step(self, seconds: Mapping[str, float]) -> dict[str, int]:
        """The most that was seen in each step, in MB, from how many seconds each took since the first look."""
        found: dict[str, int] = {}
        until, looks = 0.0, iter(self._seen)
        at, resident = next(looks, (0.0, 0.0))
        for step in (*STEPS, END):
            until = until + seconds.get(step, 0.0) if step != END else float("inf")
            while at <= until and resident:
                found[step] = max(found.get(step, 0), round(resident))
                at, resident = next(looks, (at, 0.0))
        return found

"""What is open to the ledger, the warehouse and Facebook: of one run, or of several that follow one another."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

Opened = TypeVar("Opened")


class OpenConnections:
    """Opens a connection when it is first needed, and closes all of them together.

    Runs that follow one another in one process share them. After an error whoever has them closes them, and the next run opens
    its own: a session that broke off in the middle of something is of no use to anybody.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], tuple[object, ExitStack, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all; what is asked for afterwards is opened anew."""
        with ExitStack() as closing:
            for _, opened, _ in self._kept.values():
                closing.push(opened)
            self._kept.clear()

    def has(self, *what: str) -> bool:
        """Whether it is open."""
        return what in self._kept

    def kept(self, *what: str, of: object, make: Callable[[], AbstractContextManager[Opened]]) -> Opened:
        """What `make` opens, once for each `what`; made anew when it is `of` something else than before."""
        if what in self._kept and self._kept[what][0] != of:
            self._kept.pop(what)[1].close()
        if what not in self._kept:
            with ExitStack() as opening:
                made = opening.enter_context(make())
                self._kept[what] = of, opening.pop_all(), made
        found: Opened = self._kept[what][2]
        return found

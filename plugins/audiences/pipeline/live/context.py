"""The doors of a look at live events, which is for all live campaigns together: ledger and warehouse."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

from audiences import connections
from audiences.ledger.database import Ledger
from audiences.ledger.faults import placed
from audiences.ledger.migrate import migrate
from audiences.warehouse.reader import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.when.live.watch import Watch

TIMEOUT = "10s"
"""A look reads a short span of time by an index; what takes longer than this would keep all live campaigns waiting."""


class PollResources(Protocol):
    """What a look needs; the doors of a single campaign's run will do as well."""

    @property
    def ledger(self) -> Ledger:
        """The ledger, open."""

    def warehouse(self) -> Warehouse:
        """A new snapshot of the warehouse; the caller closes it."""


class LiveResources:
    """What a look may open; the ledger stays open from look to look, the warehouse is a new snapshot each time."""

    def __init__(self, watch: Watch, *, look_up: Callable[[str], connections.Connection] = connections.look_up) -> None:
        self._watch = watch
        self._look_up = look_up

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if "ledger" in self.__dict__:
            self.ledger.__exit__()

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, brought to the newest schema first."""
        connection = self._look_up(self._watch.ledger)
        with placed(connection):
            migrate(connection)
            return Ledger(connection)

    def warehouse(self) -> Warehouse:
        """A new snapshot of the warehouse; the caller closes it."""
        return Warehouse(
            self._look_up(self._watch.warehouse),
            application="audiences:live",
            timezone=self._watch.catalog.timezone,
            timeout=TIMEOUT,
        )

"""The doors of an erasure, which is for the whole project: ledger, warehouse, every ad account."""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING, Self

from audiences import connections
from audiences.facebook.credentials import Credentials
from audiences.facebook.session import GraphSession
from audiences.ledger.accounts import AccountSemaphore
from audiences.ledger.database import Ledger
from audiences.ledger.faults import placed
from audiences.ledger.identity import settle_in
from audiences.ledger.migrate import migrate
from audiences.warehouse.reader import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.settings import AdAccount, Settings


class ErasureResources:
    """What an erasure may open; everything is closed together. `root` is the project's folder, whose files are looked at."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        *,
        root: Path | None = None,
        look_up: Callable[[str], connections.Connection] = connections.look_up,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.catalog = catalog
        self.root = root
        self._look_up = look_up
        self._clock = clock
        self._sleep = sleep
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, brought to the newest schema first."""
        connection = self._look_up(self.settings.ledger)
        with placed(connection):
            migrate(connection)
            ledger = self._opened.enter_context(Ledger(connection))
            settle_in(ledger)
        return ledger

    def facebook(self, account: AdAccount) -> GraphSession:
        """A session with one of the ad accounts."""
        credentials = Credentials.from_connection(self._look_up(account.connection), account_id=account.id)
        semaphore = AccountSemaphore(self._look_up(self.settings.ledger), account.id, account.requests_at_once)
        self._opened.enter_context(semaphore)
        return self._opened.enter_context(
            GraphSession(credentials, semaphore=semaphore, clock=self._clock, sleep=self._sleep)
        )

    def warehouse(self) -> Warehouse:
        """A new snapshot of the warehouse; the caller closes it."""
        return Warehouse(
            self._look_up(self.settings.warehouse), application="audiences:erase", timezone=self.catalog.timezone
        )

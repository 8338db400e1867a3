"""The resources of an erasure, which is for the whole project: ledger, warehouse, every ad account, and the files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from audiences import connections
from audiences.pipeline.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audiences.campaign.catalog import Catalog
    from audiences.campaign.settings import Settings


class ErasureResources(Resources):
    """What an erasure may open. `root` is the project's folder, whose files are looked at."""

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
        super().__init__(
            ledger=settings.ledger,
            warehouse=settings.warehouse,
            application="audiences:erase",
            timezone=catalog.timezone,
            look_up=look_up,
            clock=clock,
            sleep=sleep,
        )
        self.settings = settings
        self.catalog = catalog
        self.root = root

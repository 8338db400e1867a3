"""What the answers are read from: the project's ledger and warehouse, opened by those who only look."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audiences import connections
from audiences.campaign.common_files import load_settings
from audiences.pipeline.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.reporting.project_files import ProjectFiles


def _utc_now() -> datetime:
    return datetime.now(UTC)


class ReadOnlyResources(Resources):
    """Resources of a project as a whole, by which nothing is written; a ledger that was never used is empty."""

    def __init__(
        self,
        files: ProjectFiles,
        *,
        look_up: Callable[[str], connections.Connection] = connections.look_up,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Raises ConfigError for settings that are wrong, which alone say where the ledger is."""
        settings = files.settings or load_settings(files.root)
        super().__init__(
            ledger=settings.ledger,
            warehouse=settings.warehouse,
            application="audiences:reporting",
            timezone=settings.timezone or "UTC",
            read_only=True,
            look_up=look_up,
            clock=time.monotonic,
            now=now,
        )
        self.settings = settings

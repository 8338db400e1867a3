"""The resources of a poll, which is for all live campaigns together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences import connections
from audiences.pipeline.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from audiences.when.live.watch import Watch

TIMEOUT: Final = "10s"
"""A poll reads a short span of time by an index; what takes longer than this would keep all live campaigns waiting."""


def live_resources(
    watch: Watch, *, look_up: Callable[[str], connections.Connection] = connections.look_up
) -> Resources:
    """What a poll may open; the ledger stays open from poll to poll, the warehouse is a new snapshot each time."""
    return Resources(
        ledger=watch.ledger,
        warehouse=watch.warehouse,
        application="audiences:live",
        timezone=watch.catalog.timezone,
        timeout=TIMEOUT,
        look_up=look_up,
    )

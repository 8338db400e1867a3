"""Waits in the triggerer for live events: polls every few seconds until a live batch is to be run.

Whatever happens to a poll or to what it found, the next one makes up for it (`pipeline/live`), so it may run twice or be cut
off: the ledger has the truth, and a batch of which no run began is offered again.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from audiences.airflow.polling import Poller, signature
from audiences.logs import logger
from audiences.project_here import project_here
from audiences.when.live.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

POLL_SECONDS = 2.0
ROLL_OVER_SECONDS = 6 * 3600.0
"""How long one wait may take while nothing is due, where the trigger sees by itself that the campaign files have changed."""
UNSEEN_SECONDS = 300.0
"""The same where it cannot: on a machine without the files, or in a checkout that stays at its commit. A new wait knows them."""
_MOST_FAILURES = 10
_LONGEST_PAUSE = 60.0
_log = logger(__name__)


class LiveEventsTrigger(BaseTrigger):
    """Fires when there are batches to run, when the campaign files have changed, and when it has waited long enough.

    :param watch: what to watch for, as JSON; None when there is no live campaign.
    :param seen: the signature of the project's files at the time when `watch` was made.
    :param poll_seconds: the pause between two polls.
    :param first_poll_seconds: the pause before the first one; as between two unless given.
    :param roll_over_seconds: how long to wait in all.
    :param project: the project's folder, of a task that an earlier version deferred; else each process knows its own.
    """

    def __init__(
        self,
        *,
        watch: dict[str, Any] | None,
        seen: str,
        poll_seconds: float = POLL_SECONDS,
        first_poll_seconds: float | None = None,
        roll_over_seconds: float = ROLL_OVER_SECONDS,
        project: str | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own has no types
        self.watch = watch
        self.project = project
        self.seen = seen
        self.poll_seconds = poll_seconds
        self.first_poll_seconds = first_poll_seconds
        self.roll_over_seconds = roll_over_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The import path, and the arguments."""
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            "watch": self.watch,
            **({"project": self.project} if self.project else {}),
            "seen": self.seen,
            "poll_seconds": self.poll_seconds,
            "first_poll_seconds": self.first_poll_seconds,
            "roll_over_seconds": self.roll_over_seconds,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until there is something to say, and fire once. Database work happens in a thread beside the event loop."""
        now = await asyncio.to_thread(self._signature)
        # Another checkout has other times of change, and whether it was changed just now cannot be told: so the wait is short.
        limit = self.roll_over_seconds if now == self.seen else min(self.roll_over_seconds, UNSEEN_SECONDS)
        until = time.monotonic() + limit
        poller = Poller(Watch.model_validate(self.watch) if self.watch else None)
        failures = 0
        pause = self.poll_seconds if self.first_poll_seconds is None else self.first_poll_seconds
        try:
            while time.monotonic() < until and not self._changed(now):
                await asyncio.sleep(pause)
                try:
                    found = await asyncio.to_thread(poller.poll)
                except Exception:
                    failures += 1
                    pause = min(self.poll_seconds * 2**failures, _LONGEST_PAUSE)
                    if failures >= _MOST_FAILURES:
                        raise
                    _log.exception("a look for live events failed; %s in a row", failures)
                    continue
                failures, pause = 0, self.poll_seconds
                if found["batches"]:
                    yield TriggerEvent(found)  # type: ignore[no-untyped-call]  # Airflow's own has no types
                    return
        finally:
            await asyncio.to_thread(poller.close)
        yield TriggerEvent({"batches": [], "said": poller.said})  # type: ignore[no-untyped-call]  # the same

    def _changed(self, before: str) -> bool:
        """Whether the campaign files are others now, as far as they can be seen from here."""
        return self._folder.exists() and signature(self._folder) != before

    def _signature(self) -> str:
        return signature(self._folder) if self._folder.exists() else ""

    @property
    def _folder(self) -> Path:
        return Path(self.project) if self.project else project_here()

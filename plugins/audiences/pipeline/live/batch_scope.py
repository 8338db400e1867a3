"""A batch of live events as the scope of a run: the users of its events, who must still qualify."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.ledger import live_batches, live_events
from audiences.pipeline.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audiences.ledger.database import Ledger


@dataclass(frozen=True)
class BatchScope(Scope):
    """The users of the batch of that number in the ledger. Its events came in time, whenever they are exported."""

    number: int
    everybody = False
    outlasts_end = True

    def users(self, ledger: Ledger) -> Sequence[str]:
        """Whom the events are about."""
        return live_events.users(ledger, self.number)

    def qualified(self, ledger: Ledger, users: Iterable[str]) -> None:
        """Note which events are of users who still qualify."""
        live_events.note_qualified(ledger, self.number, list(users))

    def uploaded(self, ledger: Ledger, *, run: int) -> None:
        """Finish the batch and its events."""
        live_batches.finish(ledger, self.number, run=run)

"""What is told of a batch of live events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, Field

from audiences.campaign.wording import counted
from audiences.ledger import live_events
from audiences.pipeline.results import Reference

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.ledger import live_batches
    from audiences.ledger.database import Ledger


class BatchReport(Reference):
    """The events of a batch: how many there were by what became of them, from when to when, and how late they were acted upon.

    `events` are exported, unless their users do not qualify any more, and belong to `users`, some perhaps to the same one;
    `decided` counts them all, and those since the batch before that were late, excluded, over the limit or dropped.
    """

    id: int
    tries: int
    events: int
    users: int
    first_event: AwareDatetime
    last_event: AwareDatetime
    lag_seconds: float
    decided: dict[str, int] = Field(default_factory=dict)

    def in_words(self) -> str:
        """One line for logs and notes."""
        decided = ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in self.decided.items())
        return (
            f"batch {self.id}: {counted(self.events, 'event')} of {counted(self.users, 'user')}, "
            f"{self.first_event:%d %b %H:%M:%S} to "
            f"{self.last_event:%H:%M:%S %Z}, lag {self.lag_seconds:.0f} s; {decided}"
        )


def report_on(ledger: Ledger, batch: live_batches.Batch, at: datetime) -> BatchReport:
    """What a batch held, and how late a run as of `at` acted upon it."""
    return BatchReport(
        id=batch.id,
        tries=batch.tries,
        events=batch.events,
        users=batch.users,
        first_event=batch.first_event,
        last_event=batch.last_event,
        lag_seconds=(at - batch.last_due).total_seconds(),
        decided=live_events.counts(ledger, batch.id),
    )

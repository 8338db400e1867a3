"""What a poll found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audiences.campaign.wording import counted

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.errors import AudiencesError
    from audiences.ledger.live_batches import Batch


@dataclass(slots=True)
class Polled:
    """Counts of events, the `batches` to be run now, and by campaign the `errors` for which it was left out."""

    at: datetime
    new: int = 0
    late: int = 0
    excluded: int = 0
    limited: int = 0
    dropped: int = 0
    batches: list[Batch] = field(default_factory=list)
    errors: dict[str, AudiencesError] = field(default_factory=dict)

    def in_words(self) -> str:
        """One line for logs and notes."""
        counts = {
            "new": self.new,
            "late": self.late,
            "excluded": self.excluded,
            "over the limit": self.limited,
            "dropped": self.dropped,
        }
        parts = [
            "events: " + (", ".join(f"{count:,} {words}" for words, count in counts.items() if count) or "none"),
            *(f"{batch.campaign}: batch {batch.id} of {counted(batch.events, 'event')}" for batch in self.batches),
            *(f"{campaign} was left out: {error}" for campaign, error in self.errors.items()),
        ]
        return "; ".join(parts)

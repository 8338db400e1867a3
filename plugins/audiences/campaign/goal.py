"""The `goal` of a campaign: the conversion that targets and control group are compared by."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from audiences.campaign.base import Name, PlacedError, Strict, Verbatim
from audiences.campaign.properties import Properties
from audiences.campaign.windows import Length

_SHORTEST, _LONGEST = 60, 5 * 31 * 86400


class Goal(Strict):
    """A user converts who does `event` `within` this time of the assignment, or of the first run (`of: launch`)."""

    event: Verbatim
    """The event that counts as a conversion."""
    where: Properties | None = None
    """Only events with these properties count."""
    within: Length
    """How long after the start of the count a conversion still counts: 1 minute to 5 months."""
    of: Literal["assignment", "launch"] = "assignment"
    """What starts the count: the user's first `assignment`, or the campaign's first run (`launch`)."""
    revenue: Name | None = None
    """The event property that holds the amount of money."""

    @model_validator(mode="after")
    def _check(self) -> Goal:
        if not _SHORTEST <= self.within.seconds <= _LONGEST:
            message = f"`{self.within}` is out of range; allowed are 1 minute to 5 months"
            raise PlacedError(message, "within")
        return self

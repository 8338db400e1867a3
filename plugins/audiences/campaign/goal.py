"""The `goal` of a campaign: the conversion that targets and control group are compared by."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from audiences.campaign.base import Name, Strict
from audiences.campaign.properties import Properties
from audiences.campaign.windows import Length

_SHORTEST, _LONGEST = 60, 5 * 31 * 86400


class Goal(Strict):
    """A user converts who does `event` `within` this time of the assignment, or of the first run (`of: launch`)."""

    event: Name
    where: Properties | None = None
    within: Length
    of: Literal["assignment", "launch"] = "assignment"
    revenue: Name | None = None

    @model_validator(mode="after")
    def _check(self) -> Goal:
        if not _SHORTEST <= self.within.seconds <= _LONGEST:
            message = f"`within: {self.within}` is out of range; allowed are 1 minute to 5 months"
            raise ValueError(message)
        return self

"""How much may change between two runs, and what may not change within one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audiences.errors import FailedError

_FEW: Final = 10_000


def most_changed(users: int) -> int:
    """So many of the users may have changed, that looking at these alone is the shorter way."""
    return max(_FEW, users // 10)


class LookAtAllError(Exception):
    """What is remembered of users cannot be used, or so many have changed that looking at all of them is the shorter way."""


@dataclass(eq=False)
class MembersChangedError(FailedError):
    """Members whom the run took for unchanged have changed on record meanwhile, so it is not known under what they are wanted."""

    campaign: str
    users: int

    def __str__(self) -> str:
        return (
            f"{self.users:,} members of `{self.campaign}` were changed in the ledger after this run had found them, by something "
            "else than a run. Nothing was sent for them. Run the campaign again: it then looks at everybody"
        )

"""What a run found of known users does not hold any more."""

from __future__ import annotations

from dataclasses import dataclass

from audiences.errors import FailedError


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

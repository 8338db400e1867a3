"""Ids of a list under `include/segments/` that no user of the warehouse has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.campaign.wording import shown
from audiences.query.listed_ids import no_users
from audiences.warehouse.catalog.reflect import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audiences.campaign.catalog import Catalog
    from audiences.warehouse.catalog.reflect import Glance

_TOLD = 3


@dataclass(frozen=True, slots=True)
class Unknown:
    """How many of the ids of a list are nobody's, with a few of them; where it was not found out, why."""

    where: str
    key: str
    listed: int
    ids: tuple[str, ...] = ()
    refusal: Refusal | None = None
    only_told: bool = False
    """Nobody goes out for it who should not, so that it stops no run."""

    @property
    def all(self) -> bool:
        """Whether the list names nobody at all."""
        return self.listed == len(self.ids)

    @property
    def stops(self) -> bool:
        """Whether a run must not begin with it."""
        return self.all and not self.only_told

    def __str__(self) -> str:
        few = ", ".join(map(shown, self.ids[:_TOLD])) + (", …" if len(self.ids) > _TOLD else "")
        how_many = f"none of the {self.listed:,}" if self.all else f"{len(self.ids):,} of the {self.listed:,}"
        is_or_are = "is" if self.all else "is no" if len(self.ids) == 1 else "are no"
        whose = f"{is_or_are} user's" if not self.all else "is a user's"
        return f"{how_many} ids in {self.where} {whose}: {few}; they are compared with `users.key`, {shown(self.key)}"


def unknown(where: str, users: Sequence[str], catalog: Catalog, glance: Glance, *, only_told: bool = False) -> Unknown:
    """Hold the ids of a list against the users; `where` says which list it is."""
    answer = glance.ask(no_users(catalog, users))
    refusal, ids = (answer, ()) if isinstance(answer, Refusal) else (None, tuple(row.user_id for row in answer))
    return Unknown(where, catalog.users.key, len(set(users)), ids, refusal, only_told)

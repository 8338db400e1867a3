"""The scope of a run: everybody who qualifies, or a few users. An input of its steps, which treat every run alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from audiences.ledger.database import Ledger


class Scope:
    """All users of the warehouse. A narrower one says which, and may take note of what came of them.

    `everybody`: all users are asked about, so whoever is not found does not qualify; without it a run takes seconds.
    `outlasts_end`: the run is due even after the campaign's end, as what it is about came before.
    """

    everybody: bool = True
    outlasts_end: bool = False

    def users(self, ledger: Ledger) -> Sequence[str] | None:  # noqa: ARG002  # others ask it
        """The only users to ask about; None for all."""
        return None

    def qualified(self, ledger: Ledger, users: Iterable[str]) -> None:
        """Take note of who qualifies, before anything is planned; here nobody asks, and the users are not even read."""

    def uploaded(self, ledger: Ledger, *, run: int) -> None:
        """Take note that all that was planned is acknowledged and the run is closed on record; here nobody asks."""


EVERYBODY: Final = Scope()


@dataclass(frozen=True)
class UsersScope(Scope):
    """These users only, of whom nobody takes note: for previews and explanations."""

    only: Sequence[str]
    everybody = False

    def users(self, ledger: Ledger) -> Sequence[str]:  # noqa: ARG002  # the signature of Scope
        """The given ones."""
        return self.only

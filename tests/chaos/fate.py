"""What befalls the audiences and the ledger from outside: a hand at Facebook, an old backup restored, a ledger lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests import backups
from tests.chaos import oracle
from tests.chaos.campaigns import SUPPRESSED

if TYPE_CHECKING:
    from random import Random

    from tests.chaos.agreement import Agreement
    from tests.chaos.oracle import Verdict
    from tests.chaos.place import Place

# Facebook's clock tells changes of others from our own by minutes, so every stroke comes some minutes after the last request.
LATER_SECONDS = 20 * 60
KINDS = ("hand", "hand", "backup", "backup", "restore", "restore", "loss")


@dataclass
class Fate:
    """Strikes between commands. `backup` is the last one, with what the rules had said in its round."""

    place: Place
    agreement: Agreement
    dice: Random
    backup: tuple[bytes, list[dict[str, Verdict]]] | None = None
    lost: bool = False
    struck: list[str] = field(default_factory=list)

    def strike(self, seen: list[dict[str, Verdict]]) -> str | None:
        """One stroke, by its name; None where it finds nothing to hit."""
        kind = self.dice.choice(KINDS)
        self.place.admin.advance(LATER_SECONDS)
        done = getattr(self, f"_{kind}")(seen)
        self.place.admin.advance(LATER_SECONDS)
        return kind if done else None

    def _hand(self, _: list[dict[str, Verdict]]) -> bool:
        audience = self.dice.choice(sorted([*self.agreement.fed(), SUPPRESSED]))
        there = sorted(self.agreement.at_facebook(audience))
        if audience == SUPPRESSED:
            out = sorted(self.agreement.suppressed - set(there))
            back = self.dice.sample(out, len(out) // 3)
            self.agreement.taken_out -= set(back)
            self._put(audience, [*there, *back])
            return bool(back)
        keys = {key for row in there for key, _ in row} or {"EMAIL"}
        users = oracle.look(self.place.dsn("warehouse"))
        strangers = [row for user in self.dice.sample(users, 20) if (row := user.row(*keys))]
        staying = self.dice.sample(there, len(there) - len(there) // 5)
        self._put(audience, [*staying, *strangers])
        return True

    def _backup(self, seen: list[dict[str, Verdict]]) -> bool:
        if not self.place.ledger("select 1"):
            return False
        self.backup = backups.dump(self.place.dsn("ledger")), list(seen)
        return True

    def _restore(self, seen: list[dict[str, Verdict]]) -> bool:
        if self.backup is None or self.lost:
            return False
        content, verdicts = self.backup
        backups.restore(self.place.dsn("ledger"), content)
        seen[:0] = verdicts  # a request that was under way then may yet be
        self.agreement.added = self.agreement.memberships().get("buyers", {})
        return True

    def _loss(self, _: list[dict[str, Verdict]]) -> bool:
        backups.drop(self.place.dsn("ledger"))
        self.backup, self.lost = None, True
        self.agreement.added = {}
        return True

    def _put(self, audience: str, rows: list[Any]) -> None:
        self.place.admin.put_audience(id=audience, members=[dict(row) for row in rows])

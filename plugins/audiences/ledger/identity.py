"""The ledger's identity: a UUID that tells its audiences at Facebook from those of other ledgers, and where its database is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.ledger import audiences_in_doubt

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger

RESTORED: Final = "the ledger was restored from a backup or copied, so that it may not know of the last requests"
"""Why audiences are in doubt whose ledger is not where it was."""


def identity(ledger: Ledger) -> str | None:
    """The UUID made when the ledger was; a restored copy has that of the original. None for a ledger never migrated."""
    return ledger.value(str, "select id::text from audiences.identity")


def restored(ledger: Ledger) -> bool:
    """Whether the ledger is not where it was when a run last opened it."""
    return ledger.holds("select coalesce(home <> audiences.place(), false) from audiences.identity")


def note_home(ledger: Ledger) -> None:
    """Remember where the ledger is; where it was elsewhere, all its audiences are in doubt, in one transaction."""
    if not ledger.holds("select exists (select from audiences.identity where home is distinct from audiences.place())"):
        return
    with ledger.sql.transaction():
        ledger.sql.execute("select home from audiences.identity for update")
        if restored(ledger):  # and no other process was faster
            audiences_in_doubt.begin_for_all(ledger, RESTORED)
        ledger.sql.execute("update audiences.identity set home = audiences.place()")

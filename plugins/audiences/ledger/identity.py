"""The ledger's own name, by which the audiences that it made at Facebook are told from those of other ledgers, and its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger

RESTORED: Final = "the ledger was restored from a backup or copied, so that it may not know of the last requests"
"""Why audiences are in doubt whose ledger is not where it was."""


def identity(ledger: Ledger) -> str | None:
    """The UUID made when the ledger was; a restored copy has that of the original. None for a ledger never migrated."""
    row = ledger.one("select id::text as id from audiences.identity")
    return str(row.id) if row else None


def restored(ledger: Ledger) -> bool:
    """Whether the ledger is not where it was when a run last opened it."""
    row = ledger.one("select coalesce(home <> audiences.place(), false) as yes from audiences.identity")
    return bool(row and row.yes)


def settle_in(ledger: Ledger) -> None:
    """Remember where the ledger is; where it was elsewhere, all its audiences are in doubt, in one transaction."""
    moved = "select exists (select from audiences.identity where home is distinct from audiences.place()) as yes"
    if not ledger.one(moved).yes:
        return
    with ledger.sql.transaction():
        ledger.one("select home from audiences.identity for update")
        if restored(ledger):  # and no other process was faster
            ledger.sql.execute(
                "update audiences.audience set in_doubt = coalesce(in_doubt, %s), in_doubt_since = clock_timestamp()"
                " where deleted_at is null",
                (RESTORED,),
            )
        ledger.sql.execute("update audiences.identity set home = audiences.place()")

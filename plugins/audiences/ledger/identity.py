"""The ledger's own name, by which the audiences that it made at Facebook are told from those of other ledgers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiences.ledger.door import Ledger


def identity(ledger: Ledger) -> str | None:
    """The UUID made when the ledger was; a restored copy has that of the original. None for a ledger never migrated."""
    row = ledger.one("select id::text as id from audiences.identity")
    return str(row.id) if row else None

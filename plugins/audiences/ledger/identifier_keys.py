"""Identifier keys: under which Facebook keys a campaign's members were uploaded, and whether they are moving to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger


def begin(ledger: Ledger, *, campaign: int, audience: int, schema: tuple[str, ...]) -> tuple[str, ...] | None:
    """Record under which keys members are uploaded from now on.

    Gives the earlier keys as long as members may be under those, from the first run with other keys up to the one after
    which all have moved; None otherwise.
    """
    return ledger.row(
        _earlier,
        """
        insert into audiences.mapping as m (campaign_id, audience_id, schema)
        values (%(campaign)s, %(audience)s, %(schema)s)
        on conflict (campaign_id, audience_id) do update
          set moving_to = case when m.schema <> excluded.schema or m.moving_to is not null then excluded.schema end
        returning schema, moving_to is not null as moving
        """,
        {"campaign": campaign, "audience": audience, "schema": list(schema)},
    )


def _earlier(schema: tuple[str, ...], moving: bool) -> tuple[str, ...] | None:  # columns of a row
    return schema if moving else None


def moved(ledger: Ledger, *, campaign: int, audience: int) -> None:
    """Record that every member is under the newest keys."""
    ledger.sql.execute(
        "update audiences.mapping set schema = moving_to, moving_to = null"
        " where campaign_id = %s and audience_id = %s and moving_to is not null",
        (campaign, audience),
    )

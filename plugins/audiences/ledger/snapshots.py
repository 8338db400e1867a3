"""Snapshots: per campaign what its last run found of its users, so that the next one need look at the others only.

A cache. It may be lost, damaged or old at any time; then the run does what it would do without.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from audiences.logs import logger

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger

_PIECE: Final = 4 * 1024 * 1024
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is on record of one: the `revision` of the audience for which it holds, how many `users` it is about."""

    revision: int
    users: int
    digest: bytes
    parts: int


def find(ledger: Ledger, *, campaign: int, audience: int, scope: bytes) -> Snapshot | None:
    """The campaign's snapshot, if it is of that scope and the audience has not changed since."""
    return ledger.row(
        Snapshot,
        "select s.revision, s.users, s.digest,"
        " (select count(*) from audiences.snapshot_part p where p.campaign_id = s.campaign_id)::int as parts"
        " from audiences.snapshot s left join audiences.audience_revision r on r.audience_id = s.audience_id"
        " where s.campaign_id = %(campaign)s and s.audience_id = %(audience)s and s.scope = %(scope)s"
        " and s.revision = coalesce(r.revision, 0)",
        {"campaign": campaign, "audience": audience, "scope": scope},
    )


def load(ledger: Ledger, snapshot: Snapshot, into: BinaryIO, *, campaign: int) -> bool:
    """Write the content of a snapshot; False when it is not what was put on record."""
    digest = hashlib.sha256()
    for number in range(snapshot.parts):
        with ledger.sql.cursor(binary=True) as cursor:
            cursor.execute(
                "select content from audiences.snapshot_part where campaign_id = %s and number = %s", (campaign, number)
            )
            found = cursor.fetchone()
        piece = found[0] if found else b""
        digest.update(piece)
        into.write(piece)
    intact = digest.digest() == snapshot.digest
    if not intact:
        _log.warning("the snapshot of the last run is damaged, and is not used")
    return intact


def save(
    ledger: Ledger, content: BinaryIO, *, campaign: int, audience: int, scope: bytes, revision: int, users: int
) -> None:
    """Put a snapshot on record in place of the campaign's last one."""
    digest = hashlib.sha256()
    with ledger.sql.transaction():
        forget(ledger, campaign)
        ledger.sql.execute(
            "insert into audiences.snapshot (campaign_id, audience_id, scope, revision, users, digest)"
            " values (%s, %s, %s, %s, %s, %s)",
            (campaign, audience, scope, revision, users, b""),
        )
        number = 0
        while piece := content.read(_PIECE):
            digest.update(piece)
            ledger.sql.execute(
                "insert into audiences.snapshot_part (campaign_id, number, content) values (%s, %s, %b)",
                (campaign, number, piece),
            )
            number += 1
        ledger.sql.execute(
            "update audiences.snapshot set digest = %s where campaign_id = %s", (digest.digest(), campaign)
        )


def forget(ledger: Ledger, campaign: int | None = None) -> None:
    """Forget the campaign's snapshot, or those of all campaigns."""
    ledger.sql.execute(
        "delete from audiences.snapshot where campaign_id = coalesce(%(campaign)s, campaign_id)", {"campaign": campaign}
    )

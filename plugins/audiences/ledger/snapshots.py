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
    """What is on record of one: the `revision` of the audience for which it holds, how many `users` it is about.

    Of its two files the first stays from run to run while the second, what has changed since, is small.
    """

    revision: int
    users: int
    base_parts: int
    base_digest: bytes
    digest: bytes
    """Of the second file."""
    parts: int
    """Of both files."""


def find(ledger: Ledger, *, campaign: int, audience: int, scope: bytes) -> Snapshot | None:
    """The campaign's snapshot, if it is of that scope and the audience has not changed since."""
    return ledger.row(
        Snapshot,
        "select s.revision, s.users, s.base_parts, s.base_digest, s.digest,"
        " (select count(*) from audiences.snapshot_part p where p.campaign_id = s.campaign_id)::int as parts"
        " from audiences.snapshot s left join audiences.audience_revision r on r.audience_id = s.audience_id"
        " where s.campaign_id = %(campaign)s and s.audience_id = %(audience)s and s.scope = %(scope)s"
        " and s.revision = coalesce(r.revision, 0)",
        {"campaign": campaign, "audience": audience, "scope": scope},
    )


def load(ledger: Ledger, snapshot: Snapshot, base: BinaryIO, changes: BinaryIO, *, campaign: int) -> bool:
    """Write the content of the two files of a snapshot; False when it is not what was put on record."""
    numbers = range(snapshot.parts)
    intact = (
        _load(ledger, base, campaign, numbers[: snapshot.base_parts]) == snapshot.base_digest
        and _load(ledger, changes, campaign, numbers[snapshot.base_parts :]) == snapshot.digest
    )
    if not intact:
        _log.warning("the snapshot of the last run is damaged, and is not used")
    return intact


def _load(ledger: Ledger, into: BinaryIO, campaign: int, numbers: range) -> bytes:
    digest = hashlib.sha256()
    for number in numbers:
        with ledger.sql.cursor(binary=True) as cursor:
            cursor.execute(
                "select content from audiences.snapshot_part where campaign_id = %s and number = %s", (campaign, number)
            )
            found = cursor.fetchone()
        piece = found[0] if found else b""
        digest.update(piece)
        into.write(piece)
    return digest.digest()


def save(
    ledger: Ledger,
    base: BinaryIO,
    changes: BinaryIO,
    *,
    campaign: int,
    audience: int,
    scope: bytes,
    revision: int,
    users: int,
) -> None:
    """Put a snapshot on record in place of the campaign's last one."""
    with ledger.sql.transaction():
        forget(ledger, campaign)
        ledger.sql.execute(
            "insert into audiences.snapshot (campaign_id, audience_id, scope, revision, users, base_parts, base_digest, digest)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (campaign, audience, scope, revision, users, 0, b"", b""),
        )
        parts, base_digest = _save(ledger, base, campaign, first=0)
        _, digest = _save(ledger, changes, campaign, first=parts)
        ledger.sql.execute(
            "update audiences.snapshot set base_parts = %s, base_digest = %s, digest = %s where campaign_id = %s",
            (parts, base_digest, digest, campaign),
        )


def save_changes(
    ledger: Ledger, changes: BinaryIO, *, campaign: int, base_digest: bytes, revision: int, users: int
) -> None:
    """Put another second file on record for the campaign's snapshot, unless it has been forgotten or made anew meanwhile."""
    with ledger.sql.transaction():
        first = ledger.value(
            int,
            "update audiences.snapshot set revision = %(revision)s, users = %(users)s, made_at = now()"
            " where campaign_id = %(campaign)s and base_digest = %(base)s returning base_parts",
            {"campaign": campaign, "base": base_digest, "revision": revision, "users": users},
        )
        if first is None:
            return
        ledger.sql.execute(
            "delete from audiences.snapshot_part where campaign_id = %s and number >= %s", (campaign, first)
        )
        _, digest = _save(ledger, changes, campaign, first=first)
        ledger.sql.execute("update audiences.snapshot set digest = %s where campaign_id = %s", (digest, campaign))


def _save(ledger: Ledger, content: BinaryIO, campaign: int, *, first: int) -> tuple[int, bytes]:
    """Put a file on record; the number after its last part, and its digest."""
    digest, number = hashlib.sha256(), first
    while piece := content.read(_PIECE):
        digest.update(piece)
        ledger.sql.execute(
            "insert into audiences.snapshot_part (campaign_id, number, content) values (%s, %s, %b)",
            (campaign, number, piece),
        )
        number += 1
    return number, digest.digest()


def forget(ledger: Ledger, campaign: int | None = None) -> None:
    """Forget the campaign's snapshot, or those of all campaigns."""
    ledger.sql.execute(
        "delete from audiences.snapshot where campaign_id = coalesce(%(campaign)s, campaign_id)", {"campaign": campaign}
    )

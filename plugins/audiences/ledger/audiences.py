"""The Facebook audiences that the ledger knows, and who may change one at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.errors import WaitError

if TYPE_CHECKING:
    from audiences.ledger.door import Ledger

LEASE_MINUTES = 10  # renewed with every chunk; after a crash another campaign waits this long


@dataclass(frozen=True, slots=True)
class KnownAudience:
    """An audience on record; `id` is the ledger's number, `facebook_id` Facebook's.

    `created`: a campaign made it, so that nobody else has put members there.
    """

    id: int
    facebook_id: str
    name: str
    schema: tuple[str, ...]
    created: bool


@dataclass(eq=False)
class AudienceTakenError(WaitError):
    """Another campaign is changing the same audience."""

    facebook_id: str = ""


def find(
    ledger: Ledger, *, facebook_id: str | None = None, created_for: int | None = None, name: str | None = None
) -> KnownAudience | None:
    """The audience with that Facebook id, or the one created for that campaign under that name."""
    row = ledger.one(
        "select id, facebook_id, name, schema, created_for is not null as created from audiences.audience"
        " where facebook_id = %(facebook_id)s or (created_for = %(created_for)s and name = %(name)s)",
        {"facebook_id": facebook_id, "created_for": created_for, "name": name},
    )
    return KnownAudience(row.id, row.facebook_id, row.name, tuple(row.schema), row.created) if row else None


def record(ledger: Ledger, *, ad_account: str, facebook_id: str, name: str, created_for: int | None) -> KnownAudience:
    """Put an audience on record, or find it there."""
    ledger.sql.execute(
        "insert into audiences.audience (ad_account, facebook_id, name, created_for) values (%s, %s, %s, %s)"
        " on conflict (facebook_id) do update set name = excluded.name",
        (ad_account, facebook_id, name, created_for),
    )
    found = find(ledger, facebook_id=facebook_id)
    if found is None:  # deleted in between by a hand on the database
        message = f"audience {facebook_id} vanished from the ledger while it was being recorded"
        raise RuntimeError(message)
    return found


def claim(ledger: Ledger, audience_id: int, campaign: int) -> None:
    """Keep other campaigns off the audience for the next minutes; raises AudienceTakenError when one of them has it.

    A difference is computed against what all campaigns hold in an audience, so plans of two campaigns must not interleave.
    The campaign's own earlier claim, left by a crash, is taken over.
    """
    claimed = ledger.one(
        "update audiences.audience set busy_campaign = %(campaign)s,"
        " busy_until = now() + %(minutes)s * interval '1 minute'"
        " where id = %(id)s and (busy_campaign is null or busy_campaign = %(campaign)s or busy_until < now())"
        " returning id",
        {"campaign": campaign, "id": audience_id, "minutes": LEASE_MINUTES},
    )
    if claimed is None:
        row = ledger.one(
            "select a.facebook_id, c.name from audiences.audience a"
            " left join audiences.campaign c on c.id = a.busy_campaign where a.id = %(id)s",
            {"id": audience_id},
        )
        what = f"audience {row.facebook_id} is being changed by campaign `{row.name}`"
        raise AudienceTakenError(what=what, seconds=30, facebook_id=row.facebook_id)


def renew(ledger: Ledger, audience_id: int, *, after: float = 0) -> None:
    """Keep the claim for another lease, `after` that many seconds: the upload is alive, or will be once it has waited."""
    ledger.sql.execute(
        "update audiences.audience set busy_until = now() + %s * interval '1 minute' + %s * interval '1 second' where id = %s",
        (LEASE_MINUTES, after, audience_id),
    )


def release(ledger: Ledger, audience_id: int, campaign: int) -> None:
    """Let other campaigns at the audience again."""
    ledger.sql.execute(
        "update audiences.audience set busy_campaign = null, busy_until = null where id = %s and busy_campaign = %s",
        (audience_id, campaign),
    )


def put_in_doubt(ledger: Ledger, audience_id: int, reason: str) -> None:
    """Record that the members on record may not be those at Facebook; `reason` is a sentence for people. The first one stands."""
    ledger.sql.execute(
        "update audiences.audience set in_doubt = coalesce(in_doubt, %s) where id = %s", (reason, audience_id)
    )


def note_status(
    ledger: Ledger,
    audience_id: int,
    *,
    lower: int | None,
    upper: int | None,
    operation: str,
    delivery: str,
) -> None:
    """Record Facebook's own size estimate and status texts."""
    ledger.sql.execute(
        "update audiences.audience set size_lower = %s, size_upper = %s, operation_status = %s, delivery_status = %s,"
        " checked_at = now() where id = %s",
        (lower, upper, operation, delivery, audience_id),
    )


def remember_schema(ledger: Ledger, audience_id: int, schema: tuple[str, ...]) -> None:
    """Record the Facebook keys of the rows that the audience is now fed with."""
    ledger.sql.execute("update audiences.audience set schema = %s where id = %s", (list(schema), audience_id))

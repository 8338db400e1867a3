"""The Facebook audiences that the ledger knows, and who may change one at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.errors import WaitError
from audiences.ledger import audiences_in_doubt, chunks, expiry, member_changes, replace_sessions, requests_in_doubt

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.ledger.database import Ledger

LEASE_MINUTES = 10  # renewed with every chunk; after a crash another campaign waits this long


@dataclass(frozen=True, slots=True)
class KnownAudience:
    """An audience on record; `id` is the ledger's number, `facebook_id` Facebook's.

    `created`: a campaign made or adopted it, so that nobody else's members are in it. `mark` is what we put into its
    description, None where we have not yet.
    """

    id: int
    facebook_id: str
    name: str
    schema: tuple[str, ...]
    created: bool
    ad_account: str
    mark: str | None


@dataclass(frozen=True, slots=True)
class AudienceRecord:
    """All that is on record of an audience, for those who only look.

    `created_for` is the ledger's number of the campaign that made or adopted it. `size_lower` and `size_upper` are Facebook's own
    estimate of how many people it matched, the status texts are Facebook's too, all as of `checked_at`.
    """

    id: int
    facebook_id: str
    name: str
    ad_account: str
    created_for: int | None
    size_lower: int | None
    size_upper: int | None
    operation_status: str | None
    delivery_status: str | None
    checked_at: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """An audience in which a campaign has members, though it feeds another one now; `members` counts them."""

    id: int
    facebook_id: str
    name: str
    ad_account: str
    members: int


@dataclass(frozen=True, slots=True)
class Busy:
    """An audience, by its id at Facebook, and the campaign that is changing it."""

    facebook_id: str
    campaign: str


@dataclass(eq=False)
class AudienceTakenError(WaitError):
    """Another campaign is changing the same audience."""

    facebook_id: str = ""


_SELECT = (
    "select id, facebook_id, name, schema, created_for is not null as created, ad_account, mark from audiences.audience"
)


def find(ledger: Ledger, facebook_id: str) -> KnownAudience | None:
    """The audience with that Facebook id."""
    return ledger.row(KnownAudience, f"{_SELECT} where facebook_id = %(facebook_id)s", {"facebook_id": facebook_id})


def created_for(ledger: Ledger, *, campaign: int, ad_account: str, name: str) -> KnownAudience | None:
    """The campaign's own audience in that ad account; of several the one of that name, of several such the newest."""
    return ledger.row(
        KnownAudience,
        f"{_SELECT} where created_for = %(campaign)s and ad_account = %(ad_account)s and deleted_at is null"
        " order by name = %(name)s desc, id desc limit 1",
        {"campaign": campaign, "ad_account": ad_account, "name": name},
    )


def every(ledger: Ledger) -> list[AudienceRecord]:
    """All audiences on record, in the order in which they came onto it."""
    return ledger.rows(
        AudienceRecord,
        "select id, facebook_id, name, ad_account, created_for, size_lower, size_upper, operation_status, delivery_status,"
        " checked_at, deleted_at from audiences.audience order by id",
    )


def record(
    ledger: Ledger,
    *,
    ad_account: str,
    facebook_id: str,
    name: str,
    created_for: int | None,
    mark: str | None = None,
) -> KnownAudience:
    """Put an audience on record, or bring its record up to date; `created_for` and `mark` stay where they are None."""
    (known,) = ledger.rows(
        KnownAudience,
        "insert into audiences.audience as known (ad_account, facebook_id, name, created_for, mark)"
        " values (%(ad_account)s, %(facebook_id)s, %(name)s, %(created_for)s, %(mark)s)"
        " on conflict (facebook_id) do update set name = excluded.name, ad_account = excluded.ad_account,"
        " created_for = coalesce(excluded.created_for, known.created_for), mark = coalesce(excluded.mark, known.mark)"
        " returning id, facebook_id, name, schema, created_for is not null as created, ad_account, mark",
        {
            "ad_account": ad_account,
            "facebook_id": facebook_id,
            "name": name,
            "created_for": created_for,
            "mark": mark,
        },
    )
    return known


def adopted(
    ledger: Ledger, *, ad_account: str, facebook_id: str, name: str, campaign: int, reason: str
) -> KnownAudience:
    """Record the audience as the campaign's own and in doubt for that reason, all or nothing; it has no mark of ours yet.

    Memberships of the campaign that it was created for end. Raises AudienceTakenError while another campaign changes it.
    """
    with ledger.sql.transaction():
        on_record = {"facebook_id": facebook_id}
        number = ledger.value(int, "select id from audiences.audience where facebook_id = %(facebook_id)s", on_record)
        if number is not None:
            claim(ledger, number, campaign)
        former = ledger.value(
            int, "select created_for from audiences.audience where facebook_id = %(facebook_id)s", on_record
        )
        known = record(ledger, ad_account=ad_account, facebook_id=facebook_id, name=name, created_for=campaign)
        ledger.sql.execute("update audiences.audience set mark = null where id = %s", (known.id,))
        audiences_in_doubt.begin(ledger, known.id, reason)
        if former is not None and former != campaign:
            member_changes.end_of_campaign(ledger, audience=known.id, campaign=former)
            _give_up_uploads_of(ledger, known.id, campaign=former)
        release(ledger, known.id, campaign)
    return known


def _give_up_uploads_of(ledger: Ledger, audience: int, *, campaign: int) -> None:
    """Nothing that the campaign has sent to the audience counts any more, whatever its fate: its whole set is to be replaced."""
    chunks.drop_of_campaign(ledger, audience, campaign=campaign)
    requests_in_doubt.end_of_campaign(ledger, audience, campaign=campaign)
    replace_sessions.drop_of_audience(ledger, audience)


def note_mark(ledger: Ledger, audience_id: int, mark: str) -> None:
    """Record that the audience carries this mark of ours at Facebook."""
    ledger.sql.execute("update audiences.audience set mark = %s where id = %s", (mark, audience_id))


def left_behind(ledger: Ledger, *, campaign: int, audience: int) -> list[LeftBehind]:
    """Other audiences than `audience` in which the campaign has members, as far as they are still at Facebook."""
    return ledger.rows(  # audience by audience, as the index of current members is
        LeftBehind,
        "select a.id, a.facebook_id, a.name, a.ad_account, held.members from audiences.audience a cross join lateral ("
        " select count(*) as members from audiences.member m where m.audience_id = a.id and m.campaign_id = %(campaign)s"
        " and m.removed_run is null and m.present"
        ") held where a.id <> %(audience)s and a.deleted_at is null and held.members > 0 order by a.id",
        {"campaign": campaign, "audience": audience},
    )


def replaced(ledger: Ledger, gone: int, *, by: int, run: int, at: datetime, carried_by: int | None) -> None:
    """Record that an audience was deleted at Facebook and that `by` was made in its place, all or nothing.

    Memberships in the old one end with `run`, and nothing of it is sent any more. Those of the campaign `carried_by` go on
    in the new one, with the time since when they last; it is in doubt until they are there.
    """
    with ledger.sql.transaction():
        if carried_by is not None and member_changes.carry_over(ledger, gone, by=by, campaign=carried_by):
            why = "it was made in place of a deleted one, whose members have not been sent to it yet"
            audiences_in_doubt.begin(ledger, by, why)
        expiry.carry_over(ledger, gone, by=by)
        deleted(ledger, gone, run=run, at=at)


def deleted(ledger: Ledger, gone: int, *, run: int, at: datetime) -> None:
    """Record that an audience is no longer at Facebook: memberships in it end with `run`, and nothing of it is sent any more."""
    with ledger.sql.transaction():
        member_changes.end_of_audience(ledger, gone, run=run)
        chunks.drop_of_audience(ledger, gone)
        requests_in_doubt.end_of_audience(ledger, gone)
        replace_sessions.drop_of_audience(ledger, gone)
        ledger.sql.execute(
            "update audiences.audience set deleted_at = %s, in_doubt = null, busy_campaign = null, busy_until = null"
            " where id = %s",
            (at, gone),
        )


def claim(ledger: Ledger, audience_id: int, campaign: int) -> None:
    """Keep other campaigns off the audience for the next minutes; raises AudienceTakenError when one of them has it.

    A difference is computed against what all campaigns hold in an audience, so plans of two campaigns must not interleave.
    The campaign's own earlier claim, left by a crash, is taken over.
    """
    claimed = ledger.value(
        int,
        "update audiences.audience set busy_campaign = %(campaign)s,"
        " busy_until = now() + %(minutes)s * interval '1 minute'"
        " where id = %(id)s and (busy_campaign is null or busy_campaign = %(campaign)s or busy_until < now())"
        " returning id",
        {"campaign": campaign, "id": audience_id, "minutes": LEASE_MINUTES},
    )
    if claimed is None:
        taken = ledger.row(
            Busy,
            "select a.facebook_id, coalesce(c.name, 'nobody any more') as campaign from audiences.audience a"
            " left join audiences.campaign c on c.id = a.busy_campaign where a.id = %(id)s",
            {"id": audience_id},
        ) or Busy(f"of number {audience_id}", "nobody")
        what = f"audience {taken.facebook_id} is being changed by campaign `{taken.campaign}`"
        raise AudienceTakenError(what=what, seconds=30, facebook_id=taken.facebook_id)


def busy(ledger: Ledger) -> list[Busy]:
    """The audiences that a campaign is changing at the moment."""
    return ledger.rows(
        Busy,
        "select a.facebook_id, c.name as campaign from audiences.audience a"
        " join audiences.campaign c on c.id = a.busy_campaign where a.busy_until > now() order by a.id",
    )


def renew(ledger: Ledger, audience_id: int, *, after: float = 0) -> None:
    """Keep the claim for another lease, `after` that many seconds: the upload is alive, or will be once it has waited."""
    ledger.sql.execute(
        "update audiences.audience set busy_until = now() + %s * interval '1 minute' + %s * interval '1 second' where id = %s",
        (LEASE_MINUTES, after, audience_id),
    )


def release(ledger: Ledger, audience_id: int, campaign: int) -> None:
    """End the claim, so that other campaigns may change the audience again."""
    ledger.sql.execute(
        "update audiences.audience set busy_campaign = null, busy_until = null where id = %s and busy_campaign = %s",
        (audience_id, campaign),
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

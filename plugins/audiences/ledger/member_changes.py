"""Memberships that begin and end: by what Facebook acknowledged, or because an audience or a campaign is no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.ledger import audience_revisions

if TYPE_CHECKING:
    import pyarrow as pa

    from audiences.ledger.database import Ledger

_COLUMNS: Final = ["campaign_id", "user_id", "identifiers", "present"]
_END: Final = """
with ended as (
    update audiences.member m set removed_run = %(run)s from ended_now e
    where m.audience_id = %(audience)s and m.removed_run is null
      and m.campaign_id = e.campaign_id and m.user_id = e.user_id and m.present = e.present and m.identifiers = e.identifiers
    returning m.present
)
select count(*) from ended where present
"""


def record(ledger: Ledger, *, audience: int, run: int, changes: pa.Table) -> None:
    """Record memberships that begin or end: `campaign_id`, `user_id`, `identifiers`, `present`, `begins`.

    In the caller's transaction. Ends come first: changed identifiers of one user are an end and a beginning. The revision of the
    audience comes last, since what others write waits for whoever has changed it until the end of the transaction.
    """
    import pyarrow.compute as pc

    if not changes.num_rows:
        return
    begins = changes.column("begins")
    all_begin = pc.all(begins).as_py()
    ended = 0 if all_begin else _end(ledger, changes.filter(pc.invert(begins)), audience=audience, run=run)
    begun = _begin(ledger, changes if all_begin else changes.filter(begins), audience=audience, run=run)
    audience_revisions.changed(ledger, audience=audience, run=run, more=begun - ended)


def record_unsent(ledger: Ledger, *, audience: int, run: int, changes: pa.Table) -> None:
    """The same in a transaction of its own, of what changes without a request: somebody else holds the same identifiers."""
    with ledger.asynchronous_commit():
        record(ledger, audience=audience, run=run, changes=changes)


def _end(ledger: Ledger, ended: pa.Table, *, audience: int, run: int) -> int:
    """Gives how many memberships there are fewer."""
    from audiences.ledger import binary_copy

    ledger.sql.execute(
        "create temporary table ended_now"
        ' (campaign_id integer, user_id text collate "C", identifiers bytea, present boolean) on commit drop'
    )
    binary_copy.append(ledger.sql, "ended_now", ended.select(_COLUMNS))
    found = ledger.number(_END, {"audience": audience, "run": run})
    ledger.sql.execute("drop table ended_now")
    return found


def _begin(ledger: Ledger, begun: pa.Table, *, audience: int, run: int) -> int:
    """Gives how many memberships there are more."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from audiences.ledger import binary_copy

    rows = begun.select(_COLUMNS)
    for name, value in {
        "audience_id": pa.scalar(audience, pa.int32()),
        "added_run": pa.scalar(run, pa.int64()),
    }.items():
        rows = rows.append_column(name, pa.repeat(value, rows.num_rows))
    binary_copy.append(ledger.sql, "audiences.member", rows)
    return int(pc.sum(rows.column("present")).as_py() or 0)


def count(changes: pa.Table) -> tuple[int, int]:
    """How many memberships begin with these changes, and how many users are `gone`."""
    import pyarrow.compute as pc

    begun, gone = (int(pc.sum(changes.column(name)).as_py() or 0) for name in ("begins", "gone"))
    return begun, gone


def carry_over(ledger: Ledger, audience: int, *, by: int, campaign: int) -> bool:
    """Let the campaign's members of an audience go on in another one, with the time since when they last; False if none."""
    carried = ledger.sql.execute(
        "insert into audiences.member (audience_id, campaign_id, user_id, identifiers, present, added_run)"
        " select %(by)s, campaign_id, user_id, identifiers, present, added_run from audiences.member"
        " where audience_id = %(audience)s and campaign_id = %(campaign)s and removed_run is null and present"
        " on conflict do nothing",
        {"by": by, "audience": audience, "campaign": campaign},
    )
    audience_revisions.changed_by_no_run(ledger, by)
    return carried.rowcount > 0


def end_of_audience(ledger: Ledger, audience: int, *, run: int) -> None:
    """End every membership in the audience with that run."""
    ledger.sql.execute(
        "update audiences.member set removed_run = %s where audience_id = %s and removed_run is null", (run, audience)
    )
    audience_revisions.changed_by_no_run(ledger, audience)


def end_of_campaign(ledger: Ledger, *, audience: int, campaign: int) -> None:
    """End the campaign's memberships in the audience, with its last run, as nobody else's has taken place yet."""
    ledger.sql.execute(
        "update audiences.member set removed_run = (select max(id) from audiences.run where campaign_id = %(campaign)s)"
        " where audience_id = %(audience)s and campaign_id = %(campaign)s and removed_run is null",
        {"campaign": campaign, "audience": audience},
    )
    audience_revisions.changed_by_no_run(ledger, audience)

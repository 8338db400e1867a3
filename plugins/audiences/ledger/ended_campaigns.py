"""Campaigns that are over: why, what became of their audience, and which of them lost their file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from audiences.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class End:
    """The end of a campaign: why it is over, what is to become of its audience; `error` is None when that is carried out."""

    reason: str
    on_end: str
    tries: int
    error: str | None


def find(ledger: Ledger, campaign: int) -> End | None:
    """The campaign's end on record; None without one."""
    return ledger.row(
        End,
        "select reason, on_end, tries, error from audiences.campaign_end where campaign_id = %(campaign)s",
        {"campaign": campaign},
    )


def record(ledger: Ledger, *, campaign: int, reason: str, on_end: str, error: str | None, at: datetime) -> None:
    """Put on record that `on_end` was carried out, or with an `error` that it was tried."""
    ledger.sql.execute(
        """
        insert into audiences.campaign_end as e (campaign_id, reason, on_end, tries, error, ended_at)
        values (%(campaign)s, %(reason)s, %(on_end)s, 1, %(error)s, %(at)s)
        on conflict (campaign_id) do update set
            reason = excluded.reason, on_end = excluded.on_end, error = excluded.error, ended_at = excluded.ended_at,
            tries = case when e.on_end = excluded.on_end then e.tries else 0 end + 1
        """,
        {"campaign": campaign, "reason": reason, "on_end": on_end, "error": error, "at": at},
    )


def forget(ledger: Ledger, campaign: int) -> None:
    """Delete the end on record, since the campaign runs again; its next end is another one."""
    ledger.sql.execute("delete from audiences.campaign_end where campaign_id = %s", (campaign,))


def missing(ledger: Ledger, present: Collection[str], *, at: datetime, before: datetime) -> list[str]:
    """Note which campaigns have no file at `at`; name those that have had none since `before` and were not ended yet."""
    names = list(present)
    ledger.sql.execute("update audiences.campaign set missing_since = null where name = any(%s)", (names,))
    ledger.sql.execute(
        "update audiences.campaign set missing_since = %s where missing_since is null and name <> all(%s)", (at, names)
    )
    return ledger.values(
        str,
        "select name from audiences.campaign c where missing_since <= %(before)s and not exists"
        " (select 1 from audiences.campaign_end e where e.campaign_id = c.id and e.error is null) order by name",
        {"before": before},
    )


def last_config(ledger: Ledger, name: str) -> dict[str, object] | None:
    """The campaign file as the last run recorded it; None when it never ran."""
    return ledger.value(
        dict,
        "select r.config from audiences.run r join audiences.campaign c on c.id = r.campaign_id"
        " where c.name = %(name)s order by r.id desc limit 1",
        {"name": name},
    )

"""Ad sets in whose targeting campaigns want their audiences, and which of these links we made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.ledger.database import Ledger

Inclusion = Literal["included", "excluded"]
_SELECT = """
select s.campaign_id as campaign, s.audience_id as audience, a.facebook_id as audience_id, s.facebook_id as ad_set_id,
       s.place, s.made_by_us, s.run_id as run, s.seen_at, s.error,
       a.deleted_at is not null as deleted
from audiences.ad_set s join audiences.audience a on a.id = s.audience_id
"""


@dataclass(frozen=True, slots=True)
class Link:
    """An audience (`audience` is the ledger's number, `audience_id` Facebook's) at its place in an ad set.

    `run` is the last one that saw to it. `made_by_us` is None for one that was about to be written and, without an `error`, may
    have been; `deleted`: the audience is no longer at Facebook.
    """

    campaign: int
    audience: int
    audience_id: str
    ad_set_id: str
    place: Inclusion
    made_by_us: bool | None
    run: int
    seen_at: datetime
    error: str | None
    deleted: bool

    @property
    def ours(self) -> bool:
        """Whether we made the link, so that we take it back."""
        return bool(self.made_by_us) or (self.made_by_us is None and self.error is None)


def of_campaign(ledger: Ledger, campaign: int) -> list[Link]:
    """The links that the campaign wants or wanted, by ad set."""
    return ledger.rows(
        Link,
        f"{_SELECT} where s.campaign_id = %(campaign)s order by s.facebook_id, s.audience_id",
        {"campaign": campaign},
    )


def of_others(ledger: Ledger, *, campaign: int, audience: int, ad_set_id: str) -> list[Link]:
    """What other campaigns want of the same audience in the same ad set."""
    return ledger.rows(
        Link,
        f"{_SELECT} where s.audience_id = %(audience)s and s.facebook_id = %(ad_set)s and s.campaign_id <> %(campaign)s",
        {"campaign": campaign, "audience": audience, "ad_set": ad_set_id},
    )


def record(
    ledger: Ledger,
    *,
    campaign: int,
    audience: int,
    ad_set_id: str,
    place: Inclusion,
    run: int,
    at: datetime,
    made_by_us: bool | None,
    error: str | None = None,
) -> None:
    """Put a link on record as it is after the run, or, before it is written, as it is about to be."""
    ledger.sql.execute(
        """
        insert into audiences.ad_set
            (campaign_id, audience_id, facebook_id, place, made_by_us, run_id, seen_at, error)
        values (%(campaign)s, %(audience)s, %(ad_set)s, %(place)s, %(made_by_us)s, %(run)s, %(at)s, %(error)s)
        on conflict (campaign_id, audience_id, facebook_id) do update set place = excluded.place,
            made_by_us = excluded.made_by_us, run_id = excluded.run_id, seen_at = excluded.seen_at, error = excluded.error
        """,
        {
            "campaign": campaign,
            "audience": audience,
            "ad_set": ad_set_id,
            "place": place,
            "made_by_us": made_by_us,
            "run": run,
            "at": at,
            "error": error,
        },
    )


def refuse(ledger: Ledger, link: Link, error: str) -> None:
    """Record why a link could not be taken back."""
    ledger.sql.execute(
        "update audiences.ad_set set error = %s where campaign_id = %s and audience_id = %s and facebook_id = %s",
        (error, link.campaign, link.audience, link.ad_set_id),
    )


def forget(ledger: Ledger, link: Link) -> None:
    """Delete the link of a campaign that no longer wants it; another campaign that wants it inherits the duty to take it back."""
    with ledger.sql.transaction():
        ledger.sql.execute(
            "delete from audiences.ad_set where campaign_id = %s and audience_id = %s and facebook_id = %s",
            (link.campaign, link.audience, link.ad_set_id),
        )
        if link.ours:
            ledger.sql.execute(
                "update audiences.ad_set set made_by_us = true where audience_id = %s and facebook_id = %s",
                (link.audience, link.ad_set_id),
            )

"""The other campaigns of an audience, as the ledger knows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.ledger.run_records import newest_first

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class HoldingCampaign:
    """A campaign that holds somebody in an audience."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Changing:
    """A campaign whose runs change an audience, with the campaign file as its last run recorded it."""

    name: str
    config: dict[str, object]


def holding(ledger: Ledger, *, audience: int, campaign: int) -> list[HoldingCampaign]:
    """The other campaigns that hold somebody in the audience, by name."""
    return ledger.rows(
        HoldingCampaign,
        # A limit keeps the look at each campaign one by the index: joined, all members would be read.
        "select c.id, c.name from audiences.campaign c cross join lateral"
        " (select from audiences.member m where m.audience_id = %(audience)s and m.campaign_id = c.id"
        "  and m.removed_run is null and m.present limit 1) anybody"
        " where c.id <> %(campaign)s order by c.name",
        {"audience": audience, "campaign": campaign},
    )


def members_of(ledger: Ledger, *, audience: int, campaign: int) -> int:
    """How many users the campaign holds in the audience."""
    return ledger.number(
        "select count(distinct user_id) from audiences.member where audience_id = %(audience)s"
        " and campaign_id = %(campaign)s and removed_run is null and present",
        {"audience": audience, "campaign": campaign},
    )


def changing(ledger: Ledger, *, audience: int, campaign: int) -> list[Changing]:
    """The other campaigns that have run on the audience and are not over, by name."""
    return ledger.rows(
        Changing,
        "select c.name, r.config from audiences.campaign c join lateral"  # noqa: S608  # our own text
        f" (select r.config, r.audience_id from audiences.run r"
        f"  where {newest_first('c.id', such='r.audience_id is not null')} limit 1) r on r.audience_id = %(audience)s"
        " where c.id <> %(campaign)s and not exists (select from audiences.campaign_end e where e.campaign_id = c.id)"
        " order by c.name",
        {"audience": audience, "campaign": campaign},
    )

"""Every campaign at a glance: those with a file, right or broken, and those of the ledger that still hold members without one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from audiences.campaign.wording import folded
from audiences.ledger import audience_sizes, run_records
from audiences.reporting.attention import Attention
from audiences.reporting.campaign_shown import CampaignShown, SizeAt, shown
from audiences.reporting.campaign_standing import standing_of, standings
from audiences.reporting.shape import Paged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger
    from audiences.reporting.campaign_standing import CampaignStanding
    from audiences.reporting.project_files import ProjectFiles

SPARK_DAYS: Final = 30


class Overview(Paged):
    """A page of the campaigns, problems first; `with_troubles` counts those of the whole list by their most urgent problem."""

    campaigns: tuple[CampaignShown, ...]
    with_troubles: dict[Attention, int]


def overview(
    files: ProjectFiles,
    ledger: Ledger,
    *,
    now: datetime,
    search: str = "",
    offset: int = 0,
    limit: int = 50,
    may_see: Callable[[str], bool] = lambda _: True,
) -> Overview:
    """The campaigns whose id, name, brand, tags, owner or audience has every word of `search`, and which `may_see` lets see.

    Seven statements, whatever the number of campaigns; those of a page are looked at more closely than the rest.
    """
    words = folded(search).split()
    found = sorted(
        (
            each
            for each in standings(files, ledger, now=now, may_see=may_see)
            if not words or all(word in _searched(each) for word in words)
        ),
        key=lambda each: each.order,
    )
    page = found[offset : offset + limit]
    first_kinds = [each.troubles[0].kind for each in found if each.troubles]
    return Overview(
        total=len(found),
        offset=offset,
        limit=limit,
        campaigns=tuple(_page(files, ledger, page, now)),
        with_troubles={kind: count for kind in Attention if (count := first_kinds.count(kind))},
    )


def one(files: ProjectFiles, ledger: Ledger, campaign: str, *, now: datetime) -> CampaignShown | None:
    """One campaign as the overview shows it; None where there is neither a file nor a record of it."""
    found = standing_of(files, ledger, campaign, now=now)
    return next(iter(_page(files, ledger, [found] if found else [], now)), None)


def _searched(standing: CampaignStanding) -> str:
    spec, audience = standing.spec, standing.audience
    parts = [standing.id, standing.name]
    if spec:
        wanted = spec.campaign.what.audience
        parts += [*spec.campaign.tags, spec.brand or "", spec.campaign.owner or ""]
        parts += [wanted.create.name if wanted.create else "", wanted.update.id if wanted.update else ""]
    if audience:
        parts += [audience.name, audience.facebook_id]
    return folded("\n".join(parts))


def _page(
    files: ProjectFiles, ledger: Ledger, page: Sequence[CampaignStanding], now: datetime
) -> Iterable[CampaignShown]:
    last = {each.id: each.recorded.last_run.id for each in page if each.recorded and each.recorded.last_run}
    runs = run_records.numbered(ledger, list(last.values())) if last else {}
    numbers = [each.recorded.id for each in page if each.recorded]
    sizes: dict[int, tuple[SizeAt, ...]] = {}
    if numbers:
        first = now.date() - timedelta(days=SPARK_DAYS - 1)
        for each in audience_sizes.by_day(ledger, numbers, first=first, last=now.date(), zone="UTC"):
            sizes[each.campaign] = tuple(
                SizeAt(day=day, size=size) for day, size in zip(each.days, each.sizes, strict=True)
            )
    for standing in page:
        number = standing.recorded.id if standing.recorded else 0
        yield shown(files, standing, runs.get(last.get(standing.id, 0)), sizes.get(number, ()), now)

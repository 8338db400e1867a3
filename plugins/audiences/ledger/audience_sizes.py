"""How large audiences were over time, and how many came and went, by the runs on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.ledger.run_records import ACTION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from audiences.ledger.database import Ledger

BY_DAY = """
select c.id as campaign, array_agg(days.day::date order by days.day) as days, array_agg(sized.size order by days.day) as sizes
from unnest(%(campaigns)s::int[]) as c (id)
cross join generate_series(%(first)s::date::timestamp, %(last)s::date::timestamp, interval '1 day') as days (day)
cross join lateral (
    select r.size from audiences.run r
    where r.campaign_id = c.id and r.size is not null
      and r.ended_at < (days.day + interval '1 day') at time zone %(zone)s
    order by r.ended_at desc limit 1
) sized
group by c.id
"""
# Whom `remove_matching` has `added` it has sent for removal; the `removed` are among them.
CHANGES = f"""
select (ended_at at time zone %(zone)s)::date as day, count(*)::int as runs,
    coalesce(sum((outcomes ->> 'added')::bigint) filter (where {ACTION} <> 'remove_matching'), 0)::bigint as added,
    coalesce(
        sum((outcomes ->> case {ACTION} when 'remove_matching' then 'added' else 'removed' end)::bigint), 0
    )::bigint as removed
from audiences.run r
where campaign_id = (select id from audiences.campaign where name = %(campaign)s)
  and ended_at >= %(first)s::date::timestamp at time zone %(zone)s
group by 1 order by 1
"""  # noqa: S608  # our own constant is put in


@dataclass(frozen=True, slots=True)
class SizesByDay:
    """Sizes of a campaign's audience as each of the days ended, carried over from the last run before."""

    campaign: int
    days: tuple[date, ...]
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChangesOfDay:
    """What the runs that ended on a day did: users who came into the audience and who left it."""

    day: date
    runs: int
    added: int
    removed: int


def by_day(ledger: Ledger, campaigns: Sequence[int], *, first: date, last: date, zone: str) -> list[SizesByDay]:
    """Of each of the campaigns (the ledger's numbers) the size at the end of each day.

    Days before its first run are left out, and so is a campaign that never ran.
    """
    return ledger.rows(SizesByDay, BY_DAY, {"campaigns": list(campaigns), "first": first, "last": last, "zone": zone})


def changes(ledger: Ledger, campaign: str, *, first: date, zone: str) -> list[ChangesOfDay]:
    """What the campaign's runs did, by day, from `first` on; days without a run are left out."""
    return ledger.rows(ChangesOfDay, CHANGES, {"campaign": campaign, "first": first, "zone": zone})

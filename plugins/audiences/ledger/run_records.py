"""Runs as they are on record, for read-only views: the last of each campaign, a campaign's history, one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audiences.ledger import approvals
from audiences.ledger.approvals import ApprovalState
from audiences.ledger.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run; the columns are explained in the ledger's own comments. `dag` is the id that the campaign had when it began.

    Of a run that has not ended, `asked_until` is how long its question for an approval stands, None without one, and `alive_at`
    when it began or was last answered. `audience` is the ledger's number of the audience, `facebook_id` Facebook's, None each
    before the run had a plan. `action` is what the campaign's file said of the audience, `batch` the number of the live batch
    that the run has exported.
    """

    id: int
    campaign: str
    dag: str
    external_id: str
    again: int
    state: RunState
    as_of: datetime
    assigned_at: datetime
    due: datetime | None
    started_at: datetime
    ended_at: datetime | None
    asked_until: datetime | None
    alive_at: datetime
    config_digest: str
    action: str
    audience: int | None
    facebook_id: str | None
    planned: Mapping[str, int]
    outcomes: Mapping[str, int]
    rekeyed: int
    rejected: Mapping[str, Mapping[str, int]]
    requests: int
    size: int | None
    timings: Mapping[str, float]
    error: str | None
    warnings: tuple[str, ...]
    batch: int | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", RunState(self.state))


ACTION: Final = (
    "coalesce(r.config #>> '{what,audience,update,action}', r.config #>> '{what,audience,create,action}', 'mirror')"
)
"""What the file said of the audience when a run r began."""
# The questions of a run r that has not ended.
_ASKED: Final = f"""
left join lateral (
    select max(a.until) filter (where a.state in ({", ".join(f"'{state}'" for state in approvals.OPEN)})) as until,
        max(a.decided_at) as answered_at
    from audiences.approval a where a.run_id = r.id and r.state = '{RunState.RUNNING}'
) asked on true
"""  # noqa: S608  # our own constants are put in
_SELECT = f"""
select r.id, c.name as campaign,
    coalesce((select f.name from audiences.former_name f where f.campaign_id = c.id and f.taken_over_at > r.started_at
              order by f.taken_over_at limit 1), c.name) as dag,
    r.external_id, r.again, r.state, r.as_of, r.assigned_at, r.due, r.started_at, r.ended_at,
    asked.until as asked_until, greatest(r.started_at, asked.answered_at) as alive_at, r.config_digest,
    {ACTION} as action,
    r.audience_id as audience, a.facebook_id, r.planned, r.outcomes, r.rekeyed, r.rejected, r.requests, r.size, r.timings,
    r.error, r.warnings, (select max(b.id) from audiences.live_batch b where b.run_id = r.id) as batch
from audiences.run r join audiences.campaign c on c.id = r.campaign_id left join audiences.audience a on a.id = r.audience_id
{_ASKED}"""  # noqa: S608  # the same


def newest_first(campaign: str, *, such: str = "true") -> str:
    """Condition and order by which the newest runs r of a campaign, an expression of SQL, are found in the index of its runs.

    Said as a range: of an equality Postgres would rather go through all runs, from the last one on, when it believes that they
    are of one campaign, and reads all of them for each campaign that has none.
    """
    return f"r.campaign_id between {campaign} and {campaign} and {such} order by r.campaign_id desc, r.id desc"


NUMBERED: Final = f"{_SELECT} where r.id = any(%(runs)s)"
_ITS_ID: Final = "(select id from audiences.campaign where name = %(campaign)s)"
PAGE: Final = f"select r.id from audiences.run r where {newest_first(_ITS_ID)} offset %(offset)s limit %(limit)s"  # noqa: S608  # the same


def find(ledger: Ledger, run: int) -> RunRecord | None:
    """The run of that number."""
    return ledger.row(RunRecord, f"{_SELECT} where r.id = %(run)s", {"run": run})


def numbered(ledger: Ledger, runs: Sequence[int]) -> dict[int, RunRecord]:
    """The runs of those numbers."""
    found = ledger.rows(RunRecord, NUMBERED, {"runs": list(runs)})
    return {run.id: run for run in found}


def of_campaign(ledger: Ledger, campaign: str, *, offset: int = 0, limit: int = 50) -> list[RunRecord]:
    """The campaign's runs, the newest first, `limit` of them after the first `offset`."""
    runs = ledger.values(int, PAGE, {"campaign": campaign, "offset": offset, "limit": limit})
    return sorted(numbered(ledger, runs).values(), key=lambda run: -run.id)


def count(ledger: Ledger, campaign: str) -> int:
    """How many runs of the campaign are on record."""
    return ledger.number(
        "select count(*) from audiences.run where campaign_id = (select id from audiences.campaign where name = %(campaign)s)",
        {"campaign": campaign},
    )


def config_of(ledger: Ledger, run: int) -> dict[str, object]:
    """The campaign file as the run recorded it."""
    return ledger.value(dict, "select config from audiences.run where id = %(run)s", {"run": run}) or {}


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last run of a campaign: as much of it as a list of all campaigns is put in order by; times as in `RunRecord`.

    `approval` is what came of the question that the run asked since it was last opened, if it asked one.
    """

    id: int
    state: RunState
    started_at: datetime
    ended_at: datetime | None
    asked_until: datetime | None
    alive_at: datetime
    config_digest: str
    approval: ApprovalState | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", RunState(self.state))
        object.__setattr__(self, "approval", ApprovalState(self.approval) if self.approval else None)


@dataclass(frozen=True, slots=True)
class RecordedCampaign:
    """A campaign on record, by the ledger's number and its name.

    `last_run` is None where it has not run. `size` and `audience`, the ledger's number, are those of the last run that came as
    far as to know them.
    """

    id: int
    name: str
    last_run: LastRun | None
    size: int | None
    audience: int | None


def campaigns(ledger: Ledger, names: Sequence[str] | None = None) -> list[RecordedCampaign]:
    """Every campaign on record, or those of these names, with its last run, found campaign by campaign in the index of runs."""

    def made(
        id: int,  # the column's name
        name: str,
        size: int | None,
        audience: int | None,
        run: int | None,
        state: RunState,
        started_at: datetime,
        ended_at: datetime | None,
        asked_until: datetime | None,
        alive_at: datetime,
        config_digest: str,
        approval: ApprovalState | None,
    ) -> RecordedCampaign:
        last = (
            None
            if run is None
            else LastRun(run, state, started_at, ended_at, asked_until, alive_at, config_digest, approval)
        )
        return RecordedCampaign(id, name, last, size, audience)

    return ledger.rows(made, ALL_CAMPAIGNS, {"names": None if names is None else list(names)})


ALL_CAMPAIGNS = f"""
select c.id, c.name, sized.size, sized.audience_id as audience, last.id as run, last.state, last.started_at, last.ended_at,
    last.asked_until, last.alive_at, last.config_digest,
    (select q.state from audiences.approval q where q.run_id = last.id and q.asked_at >= last.as_of
     order by q.id desc limit 1) as approval
from audiences.campaign c
left join lateral (
    select r.id, r.state, r.as_of, r.started_at, r.ended_at, asked.until as asked_until,
        greatest(r.started_at, asked.answered_at) as alive_at, r.config_digest
    from audiences.run r {_ASKED} where {newest_first("c.id")} limit 1
) last on true
left join lateral (
    select r.size, r.audience_id from audiences.run r
    where r.campaign_id = c.id and r.size is not null order by r.ended_at desc limit 1
) sized on true
where %(names)s::text[] is null or c.name = any(%(names)s)
order by c.name
"""  # noqa: S608  # the same


def scheduled(ledger: Ledger, names: Sequence[str]) -> dict[str, int]:
    """For how many times of its schedule each of the campaigns has begun a run; none is left out."""

    def pair(name: str, runs: int) -> tuple[str, int]:
        return name, runs

    return dict(
        ledger.rows(
            pair,
            "select c.name, count(distinct r.due)::int as runs from audiences.campaign c"
            " join audiences.run r on r.campaign_id = c.id and r.due is not null where c.name = any(%(names)s) group by c.name",
            {"names": list(names)},
        )
    )

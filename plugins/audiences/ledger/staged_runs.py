"""Where runs have staged rows: on which disk or in which store, for as long as they are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audiences.ledger.chunk_states import OF_UNKNOWN_FATE
from audiences.ledger.replace_sessions import SessionState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from audiences.ledger.database import Ledger

GONE: Final = "gone"
"""A person says that the folder is lost for good, so that what is missing in it is gone."""


@dataclass(frozen=True, slots=True)
class StagedRun:
    """A run that has not cleared its folder; `staged_on` says on which disk or in which store that is."""

    run: int
    campaign: str
    staging: str
    staged_on: str


def begin(ledger: Ledger, run: int, staged_on: str) -> str:
    """Record where the run is about to stage rows; returns where it has begun to, which may be another disk."""
    return str(
        ledger.value(
            str,
            "update audiences.run set staged_on = coalesce(nullif(staged_on, %(gone)s), %(on)s)"
            " where id = %(run)s returning staged_on",
            {"run": run, "on": staged_on, "gone": GONE},
        )
    )


def cleared(ledger: Ledger, runs: Collection[int]) -> None:
    """Record that nothing is staged of these runs any more."""
    ledger.sql.execute("update audiences.run set staged_on = null where id = any(%s)", (list(runs),))


def give_up(ledger: Ledger, run: int) -> bool:
    """Record a person's word that the folder of the run is lost; False for a run that has nothing staged by our record."""
    return ledger.holds(
        "with given_up as (update audiences.run set staged_on = %(gone)s where id = %(run)s and (staged_on is not null or exists"
        " (select from audiences.chunk c where c.run_id = %(run)s and (c.state = 'sending' or c.doubtful))) returning id)"
        " select exists (select from given_up)",
        {"gone": GONE, "run": run},
    )


def uncleared(ledger: Ledger) -> list[StagedRun]:
    """The runs that have staged rows and have not cleared them, but for those whose folder is lost."""
    return ledger.rows(
        StagedRun,
        "select r.id as run, c.name as campaign, r.staging, r.staged_on from audiences.run r"
        " join audiences.campaign c on c.id = r.campaign_id where r.staged_on <> %(gone)s order by r.id",
        {"gone": GONE},
    )


def disposable(ledger: Ledger, folders: Sequence[str], *, before: datetime) -> list[str]:
    """Of these staging folders, those whose run ended before then and left no request whose fate is unknown.

    A run that never ended counts as ended a day after it began, and not before a question of it is void.
    """
    return ledger.values(
        str,
        "select r.staging from audiences.run r where r.staging = any(%(folders)s)"  # noqa: S608  # a constant is put in
        " group by r.staging having bool_and(coalesce(r.ended_at, greatest(r.started_at + interval '1 day',"
        "  (select max(a.until) from audiences.approval a where a.run_id = r.id))) < %(before)s"
        f" and not exists (select 1 from audiences.chunk c where c.run_id = r.id and {OF_UNKNOWN_FATE})"
        " and not exists (select 1 from audiences.upload_session s where s.run_id = r.id and s.state = %(open)s))",
        {"folders": list(folders), "before": before, "open": SessionState.OPEN},
    )

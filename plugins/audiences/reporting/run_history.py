"""A campaign's runs, the newest first."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003  # pydantic reads annotations at run time
from typing import TYPE_CHECKING

from audiences.ledger import run_records
from audiences.reporting import run_words
from audiences.reporting.names_on_record import name_on_record
from audiences.reporting.remedy import Told  # noqa: TC001  # the same
from audiences.reporting.run_phase import RunPhase, phase_of
from audiences.reporting.shape import Paged, Shown

if TYPE_CHECKING:
    from audiences.ledger.database import Ledger
    from audiences.ledger.run_records import RunRecord
    from audiences.reporting.project_files import ProjectFiles


class RunShown(Shown):
    """A run in the history.

    `dag` is the DAG that ran it: the id that the campaign had then. `external_id` is Airflow's id of the run, or one that the
    command line made; `again` counts how often it was asked for once more. `state` is the one on record, `phase` the one for
    people: of a run that never ended, whether it is under way. `as_of`: as of when it looked at the data; `due`: the time of the
    schedule for which it was begun. `outcomes` are empty before users were counted; `added` and `removed` are who came into the
    audience and left it by them. `size` is how many rows the audience held after it. `batch`: the live batch that
    it has exported.
    """

    run: int
    campaign: str
    dag: str
    external_id: str
    again: int
    state: str
    phase: RunPhase
    as_of: datetime
    due: datetime | None
    started_at: datetime
    ended_at: datetime | None
    config_digest: str
    audience: str | None
    outcomes: dict[str, int]
    added: int | None
    removed: int | None
    rekeyed: int
    requests: int
    size: int | None
    batch: int | None
    words: str
    trouble: Told | None
    warnings: tuple[str, ...]


class RunHistory(Paged):
    """A page of a campaign's runs."""

    campaign: str
    runs: tuple[RunShown, ...]


def history(
    files: ProjectFiles, ledger: Ledger, campaign: str, *, now: datetime, offset: int = 0, limit: int = 50
) -> RunHistory:
    """The campaign's runs after the first `offset`, those under a former id among them; none where it is not on record."""
    on_record = name_on_record(files, ledger, campaign)
    return RunHistory(
        campaign=campaign,
        total=run_records.count(ledger, on_record),
        offset=offset,
        limit=limit,
        runs=tuple(shown(run, now) for run in run_records.of_campaign(ledger, on_record, offset=offset, limit=limit)),
    )


def shown(run: RunRecord, now: datetime) -> RunShown:
    """A run on record as the history shows it."""
    return RunShown(
        run=run.id,
        campaign=run.campaign,
        dag=run.dag,
        external_id=run.external_id,
        again=run.again,
        state=str(run.state),
        phase=phase_of(run, now),
        as_of=run.as_of,
        due=run.due,
        started_at=run.started_at,
        ended_at=run.ended_at,
        config_digest=run.config_digest,
        audience=run.facebook_id,
        outcomes=run_words.outcomes_of(run),
        added=run_words.came(run),
        removed=run_words.left(run),
        rekeyed=run.rekeyed,
        requests=run.requests,
        size=run.size,
        batch=run.batch,
        words=run_words.sentence(run, now),
        trouble=run_words.trouble(run, now),
        warnings=run.warnings,
    )

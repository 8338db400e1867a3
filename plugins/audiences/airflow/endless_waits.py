"""What makes a task wait for ever without a word to people: a pool that is not there, or nobody who takes up a deferred task.

Airflow says the first in the scheduler's log alone, the second nowhere. Only Airflow's own database tells, which no task may ask
(measured on Airflow 3.3.2). So the scheduler asks when a run begins, the API server for the page Health, `audiences preflight`
where it can.
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow.configuration import conf
from airflow.jobs.job import Job
from airflow.models.dag import DagModel
from airflow.models.pool import Pool
from airflow.models.trigger import Trigger
from airflow.utils.session import create_session
from sqlalchemy import make_url, or_, select
from sqlalchemy.exc import SQLAlchemyError

from audiences.campaign.read_campaign import RESERVED
from audiences.campaign.settings import POOL
from audiences.campaign.wording import counted
from audiences.checklist import Check, State
from audiences.redact import harmless_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from sqlalchemy.orm import Session

    from audiences.campaign.spec import CampaignSpec

TAKEN_WITHIN: Final = timedelta(minutes=2)
"""A triggerer takes up what waits within seconds, and what another one had when it died within half a minute."""
_NAMED: Final = 3


def pools_in(specs: Iterable[CampaignSpec]) -> dict[str, set[str]]:
    """The pools of all DAGs that a project has, by the DAG; a draft needs none of its own."""
    found = {spec.id: {spec.pool, Pool.DEFAULT_POOL_NAME} for spec in specs if spec.campaign.status == "published"}
    live, upkeep = RESERVED
    return {**found, live: {Pool.DEFAULT_POOL_NAME}, upkeep: {POOL, Pool.DEFAULT_POOL_NAME}}


def has_database() -> bool:
    """Whether this process is configured for a database of Airflow's; by default that is a file, which may not be there."""
    address = make_url(conf.get("database", "sql_alchemy_conn"))
    return address.get_backend_name() != "sqlite" or Path(address.database or "").is_file()


def checks(pools_of: Mapping[str, Collection[str]]) -> tuple[Check, ...]:
    """A line for each pool of these DAGs in which tasks wait for ever, and for waits that no triggerer has taken up.

    What is well is told in two lines; an Airflow database that does not answer in one, which is no fault of the installation.
    """
    try:
        with create_session() as session:
            pools, triggers = list(closed_pools(pools_of, session)), list(_not_taken_up(session))
    except SQLAlchemyError as error:
        found = f"not looked at: Airflow's database does not answer here ({type(error).__name__})"
        return (Check("pools", State.OK, found, "The page Health of Audiences in the Airflow UI tells it."),)
    named = ", ".join(
        f"`{harmless_line(name)}`" for name in sorted({name for names in pools_of.values() for name in names})
    )
    return (
        *(pools or [Check("pools", State.OK, f"all are there, with slots: {named}")]),
        *(triggers or [Check("triggerers", State.OK, "they have taken up whatever waits")]),
    )


def closed_pools(pools_of: Mapping[str, Collection[str]], session: Session) -> Iterator[Check]:
    """A line for each of the pools, given by DAG, that lets a task of the DAG wait for ever."""
    wanted = {name for names in pools_of.values() for name in names}
    known = {pool.pool: pool for pool in session.scalars(select(Pool).where(Pool.pool.in_(wanted)))}
    for name in sorted(wanted):
        pool, dags = known.get(name), [dag for dag, names in pools_of.items() if name in names]
        if pool is None:
            yield _closed(name, "Airflow has no such pool", dags, "Make it", None)
        elif pool.slots == 0:
            yield _closed(name, "it has no slots", dags, "Give it some", pool.team_name)
        elif strangers := _of_another_team(pool, dags, session):
            why = f"it belongs to the team `{pool.team_name}`, and they do not"
            yield _closed(name, why, strangers, "Give it the right team, or none", None)


def _of_another_team(pool: Pool, dags: list[str], session: Session) -> list[str]:
    if pool.team_name is None or not conf.getboolean("core", "multi_team"):
        return []
    teams = DagModel.get_dag_id_to_team_name_mapping(dags, session=session)
    return [dag for dag in dags if teams.get(dag) != pool.team_name]


def _closed(name: str, why: str, dags: list[str], remedy: str, team: str | None) -> Check:
    named = ", ".join(f"`{harmless_line(dag)}`" for dag in dags[:_NAMED])
    more = f" and {counted(len(dags) - _NAMED, 'other DAG')}" if len(dags) > _NAMED else ""
    of_team = f" --team-name {shlex.quote(team)}" if team else ""
    return Check(
        f"pool {harmless_line(name)}",
        State.FAIL,
        f"{why}, so tasks of {named}{more} that are in it wait for ever",
        f"{remedy}: `airflow pools set {harmless_line(shlex.quote(name))} 2 'Calls to Facebook'{of_team}`.",
    )


def _not_taken_up(session: Session) -> Iterator[Check]:
    """A line for each team whose deferred tasks or missed deadlines no triggerer has; one takes only those of its own team."""
    now = datetime.now(UTC)
    alive = select(Job.id).where(
        Job.job_type == "TriggererJob",
        Job.end_date.is_(None),
        Job.latest_heartbeat > now - timedelta(seconds=conf.getfloat("triggerer", "triggerer_health_check_threshold")),
    )
    left = select(Trigger.team_name, Trigger.created_date).where(
        or_(Trigger.triggerer_id.is_(None), Trigger.triggerer_id.not_in(alive)),
        Trigger.created_date < now - TAKEN_WITHIN,
    )
    by_team: dict[str, list[datetime]] = {}
    teams = conf.getboolean("core", "multi_team")
    for team, begun in session.execute(left):
        by_team.setdefault(team or "" if teams else "", []).append(begun)
    for team, since in sorted(by_team.items()):
        option = f" --team-name {shlex.quote(team)}" if team else ""
        yield Check(
            f"triggerer of the team {team}" if team else "triggerer",
            State.FAIL,
            f"{counted(len(since), 'wait')} of deferred tasks and missed deadlines taken up by none, the oldest of "
            f"{min(since):%d %B %Y %H:%M} UTC",
            f"Start one: `airflow triggerer{option}`. Until then they wait.",
        )

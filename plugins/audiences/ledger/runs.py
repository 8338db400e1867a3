"""Runs of campaigns on record: started once, ended once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from psycopg.types.json import Jsonb

from audiences.errors import AudiencesError, StoppedError
from audiences.ledger import approvals
from audiences.ledger.transitions import Transitions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from audiences.ledger.database import Ledger


class RunState(StrEnum):
    """State of a run; `abandoned`: its process ended without a word."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    STOPPED = "stopped"
    ABANDONED = "abandoned"


EndedState = Literal[RunState.SUCCESS, RunState.FAILED, RunState.STOPPED]
_ENDED: Final = frozenset({RunState.SUCCESS, RunState.FAILED, RunState.STOPPED})
TRANSITIONS: Final = Transitions(
    "run",
    "run",
    {
        RunState.RUNNING: frozenset(RunState),
        # Closed once more by the step that closes it, with what is on record by then.
        RunState.SUCCESS: _ENDED,
        # Taken up again, unless it was closed with its counts.
        RunState.FAILED: _ENDED | {RunState.RUNNING},
        RunState.STOPPED: _ENDED | {RunState.RUNNING},
        # Its process was given up for dead, and was not.
        RunState.ABANDONED: _ENDED | {RunState.RUNNING},
    },
)


@dataclass(frozen=True, slots=True)
class Noted:
    """What is on record of a run under way: `planned` and `rejected` counts, the last `error`, whether a guard `stopped` it."""

    planned: dict[str, int]
    rejected: dict[str, dict[str, int]]
    warnings: tuple[str, ...]
    error: str | None
    stopped: bool


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What the ledger knows of the runs that a campaign's schedule began, whatever Airflow has forgotten.

    `others`: how many were begun for another time than the one asked about; `planned`: the number of one that got as far as a
    plan, of whatever time, and `same`: of one for this very time that was closed after that. None each where there is none.
    """

    others: int
    planned: int | None
    same: int | None


UNDER_WAY: Final = (
    "(r.state = %(running)s and (r.started_at > now() - interval '1 day' or exists"
    " (select 1 from audiences.approval a where a.run_id = r.id and a.state = any(%(open)s) and a.until > now())))"
)
"""Runs, called r, that have begun and not ended; one that began a day ago has died, unless it waits for an answer."""
NEVER_SCHEDULED: Final = Scheduled(0, None, None)


def start(
    ledger: Ledger,
    *,
    campaign: int,
    external_id: str,
    digest: str,
    config: Mapping[str, object],
    control_terms: str,
    as_of: datetime,
    now: datetime,
    due: datetime | None = None,
    staging: str,
) -> int:
    """Put a run on record and give its number. `due` is the time of the schedule for which it is begun.

    The same `external_id` is the same run, taken up again, until it has been closed; after that it is another one. So it is for
    another version of the campaign, or other control groups: assignments are told by the terms that are on record of their run.
    """
    return ledger.number(
        """
        with last as (
            select again, outcomes <> '{}' or state = %(success)s
                or config_digest <> %(digest)s or control_terms <> %(terms)s as over
            from audiences.run where campaign_id = %(campaign)s and external_id = %(external_id)s order by again desc limit 1
        )
        insert into audiences.run
            (campaign_id, external_id, again, config_digest, config, control_terms, as_of, assigned_at, due, state,
             started_at, staging)
        values (%(campaign)s, %(external_id)s, coalesce((select again + over::int from last), 0), %(digest)s,
            %(config)s, %(terms)s, %(as_of)s, %(now)s, %(due)s, %(running)s, now(), %(staging)s)
        on conflict (campaign_id, external_id, again) do update set state = excluded.state, ended_at = null, error = null,
            stopped = false, warnings = '{}', planned = run.planned - 'leaving', as_of = excluded.as_of,
            timings = '{}', step_ended_at = null
        returning id
        """,
        {
            "campaign": campaign,
            "external_id": external_id,
            "digest": digest,
            "config": Jsonb(config),
            "terms": control_terms,
            "as_of": as_of,
            "now": now,
            "due": due,
            "staging": staging,
            "running": RunState.RUNNING,
            "success": RunState.SUCCESS,
        },
    )


def abandon_others(ledger: Ledger, *, campaign: int, run: int) -> None:
    """Close earlier runs of the campaign that never ended: their process is gone."""
    ledger.sql.execute(
        "update audiences.run set state = %s, ended_at = now(), error = 'the process ended without a word'"
        " where campaign_id = %s and id <> %s and state = any(%s)",
        (RunState.ABANDONED, campaign, run, TRANSITIONS.before(RunState.ABANDONED)),
    )


def is_overtaken(ledger: Ledger, run: int) -> bool:
    """Whether another run of the campaign has begun since: this one was given up for dead then, or had ended before."""
    return ledger.holds(
        "select r.state = %(abandoned)s or r.state <> %(running)s and exists ("
        " select from audiences.run o where o.campaign_id = r.campaign_id and o.id > r.id)"
        " from audiences.run r where r.id = %(run)s",
        {"abandoned": RunState.ABANDONED, "running": RunState.RUNNING, "run": run},
    )


def ended_before(ledger: Ledger, run: int, since: timedelta) -> datetime | None:
    """When the run ended, if that is longer ago; None while it is under way, or where somebody took it up again soon."""
    return ledger.value(
        datetime,
        "select ended_at from audiences.run where id = %(run)s and state <> %(running)s and ended_at < now() - %(since)s",
        {"run": run, "running": RunState.RUNNING, "since": since},
    )


def another_has_begun(ledger: Ledger, *, campaign: int, run: int) -> bool:
    """Whether another run of the campaign is on its way: it has given up this one, and claims the audience by now."""
    return ledger.holds(
        "select exists (select from audiences.run where campaign_id = %(campaign)s and id <> %(run)s and state = %(running)s)",
        {"campaign": campaign, "run": run, "running": RunState.RUNNING},
    )


def under_way(ledger: Ledger, campaign: int) -> bool:
    """Whether a run of the campaign has begun and not ended; one that began a day ago has died, unless it waits for an answer."""
    return ledger.holds(
        f"select exists (select 1 from audiences.run r where campaign_id = %(campaign)s and {UNDER_WAY})",  # noqa: S608  # a constant
        {"campaign": campaign, "running": RunState.RUNNING, "open": approvals.OPEN},
    )


def plan(
    ledger: Ledger,
    run: int,
    *,
    audience: int,
    planned: dict[str, int],
    rejected: dict[str, dict[str, int]],
    now: datetime,
) -> None:
    """Record what the run set out to do: counts by outcome, and values that were rejected by identifier and reason.

    `now` is when the users of the run were assigned, whatever time it looked at: nobody was sent before.
    """
    ledger.sql.execute(
        "update audiences.run set audience_id = %s, planned = %s, rejected = %s, assigned_at = %s where id = %s",
        (audience, Jsonb(planned), Jsonb(rejected), now, run),
    )


@dataclass(frozen=True, slots=True)
class LastSent:
    """The last run of a campaign of which Facebook took something."""

    id: int
    at: datetime


def last_sent(ledger: Ledger, campaign: int, *, but_run: int) -> LastSent | None:
    """The campaign's last run that sent, other than that one; None where nothing was ever sent."""
    return ledger.row(
        LastSent,
        "select r.id, r.started_at as at from audiences.run r where r.campaign_id = %(campaign)s and r.id <> %(run)s"
        " and exists (select 1 from audiences.chunk c where c.run_id = r.id and c.acknowledged_at is not null)"
        " order by r.id desc limit 1",
        {"campaign": campaign, "run": but_run},
    )


def of_schedule(ledger: Ledger, campaign: int, due: datetime) -> Scheduled:
    """The runs that the campaign's schedule began, seen from the time `due`."""
    found = ledger.row(
        Scheduled,
        "select count(distinct due) filter (where due <> %(due)s)::int as others,"
        " max(r.id) filter (where audience_id is not null) as planned,"
        " max(r.id) filter (where due = %(due)s and audience_id is not null and outcomes <> '{}') as same"
        " from audiences.run r where campaign_id = %(campaign)s and due is not null",
        {"campaign": campaign, "due": due},
    )
    return found or NEVER_SCHEDULED


def counted(ledger: Ledger, run: int, counts: dict[str, int]) -> None:
    """Record the counts of a run that goes no further: those of `plan`, and under `leaving` whom it would have removed."""
    ledger.sql.execute("update audiences.run set planned = planned || %s where id = %s", (Jsonb(counts), run))


def noted(ledger: Ledger, run: int) -> Noted:
    """What is on record of a run. Raises IllegalTransitionError for one that is not."""
    found = ledger.row(
        Noted,
        "select planned, rejected, warnings, error, stopped from audiences.run where id = %(run)s",
        {"run": run},
    )
    if found is None:
        raise TRANSITIONS.illegal(ledger, run, RunState.SUCCESS)
    return found


def note_error(ledger: Ledger, run: int, error: Exception) -> None:
    """Put on record why a step failed; it may still be retried."""
    ledger.sql.execute(
        "update audiences.run set error = %s, stopped = %s where id = %s",
        (error_text(error), isinstance(error, StoppedError), run),
    )


def reject(ledger: Ledger, run: int, reasons: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Add whole rows that Facebook refused, by reason, to the rejected values on record; gives all of them."""
    found = ledger.value(
        dict,
        "update audiences.run set rejected = rejected || %(rows)s where id = %(run)s returning rejected",
        {"rows": Jsonb({"row": dict(reasons)} if reasons else {}), "run": run},
    )
    return dict(found or {})


def warn(ledger: Ledger, run: int, warnings: Sequence[str]) -> None:
    """Put on record what a person should look at though it stops nothing; each sentence once."""
    if not warnings:
        return
    ledger.sql.execute(
        """
        update audiences.run set warnings = warnings || array(
            select w from unnest(%s::text[]) with ordinality as said (w, at) where w <> all (warnings) order by at)
        where id = %s
        """,
        (list(warnings), run),
    )


def error_text(error: Exception) -> str:
    """What may stand in the ledger: our own errors are free of personal data, the texts of others need not be."""
    return str(error) if isinstance(error, AudiencesError) else f"{type(error).__name__}; the log says more"


def end(
    ledger: Ledger,
    run: int,
    *,
    state: EndedState,
    outcomes: dict[str, int] | None = None,
    requests: int = 0,
    timings: dict[str, float] | None = None,
    error: str | None = None,
    size: int | None = None,
    rekeyed: int = 0,
) -> None:
    """Close the run with its outcome counts, of which `rekeyed` are among the kept, and the `size` of its audience in rows.

    `timings` come to those that its steps have put on record.
    Raises IllegalTransitionError for a run that is not on record.
    """
    TRANSITIONS.move(
        ledger,
        run,
        state,
        "ended_at = now(), outcomes = %(outcomes)s, requests = %(requests)s, timings = timings || %(timings)s, error = %(error)s,"
        " size = %(size)s, rekeyed = %(rekeyed)s",
        outcomes=Jsonb(outcomes or {}),
        requests=requests,
        timings=Jsonb(timings or {}),
        error=error,
        size=size,
        rekeyed=rekeyed,
    )

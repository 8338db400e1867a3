"""What about a campaign a person should look at first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from audiences.campaign.wording import counted
from audiences.ledger.approvals import ApprovalState
from audiences.reporting import doubt_words
from audiences.reporting.run_phase import RunPhase, phase_of
from audiences.reporting.run_words import moment
from audiences.reporting.send_times import OVERDUE_AFTER
from audiences.reporting.shape import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.errors import Problem
    from audiences.ledger.live_standing import LiveStanding
    from audiences.ledger.run_records import LastRun
    from audiences.reporting.send_times import SendTimes

NOT_READ_AFTER: Final = timedelta(minutes=5)
"""The dispatcher looks every few seconds; so long without a look means that it does not run."""


class Attention(StrEnum):
    """Kinds of problems, the most urgent first."""

    BROKEN_FILE = "broken_file"
    IN_DOUBT = "in_doubt"
    FAILED = "failed"
    DIED = "died"
    STOPPED = "stopped"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    NOT_READ = "not_read"
    OVERDUE = "overdue"
    NO_FILE = "no_file"

    @property
    def rank(self) -> int:
        """The place in the order of urgency, from 0."""
        return list(Attention).index(self)


class Trouble(Shown):
    """A problem of a campaign: its kind, what it is, and what a person does about it."""

    kind: Attention
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What is known of a campaign; `spec` is None for one whose file is broken or gone, `held` says that it still holds members.

    `digest` gives that of the file as it is now, which was written at `changed_at`.
    """

    id: str
    spec: CampaignSpec | None
    problems: tuple[Problem, ...]
    last_run: LastRun | None
    doubt: str | None
    created: bool
    live: LiveStanding | None
    held: bool
    digest: Callable[[], str]
    changed_at: datetime | None
    over: bool


def troubles(facts: CampaignFacts, times: SendTimes, now: datetime) -> list[Trouble]:
    """All there is, the most urgent first; of a failed or stopped run the reason is that of the run, told elsewhere."""
    return sorted(_found(facts, times, now), key=lambda each: each.kind.rank)


def _found(facts: CampaignFacts, times: SendTimes, now: datetime) -> Iterator[Trouble]:
    if facts.problems:
        yield _broken(facts.problems)
    if facts.doubt:
        yield _doubted(facts)
    if facts.last_run:
        yield from _of_run(facts.last_run, now)
    if facts.held and facts.spec is None and not facts.problems:
        yield Trouble(
            kind=Attention.NO_FILE,
            reason="its file is gone, and members of it are still in an audience, which no run changes any more",
            remedy="Bring the file back; or name this id under `formerly` in the file that goes on with it; or delete the "
            "audience in Ads Manager once no ad set needs it.",
        )
    if facts.spec is not None and facts.spec.campaign.status == "published" and not facts.over:
        yield from _silent(facts, facts.spec, times, now)


def _broken(problems: tuple[Problem, ...]) -> Trouble:
    more = f", and {counted(len(problems) - 1, 'other problem')}" if len(problems) > 1 else ""
    return Trouble(
        kind=Attention.BROKEN_FILE,
        reason=f"{problems[0]}{more}",
        remedy="Correct the file and commit it; until then the campaign does not run. `audiences validate` shows every problem.",
    )


def _doubted(facts: CampaignFacts) -> Trouble:
    action = facts.spec.campaign.what.audience.action if facts.spec else None
    return Trouble(
        kind=Attention.IN_DOUBT,
        reason=f"it is not known whom the audience holds: {facts.doubt}",
        remedy=doubt_words.remedy(facts.id, created=facts.created, action=action),
    )


_WRONG: Final = {
    RunPhase.FAILED: (Attention.FAILED, "failed"),
    RunPhase.STOPPED: (Attention.STOPPED, "was stopped by a guard before anything was sent"),
    RunPhase.DIED: (Attention.DIED, "ended without a word"),
}


_UNAPPROVED: Final = {
    ApprovalState.REJECTED: (Attention.REFUSED, "sent nothing: its approval was refused"),
    ApprovalState.UNANSWERED: (Attention.UNANSWERED, "sent nothing: nobody answered in time whether it may"),
    ApprovalState.LAPSED: (Attention.STOPPED, "sent nothing: it is not approved"),
}


def _of_run(last: LastRun, now: datetime) -> Iterator[Trouble]:
    log = f"`audiences run-detail {last.id}` says why, and what to do."
    phase = phase_of(last, now)
    found = _UNAPPROVED.get(last.approval) if phase is RunPhase.STOPPED and last.approval else None
    if found := found or _WRONG.get(phase):
        kind, words = found
        yield Trouble(kind=kind, reason=f"the last run {words}", remedy=log)


def _silent(facts: CampaignFacts, spec: CampaignSpec, times: SendTimes, now: datetime) -> Iterator[Trouble]:
    if spec.campaign.qualification == "live":
        yield from _not_read(facts, now)
        return
    since = _since(facts)
    expected = times.expected(spec, since) if since else None
    if expected and now - expected > OVERDUE_AFTER and not (facts.last_run and facts.last_run.ended_at is None):
        yield Trouble(
            kind=Attention.OVERDUE,
            reason=f"a run was to send on {moment(expected.astimezone(spec.zone))}, and none is on record",
            remedy=f"See that the DAG `{facts.id}` is not paused and that Airflow's scheduler is up; a run may also be waiting "
            "for a pool or for another run.",
        )


def _not_read(facts: CampaignFacts, now: datetime) -> Iterator[Trouble]:
    remedy = "See that the DAG `audiences_live` is not paused, and that Airflow's triggerer is up."
    live = facts.live
    if live is None:
        if facts.changed_at and now - facts.changed_at > NOT_READ_AFTER:
            reason = "nobody watches for its events"
            yield Trouble(kind=Attention.NOT_READ, reason=reason, remedy=remedy)
    elif live.error:
        yield Trouble(
            kind=Attention.NOT_READ, reason=f"the last look for its events failed: {live.error}", remedy=remedy
        )
    elif now - live.read_to > NOT_READ_AFTER:
        reason = f"the warehouse was last looked at for its events on {moment(live.read_to)}"
        yield Trouble(kind=Attention.NOT_READ, reason=reason, remedy=remedy)


def _since(facts: CampaignFacts) -> datetime | None:
    """From when on runs are expected: the last one, or the time at which the file became what it is."""
    last, changed_at = facts.last_run, facts.changed_at
    if last is None or changed_at is None:
        return last.started_at if last else changed_at
    # A deployment writes every file anew, and most of them say what they said before.
    same = changed_at <= last.started_at or last.config_digest == facts.digest()
    return last.started_at if same else changed_at

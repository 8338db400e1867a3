"""A run on record in one plain sentence, in the words of the command that ran it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final, get_args

from audiences.campaign.what import Action
from audiences.campaign.wording import counted
from audiences.ledger.run_timings import QUEUED
from audiences.ledger.runs import RunState
from audiences.pipeline.results import AudienceSize, Summary, Would
from audiences.reporting.remedy import Told
from audiences.reporting.run_phase import RunPhase, phase_of
from audiences.who.outcome_words import in_words
from audiences.who.outcomes import Outcomes

if TYPE_CHECKING:
    from datetime import datetime

    from audiences.ledger.run_records import RunRecord

_NAMES: Final = frozenset(field.name for field in fields(Outcomes))
_STEPS: Final = ("open_run", "extract", "select", "plan", "remove", "add", "remove_late", "link_ad_sets", "close_run")
_ABANDONED = Told(
    reason="its process ended without a word",
    remedy="The next run goes on from what is on record. The log of its tasks says how far it came.",
)
_DIED = Told(
    reason="it began more than a day ago and never ended, so its process is gone",
    remedy="See the log of its tasks. The next run goes on from what is on record.",
)


_UNCOUNTED: Final = {
    RunPhase.RUNNING: "Nobody has been counted yet.",
    RunPhase.WAITING: "Nobody has been counted yet.",
    RunPhase.DIED: "Its process was gone before anybody was counted, as far as is on record.",
}
_NO_REQUEST: Final = {
    RunPhase.RUNNING: "No request is planned yet.",
    RunPhase.WAITING: "Nothing is sent before somebody has approved it.",
    RunPhase.DIED: "No request was sent, as far as is on record.",
    RunPhase.SUCCESS: "No request was needed.",
}


def uncounted(phase: RunPhase) -> str:
    """What is said of a run that has no counts."""
    return _UNCOUNTED.get(phase, "It ended before anybody was counted.")


def no_request(phase: RunPhase, *, planned: bool) -> str:
    """What is said of a run that has no request on record; `planned`: it has found out what is to be sent."""
    if phase is RunPhase.RUNNING and planned:
        return "No request is needed."
    return _NO_REQUEST.get(phase, "No request was sent.")


def summary_of(run: RunRecord) -> Summary | None:
    """What `audiences run` printed of the run; None for one that has not ended, or not with a word."""
    if run.state in (RunState.RUNNING, RunState.ABANDONED):
        return None
    would = (
        Would(added=run.planned.get("begun", 0), removed=run.planned["leaving"])
        if stopped_after_counting(run)
        else None
    )
    return Summary.model_validate(
        {
            "run": run.id,
            "campaign": run.campaign,
            "state": str(run.state),
            "at": run.as_of,
            "outcomes": outcomes_of(run),
            "rekeyed": run.rekeyed,
            "requests": run.requests,
            "audience": AudienceSize(id=run.facebook_id or "", members=run.size or 0),
            "action": action_of(run),
            "would": would,
            "rejected": run.rejected,
            "timings": seconds_of(run),
            "error": run.error,
            "warnings": run.warnings,
        }
    )


def outcomes_of(run: RunRecord) -> dict[str, int]:
    """The run's counts in the order in which the steps decide, which a record does not keep; empty before users were counted."""
    if not run.outcomes:
        return {}
    return Outcomes(**{name: count for name, count in run.outcomes.items() if name in _NAMES}).as_dict()


def came(run: RunRecord) -> int | None:
    """How many users the run has put into the audience; None before users were counted."""
    added = outcomes_of(run).get("added")
    return 0 if added is not None and action_of(run) == "remove_matching" else added


def left(run: RunRecord) -> int | None:
    """How many it has taken out; of `remove_matching` whom it has sent for removal, members of ours among them."""
    return outcomes_of(run).get("added" if action_of(run) == "remove_matching" else "removed")


def seconds_of(run: RunRecord) -> dict[str, float]:
    """How long the steps took, in their order, each after how long it was queued, which it never is on the command line."""
    named = [name for step in _STEPS for name in (f"{step}{QUEUED}", step) if name in run.timings]
    return {step: run.timings[step] for step in (*named, *sorted(run.timings.keys() - set(named)))}


def stopped_after_counting(run: RunRecord) -> bool:
    """Whether the run has counted its users and went no further, so that nothing of it was sent."""
    return "leaving" in run.planned


def action_of(run: RunRecord) -> Action:
    """What the campaign did to its audience when it ran."""
    return next((action for action in get_args(Action) if action == run.action), "mirror")


def sentence(run: RunRecord, now: datetime) -> str:
    """One line on what came of the run."""
    phase, found = phase_of(run, now), summary_of(run)
    if phase is RunPhase.WAITING and run.asked_until:
        return f"waits since {moment(run.started_at)} for somebody to approve it, until {moment(run.asked_until)}"
    if found is None:
        return f"under way since {moment(run.started_at)}" if phase.goes_on else _dead(run).reason
    return found.in_words() if run.size is not None else _without_size(run, found)


def _without_size(run: RunRecord, found: Summary) -> str:
    """The same for a run that had no audience yet, or that is older than the record of sizes."""
    said = []
    if run.error:
        reason = run.error.rstrip(".")
        said.append(reason if reason.startswith(run.state) else f"{run.state}: {reason}")
    if found.counted:
        said.append(in_words(found.outcomes, rekeyed=run.rekeyed, action=found.action, sent=found.would is None))
    said.append(counted(run.requests, "request"))
    return "; warning: ".join(("; ".join(said), *run.warnings))


def trouble(run: RunRecord, now: datetime) -> Told | None:
    """Why the run did not succeed, and what to do; None for one that did, or that is under way."""
    phase = phase_of(run, now)
    if phase is RunPhase.SUCCESS or phase.goes_on:
        return None
    if phase is RunPhase.DIED:
        return _dead(run)
    return Told.of(run.error or "the run was ended from outside")


def _dead(run: RunRecord) -> Told:
    return _ABANDONED if run.state is RunState.ABANDONED else _DIED


def moment(at: datetime) -> str:
    """An instant for people, in UTC unless it has another zone."""
    return f"{at:%d %b %Y at %H:%M %Z}"

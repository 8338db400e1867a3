"""The funnel of a run: everybody who qualified, step by step down to those who were sent; it adds up before one's eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.reporting.run_phase import RunPhase
from audiences.reporting.run_words import action_of, outcomes_of, stopped_after_counting
from audiences.reporting.shape import Shown
from audiences.who.outcome_words import MEMBERS_FIRST, outcome_words
from audiences.who.outcomes import DECIDED, Outcomes, UnreconciledError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.campaign.what import Action
    from audiences.ledger.request_counts import Totals
    from audiences.ledger.run_records import RunRecord

_LEFT_OUT: Final = tuple(name for name in DECIDED if name != "targeted")
_TARGETED: Final = ("added", "kept", "failed")
_NOT_SENT: Final = "not sent"
_UNSENT: Final = {
    RunPhase.RUNNING: "still to be sent",
    RunPhase.WAITING: "to be sent once approved",
    RunPhase.DIED: "not sent, as far as is on record",
}


class FunnelStep(Shown):
    """A step at which `users` end in an `outcome`, in words, and `left` go on."""

    outcome: str
    words: str
    users: int
    left: int


class FunnelPart(Shown):
    """A part of the targeted: `users` of an `outcome`, in words."""

    outcome: str
    words: str
    users: int


class Funnel(Shown):
    """`qualified` users, less those of each step, are the `targeted`, who are made up of the parts.

    `rekeyed` of the kept have other identifiers than before. `removed` left the audience; they are outside the qualified.
    `difference` is None, for the counts add up; a record in which they do not says here by how much.
    """

    qualified: int
    steps: tuple[FunnelStep, ...]
    targeted: int
    parts: tuple[FunnelPart, ...]
    rekeyed: int
    removed: int
    removed_words: str
    difference: str | None


def funnel_of(run: RunRecord, sent: Totals, phase: RunPhase, *, custom: str | None = None) -> Funnel | None:
    """The run's funnel; None for one of which no counts are on record. `custom` names its custom control group.

    Of a run that was not closed with its counts they are those of its plan: `added` and `removed` is what was `sent` and
    acknowledged so far, `failed` the rest of those who are to be added, in words that say what is known of it.
    """
    closed = run.ended_at is not None and (
        stopped_after_counting(run) or run.state == "success" or any(run.outcomes.values())
    )
    if closed:
        return funnel(
            Outcomes(**outcomes_of(run)),
            action=action_of(run),
            custom=custom,
            rekeyed=run.rekeyed,
            unsent=_NOT_SENT if stopped_after_counting(run) else None,
        )
    if "qualified" not in run.planned:
        return None
    return funnel(
        _so_far(run.planned, sent), action=action_of(run), custom=custom, unsent=_UNSENT.get(phase, _NOT_SENT)
    )


def funnel(
    outcomes: Outcomes,
    *,
    action: Action = "mirror",
    custom: str | None = None,
    rekeyed: int = 0,
    unsent: str | None = None,
) -> Funnel:
    """Outcome counts as a funnel; `unsent` says of those who `failed` that they were not sent, in the words for the run."""
    counts, left, steps = outcomes.as_dict(), outcomes.qualified, []
    for name in _LEFT_OUT:
        left -= counts[name]
        words = outcome_words(name, action=action)
        if name == "control_custom" and custom:
            words = f"{words} ({custom})"
        steps.append(FunnelStep(outcome=name, words=words, users=counts[name], left=left))
    parts = [
        FunnelPart(outcome=name, words=outcome_words(name, action=action), users=counts[name]) for name in _TARGETED
    ]
    if unsent:
        parts[-1] = FunnelPart(outcome="failed", words=unsent, users=outcomes.failed)
    return Funnel(
        qualified=outcomes.qualified,
        steps=tuple(steps),
        targeted=outcomes.targeted,
        parts=tuple(parts),
        rekeyed=rekeyed,
        removed=outcomes.removed,
        removed_words=outcome_words(MEMBERS_FIRST[-1], action=action),
        difference=_difference(outcomes),
    )


def _so_far(planned: Mapping[str, int], sent: Totals) -> Outcomes:
    """The counts of a plan with what Facebook has acknowledged of it."""
    decided = {name: planned[name] for name in (*DECIDED, "qualified", "kept") if name in planned}
    begun = planned.get("begun", 0)
    added = min(begun, max(0, sent.begun + planned.get("begun_unsent", 0) - planned.get("begun_and_gone", 0)))
    return Outcomes(**decided, added=added, failed=begun - added, removed=sent.gone + planned.get("gone_unsent", 0))


def _difference(outcomes: Outcomes) -> str | None:
    try:
        outcomes.check()
    except UnreconciledError as error:
        return error.difference
    return None

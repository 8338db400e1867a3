"""The funnel of a run: everybody who qualified, step by step down to those who were sent; it adds up before one's eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audiences.pipeline.results import MEMBERS_FIRST, outcome_words
from audiences.reporting.run_words import action_of, outcomes_of, stopped_after_counting
from audiences.reporting.shape import Shown
from audiences.who.outcomes import DECIDED, Outcomes, UnreconciledError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.campaign.what import Action
    from audiences.ledger.run_records import RunRecord

_LEFT_OUT: Final = tuple(name for name in DECIDED if name != "targeted")
_TARGETED: Final = ("added", "kept", "failed")
_STILL_TO_BE_SENT: Final = "still to be sent"


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


def funnel_of(run: RunRecord, *, custom: str | None = None) -> Funnel | None:
    """The run's funnel; None for one that ended, or is, before its users are counted. `custom` names its custom control group.

    Of a run under way the users who are to be added are `failed`, in the words "still to be sent".
    """
    if run.ended_at is None:
        return (
            funnel(_planned(run.planned), action=action_of(run), custom=custom, under_way=True) if run.planned else None
        )
    counted = stopped_after_counting(run) or run.state == "success" or any(run.outcomes.values())
    if not counted:
        return None
    return funnel(
        Outcomes(**outcomes_of(run)),
        action=action_of(run),
        custom=custom,
        rekeyed=run.rekeyed,
        sent=not stopped_after_counting(run),
    )


def funnel(
    outcomes: Outcomes,
    *,
    action: Action = "mirror",
    custom: str | None = None,
    rekeyed: int = 0,
    sent: bool = True,
    under_way: bool = False,
) -> Funnel:
    """Outcome counts as a funnel; `sent` is False for a run that sent nothing."""
    counts, left, steps = outcomes.as_dict(), outcomes.qualified, []
    for name in _LEFT_OUT:
        left -= counts[name]
        words = outcome_words(name, action=action)
        if name == "control_custom" and custom:
            words = f"{words} ({custom})"
        steps.append(FunnelStep(outcome=name, words=words, users=counts[name], left=left))
    parts = [
        FunnelPart(outcome=name, words=outcome_words(name, action=action, sent=sent), users=counts[name])
        for name in _TARGETED
    ]
    if under_way:
        parts[-1] = FunnelPart(outcome="failed", words=_STILL_TO_BE_SENT, users=outcomes.failed)
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


def _planned(planned: Mapping[str, int]) -> Outcomes:
    decided = {name: planned[name] for name in (*DECIDED, "qualified", "kept") if name in planned}
    return Outcomes(**decided, failed=planned.get("begun", 0))


def _difference(outcomes: Outcomes) -> str | None:
    try:
        outcomes.check()
    except UnreconciledError as error:
        return error.difference
    return None

"""The funnel adds up: at every step those who end there and those who go on are those who came."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from audiences.reporting.funnel import Funnel, funnel
from audiences.who.outcomes import DECIDED, Outcomes

COUNTS = st.integers(min_value=0, max_value=10**9)


@st.composite
def outcomes(draw: st.DrawFn) -> Outcomes:
    """Any counts of a run that reconcile."""
    decided = {name: draw(COUNTS) for name in DECIDED if name != "targeted"}
    sent = {name: draw(COUNTS) for name in ("added", "kept", "failed")}
    targeted = sum(sent.values())
    qualified = sum(decided.values()) + targeted
    return Outcomes(**decided, **sent, targeted=targeted, qualified=qualified, removed=draw(COUNTS))


def adds_up(found: Funnel) -> bool:
    going = [found.qualified, *(step.left for step in found.steps)]
    steps = all(
        before - after == step.users for (before, after), step in zip(pairwise(going), found.steps, strict=True)
    )
    return steps and going[-1] == found.targeted == sum(part.users for part in found.parts)


@given(outcomes())
def test_every_step_of_a_run_that_reconciles_adds_up(counts: Outcomes) -> None:
    counts.check()
    found = funnel(counts)
    assert adds_up(found)
    assert found.difference is None
    everybody = sum(step.users for step in found.steps) + sum(part.users for part in found.parts)
    assert everybody == found.qualified == counts.qualified


@given(outcomes(), st.sampled_from(DECIDED), st.integers(min_value=1, max_value=1000))
def test_a_record_that_does_not_add_up_says_so(counts: Outcomes, name: str, more: int) -> None:
    wrong = Outcomes(**{**counts.as_dict(), name: getattr(counts, name) + more})
    assert "outcome" in (funnel(wrong).difference or "") or "targeted" in (funnel(wrong).difference or "")


def test_the_steps_come_in_the_order_in_which_a_run_decides() -> None:
    found = funnel(Outcomes())
    assert [step.outcome for step in found.steps] == [
        "filtered_out", "opted_out", "no_identifier", "control_system", "control_custom", "control_campaign", "over_cap",
    ]  # fmt: skip
    assert [part.outcome for part in found.parts] == ["added", "kept", "failed"]


def test_a_funnel_is_told_in_the_words_of_the_commands() -> None:
    counts = Outcomes(qualified=5, targeted=5, added=2, kept=2, failed=1)
    assert [part.words for part in funnel(counts).parts] == ["added", "kept", "failed"]
    assert [part.words for part in funnel(counts, unsent="not sent").parts] == ["added", "kept", "not sent"]
    suppressed = funnel(counts, action="remove_matching")
    assert [part.words for part in suppressed.parts] == ["sent for removal", "sent for removal before", "failed"]
    assert suppressed.removed_words == "members of ours among them"


def test_the_custom_control_group_is_called_by_its_name() -> None:
    words = {step.outcome: step.words for step in funnel(Outcomes(), custom="holiday").steps}
    assert words["control_custom"] == "control custom (holiday)"

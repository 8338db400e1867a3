"""Outcome counts add up, or say what does not."""

from __future__ import annotations

import pickle

import pytest

from audiences.who.outcomes import Outcomes, UnreconciledError

GOOD = Outcomes(
    filtered_out=5, opted_out=4, control_campaign=1, over_cap=2, targeted=8, added=5, kept=2, failed=1, removed=3, qualified=20
)  # fmt: skip


def test_names_come_in_the_order_of_the_steps() -> None:
    assert list(GOOD.as_dict()) == [
        "filtered_out", "opted_out", "no_identifier", "control_system", "control_custom", "control_campaign", "over_cap",
        "targeted", "added", "kept", "failed", "removed", "qualified",
    ]  # fmt: skip


def test_counts_of_parts_add_up_to_counts_that_reconcile() -> None:
    whole = GOOD + GOOD
    whole.check()
    Outcomes().check()
    assert whole.qualified == 40


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Outcomes(qualified=1), "0 users have an outcome, 1 qualified"),
        (Outcomes(targeted=1, qualified=1), "0 users were added, kept or failed, 1 targeted"),
        (Outcomes(filtered_out=-1, opted_out=1), "filtered_out below zero"),
    ],
)
def test_what_does_not_add_up_is_told_with_the_figures(wrong: Outcomes, said: str) -> None:
    with pytest.raises(UnreconciledError, match=said) as raised:
        wrong.check()
    assert pickle.loads(pickle.dumps(raised.value)).counts == wrong.as_dict()

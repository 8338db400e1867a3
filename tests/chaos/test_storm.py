"""The fault suite: many kinds of faults over many rounds of changing data, and nothing lost, doubled or left over.

`make chaos` lets it rage for as long as one likes.
"""

from __future__ import annotations

import sys
from itertools import islice

import pytest
from tests.chaos.suite import weather

pytestmark = pytest.mark.integration


def survive(capsys, rounds: int, **weather_of: float) -> None:
    for suite in islice(weather(**weather_of), rounds):
        assert suite.tally.survived == suite.tally.injected
    with capsys.disabled():
        sys.stdout.write(f"\n{suite.report()}\n")


@pytest.mark.slow
def test_a_short_storm_leaves_facebook_the_ledger_and_the_rules_in_agreement(capsys):
    survive(capsys, rounds=2, seed=3, users=3_000, patience=4)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", [11, 12])
def test_a_long_storm_leaves_facebook_the_ledger_and_the_rules_in_agreement(capsys, seed):
    survive(capsys, rounds=8, seed=seed, users=25_000, patience=15)

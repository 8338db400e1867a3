"""Campaigns whose truth is known, by the thousand: how often the interval covers it, how often chance looks like an effect.

The long tests are `make simulation`; the short ones are a cut of them with bounds for fewer campaigns.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from tests.goal.conftest import GOAL
from tests.goal.simulated import START, Law, counted, measured
from tests.pipeline.conftest import CATALOG

from audiences.campaign.spec import CampaignSpec
from audiences.goal.counting import Windows
from audiences.goal.report import Data, report

SEED = 20_261_124
LIFTED = Law(lift=0.015, dearer=1.1)
IDLE = Law()
DATA = Data(
    warehouse="w", events=0, newest_event=None, first_assigned=START, last_assigned=START, last_window_ends=START
)


@pytest.fixture(scope="module")
def spec() -> CampaignSpec:
    return CampaignSpec.model_validate(
        {
            "id": "simulated",
            "segments": {},
            "catalog": CATALOG,
            "account": {"id": "act_1", "connection": "facebook_main"},
            "control_groups": {},
            "timezone": "UTC",
            "campaign": {
                "name": "Simulated",
                "who": {"did": {"event": "Added To Cart"}, "control_group": {"percent": 25}},
                "what": {"audience": {"create": {"name": "Simulated"}}},
                "when": {"now": True},
                "goal": GOAL,
            },
        }
    )


@dataclass
class Tally:
    """Shares of the campaigns, for conversions and for revenue."""

    covered: dict[str, float] = field(default_factory=dict)
    significant: dict[str, float] = field(default_factory=dict)


def tally(spec: CampaignSpec, law: Law, campaigns: list) -> Tally:
    """What the product reports of each campaign, held against the law that made it."""
    windows = Windows(START, START, START, START, START, spared=0, begun=0, missed=0)
    hits = {"conversions": [0, 0], "revenue": [0, 0]}
    truth = {"conversions": law.lift, "revenue": law.revenue_lift}
    for counts in campaigns:
        found = report(spec, spec.campaign.goal, at=START, counts=counts, windows=windows, data=DATA)
        (comparison,) = found.comparisons
        for what, tallied in hits.items():
            estimate = getattr(comparison, what)
            tallied[0] += estimate.low <= truth[what] <= estimate.high
            tallied[1] += estimate.significant
            assert estimate.significant == (estimate.low > 0 or estimate.high < 0)
    number = len(campaigns)
    return Tally(
        {what: covered / number for what, (covered, _) in hits.items()},
        {what: significant / number for what, (_, significant) in hits.items()},
    )


def test_some_campaigns_with_a_known_lift(spec, tmp_path):
    random = np.random.default_rng(SEED)
    found = tally(spec, LIFTED, [measured(LIFTED, random, tmp_path) for _ in range(60)])
    assert all(share >= 0.86 for share in found.covered.values()), found
    assert all(share > 0.4 for share in found.significant.values()), found


def test_some_campaigns_without_any(spec):
    random = np.random.default_rng(SEED)
    found = tally(spec, IDLE, [counted(IDLE, random) for _ in range(300)])
    assert all(0.02 <= share <= 0.08 for share in found.significant.values()), found


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_interval_covers_a_known_lift_in_95_of_100_campaigns(spec, tmp_path):
    """1,000 campaigns of 9,000 users each, measured from assignments and events."""
    random = np.random.default_rng(SEED)
    found = tally(spec, LIFTED, [measured(LIFTED, random, tmp_path) for _ in range(1000)])
    print(f"\nwith a lift of {LIFTED.lift:.3f} and {LIFTED.revenue_lift:.2f} per user: {found}")  # noqa: T201  # the figures are the point
    assert all(0.93 <= share <= 0.97 for share in found.covered.values()), found


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_chance_alone_looks_significant_in_5_of_100_campaigns(spec):
    """10,000 campaigns, because among 1,000 chance alone would leave 4 to 6 percent every seventh time."""
    random = np.random.default_rng(SEED)
    found = tally(spec, IDLE, [counted(IDLE, random) for _ in range(10_000)])
    print(f"\nwithout any: {found}")  # noqa: T201  # the figures are the point
    assert all(0.04 <= share <= 0.06 for share in found.significant.values()), found

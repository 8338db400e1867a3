from __future__ import annotations

from datetime import timedelta

import pytest

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


def test_targets_are_compared_with_their_control_group(goals, by_arm):
    goals.carts(600)
    spec = goals.campaign(percent=50)
    goals.shop.run(spec)
    targets, controls = goals.arm("carts", "target"), goals.arm("carts", "campaign")
    for user in targets[:80]:
        goals.charge(user, DAY)
    for user in controls[:40]:
        goals.charge(user, DAY, amount=5)
    report = goals.report(spec)
    arms = by_arm(report)
    assert (arms["target"].users, arms["target"].converters) == (len(targets), 80)

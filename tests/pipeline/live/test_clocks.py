"""The clocks of the warehouse and of the machine that runs a batch are seldom quite the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

pytestmark = pytest.mark.integration
SECOND = timedelta(seconds=1)


def test_a_batch_is_run_as_of_the_time_at_which_it_was_formed_where_the_own_clock_is_behind(live):
    live.campaign(
        who={
            "all": [{"did": {"event": "Added To Cart", "within": "last 30 days"}}, {"did_not": {"event": "Charged"}}],
            "control_group": {"system": False},
        }
    )
    live.poll()
    for user in (1, 2):
        live.event(user)
    live.event(2, "Charged", at=live.now + SECOND)
    (batch,) = live.poll(2 * SECOND).batches
    live.now -= 5 * SECOND
    live.run(batch)
    assert live.members() == {1}
    assert live.states() == {"exported": 1, "not_qualified": 1}

"""Batches that were formed inside a window and whose run begins outside."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.pipeline.preconditions.export_windows import OutsideWindowsError

pytestmark = pytest.mark.integration
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


@pytest.mark.parametrize(("outside", "members"), [("hold", {1, 2}), ("drop", {2})])
def test_a_run_that_begins_as_the_window_has_closed_is_held_or_its_batch_is_over(live, outside, members):
    live.campaign(when={"windows": [{"from": "11:00", "to": "12:10"}], "outside": outside, "limit": "once"})
    live.poll()
    live.now += timedelta(minutes=9, seconds=40)
    live.event(1)
    (batch,) = live.poll().batches
    live.now += 20 * SECOND
    with pytest.raises(OutsideWindowsError):
        live.run(batch)
    assert live.states() == ({"dropped": 1} if outside == "drop" else {"batched": 1})
    assert live.poll(22 * HOUR).batches == []
    live.now += 49 * timedelta(minutes=1)
    live.event(2)
    for summary in [*live.poll_and_run(2 * timedelta(minutes=1)), *live.poll_and_run()]:
        assert summary.state == "success"
    assert live.members() == members

"""A campaign that is edited while events wait: what is decided are the rules of then."""

from __future__ import annotations

from datetime import timedelta

import pytest

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("longer", [{"unless": {"event": "Charged", "within": "2 hours"}}, {"after": "2 hours"}])
def test_a_wait_that_is_made_longer_holds_for_events_that_wait_already(live, longer):
    live.campaign(when={"unless": {"event": "Charged", "within": "30 minutes"}})
    live.poll()
    for user in (1, 2):
        live.event(user)
    live.event(2, "Charged", at=live.now + 60 * MINUTE)
    live.poll()
    live.campaign(when=longer)
    assert live.poll(31 * MINUTE).batches == []
    assert live.states() == {"waiting": 2}
    live.poll_and_run(90 * MINUTE)
    assert live.members() == ({1} if "unless" in longer else {1, 2})

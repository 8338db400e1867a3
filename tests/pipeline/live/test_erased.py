from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.pipeline.test_erase import resources_of

from audiences.pipeline.erase import erase

pytestmark = pytest.mark.integration


def test_events_of_an_erased_user_do_not_even_go_on_record(live):
    live.campaign()
    live.poll()
    for user in (1, 2):
        live.event(user)
    live.poll_and_run()
    assert live.members() == {1, 2}
    with resources_of(live.shop) as resources:
        found = erase(resources, "1", datetime.now(UTC))
    assert (found.state, found.ledger["live_event"], live.members()) == ("done", 1, {2})
    for user in (1, 2, 3):
        live.event(user)
    live.poll_and_run()
    assert live.members() == {2, 3}
    assert live.shop.sql("select count(*) from audiences.live_event where user_id = '1'", on="ledger") == [(0,)]

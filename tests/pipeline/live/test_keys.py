"""A users' key that is an address does not come into the ledger with an event either."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


def test_the_watch_for_live_events_stores_none(live):
    live.shop.sql("alter table users add code text; alter table events add code text")
    live.catalog["users"]["key"] = live.catalog["events"]["user"] = "code"
    live.campaign()
    live.shop.sql("update users set code = 'jane@example.com' where id = 1")
    live.poll()
    live.event(1, code="jane@example.com")
    polled = live.poll()
    assert "have an e-mail address or a phone number there" in str(polled.errors["carts"])
    assert live.shop.sql("select count(*) from audiences.live_event", on="ledger") == [(0,)]

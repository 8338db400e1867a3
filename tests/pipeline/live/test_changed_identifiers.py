"""Identifiers added to a live campaign: its batches see a few users each, so none of them completes the change."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


def test_a_batch_without_the_earlier_members_does_not_complete_the_change(live):
    live.shop.sql("update users set phone = '+141555500' || lpad(id::text, 2, '0')")
    live.campaign(what={"identifiers": ["email"]})
    live.poll()
    live.event(1)
    live.poll_and_run()
    live.campaign(what={"identifiers": ["email", "phone"]})
    live.event(2)
    live.poll_and_run()
    sent = len(live.shop.uploads())
    live.event(1)
    (summary,) = live.poll_and_run()
    # The user stays without a break: under the new keys first, then no longer under the old ones.
    assert [entry["method"] for entry in live.shop.uploads()[sent:]] == ["POST", "DELETE"]
    rows = {live.shop.row_of(f"user{n}@example.com", f"+1415555000{n}") for n in (1, 2)}
    assert live.shop.members(summary.audience.id) == rows

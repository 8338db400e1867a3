"""What `preview` and `explain` say of a live campaign."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.pipeline.explain import explain
from audiences.pipeline.preview import statement

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)


def test_a_preview_is_about_the_users_of_the_last_days_events(live):
    spec = live.campaign(
        who={"control_group": {"system": False}, "with_properties": {"tier": {"not_in": ["tin"]}}},
        when={"unless": {"event": "Charged", "within": "30 minutes"}},
    )
    live.shop.sql("update users set tier = 'tin' where id = 4")
    for user, minutes in ((1, 25 * 60), (2, 60), (3, 10), (4, 90), (5, 100), (5, 110)):
        live.event(user, at=live.now - minutes * MINUTE)
    live.event(2, "Charged", at=live.now - 50 * MINUTE)
    found = live.shop.preview(spec, at=live.now)
    assert found.events == {"of_the_last_day": 5, "still_wait": 1, "excluded": 1}
    assert (found.outcomes["qualified"], found.outcomes["filtered_out"], found.changes.add) == (2, 1, 1)
    assert found.stopped is None
    assert "5 of the last day" in found.in_words()
    live.poll()
    assert live.shop.preview(spec, at=live.now).events["ledger_waiting"] == 1


def test_an_explanation_tells_what_became_of_the_users_events(live):
    spec = live.campaign(when={"limit": "once"})
    live.poll()
    live.event(1)
    live.poll_and_run()
    live.event(1)
    live.poll_and_run()
    with live.shop.resources(spec, read_only=True) as resources:
        found = explain(resources, "1", live.now)
    first, second, membership = found.history
    assert (first.split(": ")[1], second.split(": ")[1]) == ("exported in run 1", "limited")
    assert membership.startswith("added in run 1 of carts")
    assert (found.outcome, found.assignment) == ("targeted", "target")


def test_the_query_that_is_shown_is_that_of_a_batch_but_for_its_users(live, users_queries):
    spec = live.campaign()
    live.poll()
    live.event(1)
    with live.shop.resources(spec, read_only=True) as resources:
        shown = statement(resources, live.now)
    (summary,) = live.poll_and_run()
    assert summary.outcomes["added"] == 1
    (sent,) = users_queries
    read, _, found = shown.rpartition("\nWHERE ")
    assert f"{read}\nWHERE {found} AND u.id IN (SELECT audiences__only.user_id" in sent

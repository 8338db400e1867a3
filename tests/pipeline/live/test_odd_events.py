"""Events whose user is written in another type than the key, or is no key at all; events dated where no calendar reaches."""

from __future__ import annotations

from datetime import timedelta

import pytest

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)
UNLESS = {"event": "Charged", "within": "30 minutes"}


def waiting_for_buyers(live, limit="once"):
    live.campaign(when={"unless": UNLESS, **({"limit": limit} if limit else {})})
    live.poll()
    for user in (1, 2):
        live.event(user)
    live.event(2, "Charged", at=live.now + MINUTE)


@pytest.mark.parametrize(
    ("of_users", "of_events"),
    [
        ("bigint", "numeric(12, 2)"),
        ("bigint", "double precision"),
        ("numeric(12, 2)", "bigint"),
        ("numeric", "numeric(12, 2)"),
        ("bigint", "text"),
    ],
)
def test_users_are_known_by_their_key_whatever_type_the_events_have_it_in(live, of_users, of_events):
    live.shop.sql(f"alter table users alter id type {of_users}")
    live.shop.sql(f"alter table events alter user_id type {of_events}")
    waiting_for_buyers(live)
    live.poll_and_run(31 * MINUTE)
    assert live.members() == {1}
    assert live.states() == {"exported": 1, "excluded": 1}
    live.event(1)
    live.poll_and_run(31 * MINUTE)
    assert live.states() == {"exported": 1, "excluded": 1, "limited": 1}


@pytest.mark.parametrize("time", ["57885-01-01", "0044-03-15 BC"])
def test_an_event_dated_where_no_calendar_reaches_keeps_no_campaign_from_being_read(live, time):
    live.campaign()
    live.poll()
    live.event(1, at=time, arrived=live.now)
    live.event(2)
    polled = live.poll()
    assert (polled.new, polled.errors) == (2, {})
    for batch in polled.batches:
        live.run(batch)
    assert live.members() == ({1, 2} if "BC" not in time else {2})
    assert live.states() == ({"exported": 2} if "BC" not in time else {"exported": 1, "late": 1})


def test_an_event_that_arrived_where_no_calendar_reaches_keeps_no_campaign_from_being_read(live):
    live.campaign()
    live.poll()
    live.event(1, arrived="57885-01-01")
    live.event(2)
    live.poll_and_run()
    live.poll_and_run()
    assert live.members() == {1, 2}
    assert live.states() == {"exported": 2}


def test_one_event_whose_user_is_named_by_an_address_stops_nobody_elses(live):
    live.shop.sql("alter table users add code text; alter table events add code text")
    live.shop.sql("update users set code = 'u' || id")
    live.catalog["users"]["key"] = live.catalog["events"]["user"] = "code"
    live.campaign()
    live.poll()
    live.event(1, code="jane@example.com")
    live.event(2, code="u2")
    live.event(3, code="+49 151 12345678")
    polled = live.poll()
    assert polled.errors == {}
    for batch in polled.batches:
        live.run(batch)
    assert live.members() == {2}
    assert live.shop.sql("select user_id from audiences.live_event", on="ledger") == [("u2",)]


def test_an_excluding_event_dated_in_the_future_counts_as_now_as_the_trigger_does(live):
    """Both from a device whose clock is an hour ahead."""
    live.campaign(when={"unless": UNLESS})
    live.poll()
    ahead = 60 * MINUTE
    for user in (1, 2, 3):
        live.event(user, at=live.now + ahead, arrived=live.now)
    live.event(1, "Charged", at=live.now + ahead + 5 * MINUTE, arrived=live.now + 5 * MINUTE)
    live.poll()
    live.event(2, "Charged", at=live.now + 31 * MINUTE)  # which comes in after the time
    live.poll_and_run(30 * MINUTE)
    live.poll_and_run(MINUTE)
    assert live.members() == {2, 3}


def test_without_a_time_of_arrival_an_excluding_event_dated_in_the_future_counts_as_now_too(live):
    del live.catalog["events"]["arrived_at"]
    live.campaign(when={"unless": UNLESS})
    live.poll()
    for user in (1, 2):
        live.event(user)
    live.event(1, "Charged", at=live.now + timedelta(days=40_000))
    live.poll_and_run(31 * MINUTE)
    assert live.members() == {2}

"""Live events on record: seen once, batched by the limits, decided once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.ledger.records import NOON, start

from audiences.ledger import live_batches, live_campaigns, live_events

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)


@pytest.fixture
def watched(ledger):
    """The number of a campaign that is watched from noon on."""
    return live_campaigns.join(ledger, [live_campaigns.Newcomer("carts", NOON)], now=NOON, next_xid=1)["carts"].campaign


def see(ledger, campaign, *events, at=NOON):
    """Events on record: id, user, minutes after noon at which it occurred, minutes after that at which it is due."""
    seen = [
        live_events.SeenEvent(
            campaign=campaign,
            event_id=number,
            user_id=user,
            occurred_at=NOON + minute * MINUTE,
            arrived_at=NOON + minute * MINUTE,
            due_at=NOON + (minute + (due[0] if due else 0)) * MINUTE,
            late=len(due) > 1,
        )
        for number, user, minute, *due in events
    ]
    return live_campaigns.see(ledger, seen, [], at=at)


def form(ledger, campaign, *, at, times=None, since=None, excluded=()):
    formed = live_batches.form(ledger, [live_batches.BatchTerms(campaign, times, since)], excluded, at=at)
    return {row.state: row.events for row in formed}


def export(ledger, campaign, name="carts"):
    """As a run does that finds everybody qualified."""
    batch = live_batches.open_batch(ledger, name)
    live_events.note_qualified(ledger, batch.id, live_events.users(ledger, batch.id))
    live_batches.finish(ledger, batch.id, run=start(ledger, campaign, f"live{batch.id}"))
    return batch.id


def test_an_event_is_recorded_once_however_often_it_is_read(ledger, watched):
    assert [row.event_id for row in see(ledger, watched, ("1", "u", 0), ("2", "u", 0))] == ["1", "2"]
    assert [row.event_id for row in see(ledger, watched, ("2", "u", 0), ("3", "u", 0))] == ["3"]


def test_of_a_users_events_the_earliest_is_the_entry_whatever_their_ids(ledger, watched):
    see(ledger, watched, ("1", "u", 5), ("2", "u", 3), ("3", "v", 4))
    assert form(ledger, watched, at=NOON + 6 * MINUTE, times=1) == {"batched": 2, "limited": 1}
    batch = live_batches.open_batch(ledger, "carts")
    assert (batch.first_event, batch.last_event) == (NOON + 3 * MINUTE, NOON + 4 * MINUTE)
    assert (batch.events, batch.users, batch.last_due) == (2, 2, NOON + 4 * MINUTE)


def test_only_what_is_due_goes_into_a_batch(ledger, watched):
    see(ledger, watched, ("1", "u", 0, 10), ("2", "v", 0, 11))
    assert live_batches.without_batch(ledger, [watched], at=NOON + 9 * MINUTE) == []
    assert [one.event_id for one in live_events.due(ledger, [watched], at=NOON + 10 * MINUTE)] == ["1"]
    assert form(ledger, watched, at=NOON + 10 * MINUTE) == {"batched": 1}
    assert live_events.events(ledger, "carts") == {"batched": 1, "waiting": 1}


def test_a_campaign_with_an_open_batch_exports_that_first(ledger, watched):
    see(ledger, watched, ("1", "u", 0))
    form(ledger, watched, at=NOON)
    see(ledger, watched, ("2", "u", 0))
    assert live_batches.without_batch(ledger, [watched], at=NOON) == []
    export(ledger, watched)
    assert live_batches.without_batch(ledger, [watched], at=NOON) == [watched]


@pytest.mark.parametrize(
    ("times", "batched"), [(1, {"limited": 2}), (2, {"batched": 1, "limited": 1}), (3, {"batched": 2})]
)
def test_entries_of_earlier_batches_count_against_the_limit(ledger, watched, times, batched):
    see(ledger, watched, ("1", "u", 0))
    form(ledger, watched, at=NOON, times=times)
    export(ledger, watched)
    see(ledger, watched, ("2", "u", 1), ("3", "u", 2))
    assert form(ledger, watched, at=NOON + 3 * MINUTE, times=times) == batched


@pytest.mark.parametrize(("minutes", "state"), [(119, "limited"), (120, "batched"), (121, "batched")])
def test_an_entry_exactly_so_long_ago_limits_no_more(ledger, watched, minutes, state):
    see(ledger, watched, ("1", "u", 0))
    form(ledger, watched, at=NOON, since=NOON - 120 * MINUTE)
    export(ledger, watched)
    at = NOON + minutes * MINUTE
    see(ledger, watched, ("2", "u", minutes))
    assert form(ledger, watched, at=at, since=at - 120 * MINUTE) == {state: 1}


def test_an_entry_under_way_limits_as_well(ledger, watched):
    see(ledger, watched, ("1", "u", 0))
    form(ledger, watched, at=NOON, times=1)
    see(ledger, watched, ("2", "u", 1))
    assert form(ledger, watched, at=NOON + MINUTE, times=1) == {"limited": 1}


def test_of_two_events_of_a_user_in_one_look_one_enters_where_there_is_to_be_time_in_between(ledger, watched):
    see(ledger, watched, ("1", "u", 0), ("2", "u", 1), ("3", "v", 1))
    assert form(ledger, watched, at=NOON + MINUTE, since=NOON - 120 * MINUTE) == {"batched": 2, "limited": 1}


def test_a_user_enters_each_campaign_for_himself_and_is_one_user_of_a_batch(ledger, watched):
    hats = live_campaigns.join(ledger, [live_campaigns.Newcomer("hats", NOON)], now=NOON, next_xid=1)["hats"].campaign
    see(ledger, hats, ("1", "u", 0), ("2", "u", 1))
    see(ledger, watched, ("1", "u", 1), ("2", "u", 2))
    formed = live_batches.form(
        ledger,
        [live_batches.BatchTerms(watched, 1, None), live_batches.BatchTerms(hats, None, None)],
        [],
        at=NOON + 2 * MINUTE,
    )
    assert {(row.campaign_id, row.state): row.events for row in formed} == {
        (watched, "batched"): 1,
        (watched, "limited"): 1,
        (hats, "batched"): 2,
    }
    assert [
        (live_batches.open_batch(ledger, name).events, live_batches.open_batch(ledger, name).users)
        for name in ("carts", "hats")
    ] == [
        (1, 1),
        (2, 1),
    ]
    export(ledger, hats, "hats")
    see(ledger, hats, ("3", "u", 3))
    assert (
        live_batches.form(ledger, [live_batches.BatchTerms(hats, 3, None)], [], at=NOON + 3 * MINUTE)[0].state
        == "batched"
    )


def test_who_did_not_qualify_may_enter_another_time(ledger, watched):
    see(ledger, watched, ("1", "u", 0), ("2", "v", 0))
    form(ledger, watched, at=NOON, times=1)
    batch = live_batches.open_batch(ledger, "carts")
    live_events.note_qualified(ledger, batch.id, ["v"])
    live_batches.finish(ledger, batch.id, run=start(ledger, watched))
    assert live_events.counts(ledger, batch.id) == {"exported": 1, "not_qualified": 1}
    see(ledger, watched, ("3", "u", 1), ("4", "v", 1))
    assert form(ledger, watched, at=NOON + MINUTE, times=1) == {"batched": 1, "limited": 1}
    assert live_events.users(ledger, live_batches.open_batch(ledger, "carts").id) == ["u"]


def test_what_was_decided_for_a_batch_stays_with_it(ledger, watched):
    see(ledger, watched, ("1", "u", 0), ("2", "v", 0), ("3", "w", 0, 0, "late"))
    form(
        ledger,
        watched,
        at=NOON,
        excluded=[one for one in live_events.due(ledger, [watched], at=NOON) if one.event_id == "2"],
    )
    first = export(ledger, watched)
    told = {"exported": 1, "excluded": 1, "late": 1}
    assert live_events.counts(ledger, first) == told
    see(ledger, watched, ("4", "x", 1), ("5", "y", 1, 0, "late"))
    form(ledger, watched, at=NOON + MINUTE)
    second = export(ledger, watched)
    assert (live_events.counts(ledger, first), live_events.counts(ledger, second)) == (told, {"exported": 1, "late": 1})


def test_an_event_that_was_batched_is_not_set_aside_any_more(ledger, watched):
    see(ledger, watched, ("1", "u", 0))
    due = live_events.due(ledger, [watched], at=NOON)
    form(ledger, watched, at=NOON)
    live_events.set_aside(ledger, due, state="excluded")
    assert live_events.events(ledger, "carts") == {"batched": 1}


def test_a_batch_whose_run_does_not_begin_is_offered_again_ever_later(ledger, watched):
    see(ledger, watched, ("1", "u", 0))
    form(ledger, watched, at=NOON)
    offered = [
        minute
        for minute in range(10)
        if [one.tries for one in live_batches.offer(ledger, [watched], at=NOON + minute * MINUTE)]
    ]
    assert offered == [0, 1, 3, 7]
    assert live_batches.open_batch(ledger, "carts").tries == 4


def test_a_batch_whose_run_is_on_its_way_is_not_offered(ledger, watched):
    see(ledger, watched, ("1", "u", 0))
    form(ledger, watched, at=NOON)
    batch = live_batches.open_batch(ledger, "carts").id
    assert live_batches.postpone(ledger, batch, until=NOON + 30 * MINUTE)
    assert live_batches.offer(ledger, [watched], at=NOON + 29 * MINUTE) == []
    assert [one.id for one in live_batches.offer(ledger, [watched], at=NOON + 30 * MINUTE)] == [batch]
    export(ledger, watched)
    assert not live_batches.postpone(ledger, batch, until=NOON)


def test_a_campaign_that_stops_drops_what_waits_and_lets_the_run_on_its_way_export(ledger, watched):
    see(ledger, watched, ("1", "u", 0), ("2", "v", 0, 60))
    form(ledger, watched, at=NOON)
    live_batches.offer(ledger, [watched], at=NOON)
    live_campaigns.forget_others(ledger, [], at=NOON + MINUTE / 2)
    assert live_events.events(ledger, "carts") == {"batched": 1, "dropped": 1}
    assert live_campaigns.progress(ledger, ["carts"]) == {}
    live_campaigns.forget_others(ledger, [], at=NOON + 2 * MINUTE)
    assert live_events.events(ledger, "carts") == {"dropped": 2}
    assert live_batches.open_batch(ledger, "carts") is None


def test_what_an_earlier_life_of_a_campaign_left_undone_is_dropped_when_it_is_watched_anew(ledger, watched):
    see(ledger, watched, ("1", "u", 0))
    form(ledger, watched, at=NOON)
    see(ledger, watched, ("2", "v", 0), ("3", "w", 0, 0, "late"))
    live_campaigns.join(ledger, [live_campaigns.Newcomer("carts", NOON)], now=NOON, next_xid=1)
    assert live_events.events(ledger, "carts") == {"dropped": 2, "late": 1}
    assert live_batches.open_batch(ledger, "carts") is None


def test_a_campaign_that_is_watched_is_not_forgotten(ledger, watched):
    see(ledger, watched, ("1", "u", 0))
    live_campaigns.forget_others(ledger, ["carts"], at=NOON + MINUTE)
    assert live_events.events(ledger, "carts") == {"waiting": 1}
    assert set(live_campaigns.progress(ledger, ["carts"])) == {"carts"}


def test_how_far_a_campaign_has_read_is_written_with_its_events_and_takes_its_error_away(ledger, watched):
    live_campaigns.note_error(ledger, [watched], "no answer", at=NOON)
    before = live_campaigns.progress(ledger, ["carts"])["carts"]
    assert before.error_at == NOON
    moved = live_campaigns.ReadProgress(
        watched, NOON, NOON + MINUTE, NOON + 2 * MINUTE, NOON + 3 * MINUTE, 7, NOON + 4 * MINUTE, None
    )
    live_campaigns.see(ledger, [], [moved], at=NOON)
    assert live_campaigns.progress(ledger, ["carts"])["carts"] == moved

"""Nothing is lost and nothing doubled, whatever the order of commits, the clocks, crashes, and broken campaigns."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import psycopg
import pytest

from audiences.errors import FacebookAccessError, FixAccessError
from audiences.ledger import live_batches
from audiences.ledger.database import Ledger
from audiences.pipeline.live import decide as deciding
from audiences.pipeline.live import poll_resources as poll_resources
from audiences.pipeline.live.watermarks import LOOKBACK, LOOKBACK_EVERY
from audiences.warehouse.reader import Warehouse

pytestmark = pytest.mark.integration
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def exported(live) -> dict[str, int]:
    return {state: count for state, count in live.states().items() if state != "waiting"}


@pytest.mark.parametrize("minutes", [1, 9, 200])
def test_a_transaction_that_commits_long_after_later_ones_is_not_overlooked(live, minutes):
    live.campaign(when={"max_age": "1 day"})
    live.poll()
    with live.open_transaction() as slow:
        live.event(1, on=slow)
        for _ in range(10):
            live.event(2)
            live.poll_and_run(minutes * MINUTE / 10)
        assert live.members() == {2}
        slow.commit()
    live.poll_and_run(LOOKBACK_EVERY)
    assert live.members() == {1, 2}
    assert live.states() == {"exported": 11}


def test_a_transaction_that_reads_for_a_while_before_it_writes_is_caught_within_the_overlap(live):
    live.campaign()
    live.poll()
    begun = live.now
    for _ in range(9):
        live.poll(MINUTE)
    live.event(1, at=begun, arrived=begun)  # as `now()` has it in such a transaction
    live.poll_and_run(LOOKBACK_EVERY - SECOND)
    live.poll_and_run(SECOND)
    assert live.members() == {1}
    assert live.now - begun <= LOOKBACK


def test_many_sessions_that_commit_in_any_order(live):
    live.campaign(when={"max_age": "1 day"})
    live.poll()
    chance, open_sessions, users = random.Random(4), [], iter(range(1, 51))
    for _ in range(60):
        if (user := next(users, None)) is not None:
            open_sessions.append(live.open_transaction())
            live.event(user, on=open_sessions[-1])
        for session in [each for each in open_sessions if chance.random() < 0.1]:
            session.commit()
            session.close()
            open_sessions.remove(session)
        live.poll_and_run(chance.choice((1, 5, 20, 60)) * SECOND)
    for session in open_sessions:
        session.commit()
        session.close()
    live.poll_and_run(LOOKBACK_EVERY)
    assert live.states() == {"exported": 50}
    assert live.members() == set(range(1, 51))


def test_one_event_id_delivered_twice_counts_once_even_days_apart(live):
    live.shop.sql("alter table events drop constraint events_pkey, alter id drop identity")
    live.campaign()
    live.poll()
    live.event(1, id=7)
    live.event(1, id=7)
    live.poll_and_run()
    live.event(1, id=7)
    live.poll_and_run()
    live.event(1, id=7)
    live.poll_and_run(timedelta(days=3))
    assert live.states() == {"exported": 1}


def test_an_outage_of_the_dispatcher_loses_nothing_and_counts_what_is_too_old(live):
    live.campaign()
    live.poll()
    for hours in (0.1, 1, 2.5, 3):
        live.event(round(hours * 10), at=live.now + timedelta(hours=hours))
    polled = live.poll(timedelta(hours=3, minutes=5))
    assert (polled.new, polled.late) == (4, 2)
    for batch in polled.batches:
        live.run(batch)
    assert live.members() == {25, 30}


@pytest.mark.parametrize("step", [timedelta(hours=-3), timedelta(minutes=-2), timedelta(minutes=30)])
def test_clocks_that_are_set_forward_or_back_neither_lose_nor_double(live, step):
    live.campaign()
    live.poll()
    live.event(1)
    live.poll_and_run()
    live.now += step
    live.event(2)
    live.poll_and_run()
    live.now -= step
    live.event(3)
    live.poll_and_run()
    live.poll_and_run(LOOKBACK_EVERY)
    assert live.members() == {1, 2, 3}
    assert live.states() == {"exported": 3}


def test_a_look_that_dies_between_its_two_transactions_is_made_up_for_by_the_next(live, monkeypatch):
    live.campaign()
    live.poll()
    live.event(1)

    class DiedError(Exception):
        pass

    def die(*_, **__):
        raise DiedError

    with monkeypatch.context() as patch:
        patch.setattr(deciding.live_batches, "form", die)
        with pytest.raises(DiedError):
            live.poll()
    assert live.states() == {"waiting": 1}
    live.poll_and_run()
    assert live.members() == {1}


def test_a_batch_whose_run_never_begins_is_offered_again_with_growing_patience(live):
    live.campaign()
    live.poll()
    live.event(1)
    (first,) = live.poll().batches
    assert live.poll(50 * SECOND).batches == []
    (second,) = live.poll(10 * SECOND).batches
    assert (second.id, first.tries, second.tries) == (first.id, 1, 2)
    assert live.poll(110 * SECOND).batches == []
    (third,) = live.poll(10 * SECOND).batches
    assert live.run(third).state == "success"
    assert live.run(second) is None
    assert live.run(first) is None
    assert len(live.shop.uploads()) == 1


def test_while_a_batch_is_open_new_events_wait_for_the_next_one(live):
    live.campaign()
    live.poll()
    live.event(1)
    (first,) = live.poll().batches
    live.event(2)
    assert live.poll().batches == []
    live.run(first)
    (second,) = live.poll().batches
    live.run(second)
    assert live.members() == {1, 2}


def test_a_run_that_fails_at_facebook_is_tried_again_and_the_batch_sent_once(live):
    live.campaign()
    live.poll()
    live.event(1)
    live.shop.sandbox.admin.add_fault("expired_token", path="*/users", method="POST", times=None)
    (summary,) = live.poll_and_run()
    assert (summary.state, live.states()) == ("failed", {"batched": 1})
    assert live.poll(29 * SECOND).batches == []
    with pytest.raises(FacebookAccessError):  # already as it settles what the first one may have sent
        live.poll_and_run(SECOND)
    assert live.poll(59 * SECOND).batches == []
    live.shop.sandbox.admin.clear_faults()
    (summary,) = live.poll_and_run(SECOND)
    assert (summary.state, summary.batch.tries, summary.outcomes["targeted"]) == ("success", 3, 1)
    assert live.members() == {1}
    assert live.states() == {"exported": 1}


def test_a_throttled_run_is_tried_again_when_facebook_says_so(live):
    live.campaign()
    live.poll()
    live.event(1)
    live.shop.sandbox.admin.add_fault("throttle", path="*/users", method="POST", times=1, minutes=2)
    (batch,) = live.poll().batches
    assert live.run(batch, tries=1).state == "failed"
    assert live.poll(119 * SECOND).batches == []
    live.shop.seconds += 120
    (summary,) = live.poll_and_run(SECOND)
    assert summary.state == "success"
    assert live.members() == {1}


def test_a_run_that_could_not_even_be_opened_is_tried_again(live):
    live.campaign()
    live.poll()
    live.event(1)
    live.shop.sandbox.admin.add_fault("expired_token", path="*", times=None)
    (batch,) = live.poll().batches
    with pytest.raises(FixAccessError):
        live.run(batch)
    live.shop.sandbox.admin.clear_faults()
    (summary,) = live.poll_and_run(30 * SECOND)
    assert summary.outcomes["added"] == 1


def test_a_run_that_fell_silent_is_replaced_after_half_an_hour(live):
    live.campaign()
    live.poll()
    live.event(1)
    (batch,) = live.poll().batches
    with Ledger(live.shop.connections["ledger"]) as ledger:
        live_batches.postpone(ledger, batch.id, until=live.now + live_batches.SILENT)  # it began, and was killed
    assert live.poll(29 * MINUTE).batches == []
    live.poll_and_run(MINUTE)
    assert live.members() == {1}


def test_a_crash_after_the_upload_and_before_the_batch_is_closed_doubles_nothing(live, monkeypatch):
    live.campaign(when={"limit": "once"})
    live.poll()
    live.event(1)
    (batch,) = live.poll().batches
    with monkeypatch.context() as patch:
        patch.setattr(live_batches, "finish", lambda *_, **__: None)
        live.run(batch)
    assert live.states() == {"batched": 1}
    (summary,) = live.poll_and_run(live_batches.SILENT)
    assert (summary.outcomes["kept"], summary.requests) == (1, 0)
    assert live.states() == {"exported": 1}
    assert len(live.shop.uploads()) == 1


def test_two_processes_that_look_at_once_do_not_share_a_batch(live):
    live.campaign()
    live.poll()
    for user in range(1, 20):
        live.event(user)
    offered, now = [], live.now + 5 * SECOND

    def look():
        live.now = now
        offered.append(live.poll(timedelta()).batches)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(batches) for batches in offered) == [0, 0, 0, 1]


KIND = "alter table events add column kind text generated always as (category) stored"


def test_a_campaign_whose_filter_fails_is_left_out_and_loses_nothing(live):
    live.catalog["events"]["properties"]["category"]["column"] = "kind"
    live.shop.sql(KIND)
    live.campaign("good")
    live.campaign("bad", on={"event": "Added To Cart", "where": {"category": "hats"}})
    live.poll()
    live.shop.sql("alter table events drop column kind")
    live.event(1, category="shoes")
    live.event(2, category="hats")
    polled = live.poll()
    assert [batch.campaign for batch in polled.batches] == ["good"]
    assert "kind" in str(polled.errors["bad"])
    for batch in polled.batches:
        live.run(batch)
    assert live.members("good") == {1, 2}
    live.shop.sql(KIND)
    live.poll(MINUTE)
    for batch in live.poll().batches:
        live.run(batch)
    assert live.members("bad") == {2}


def test_an_event_with_a_value_that_does_not_fit_its_type_is_one_without_the_value(live):
    live.catalog["events"]["properties"]["category"]["type"] = "integer"  # which the column is not
    live.campaign("fives", on={"event": "Added To Cart", "where": {"category": 5}})
    live.poll()
    live.event(1, category="shoes")
    live.event(2, category="5")
    polled = live.poll()
    for batch in polled.batches:
        live.run(batch)
    assert (live.members("fives"), polled.errors) == ({2}, {})


def test_a_campaign_whose_unless_fails_is_left_out_and_loses_nothing(live):
    live.catalog["events"]["properties"]["category"]["column"] = "kind"
    unless = {"event": "Charged", "within": "1 minute"}
    live.shop.sql(KIND)
    live.campaign("good", when={"unless": unless})
    live.campaign("bad", when={"unless": {**unless, "where": {"category": "shoes"}}})
    live.poll()
    live.shop.sql("alter table events drop column kind")
    live.event(1)
    live.event(1, "Charged", category="shoes")
    live.event(2)
    live.event(2, "Charged", at=live.now + SECOND, category="shoes")
    polled = live.poll(2 * MINUTE)
    assert [batch.campaign for batch in polled.batches] == ["good"]
    assert live.states("bad") == {"waiting": 2}
    live.shop.sql(KIND)
    live.run(polled.batches[0])
    (batch,) = live.poll(2 * MINUTE).batches
    assert batch.campaign == "bad"
    assert live.states("bad") == {"excluded": 1, "batched": 1}


NAP = """
create function nap(text) returns text immutable language plpgsql as 'begin perform pg_sleep(60); return $1; end';
alter table events rename to plain;
create view events as select id, user_id, name, occurred_at, arrived_at, amount, nap(category) as category from plain;
create rule fill as on insert to events do instead
  insert into plain (user_id, name, occurred_at, arrived_at)
  values (new.user_id, new.name, new.occurred_at, new.arrived_at)
"""


@pytest.fixture
def napping(live, monkeypatch):
    """The shop with a category that takes a minute to look at, and as little patience as will do."""
    monkeypatch.setattr(poll_resources, "TIMEOUT", "500ms")
    for statement in NAP.split(";\n"):
        live.shop.sql(statement)
    return live


@pytest.mark.parametrize(
    "slow",
    [
        {"on": {"event": "Added To Cart", "where": {"category": "shoes"}}},
        {"when": {"unless": {"event": "Charged", "where": {"category": "shoes"}, "within": "1 minute"}}},
    ],
    ids=["its event", "its unless"],
)
def test_a_slow_campaign_keeps_the_others_waiting_ever_more_seldom(napping, slow):
    live = napping
    live.campaign("good")
    live.campaign("slow", **slow)
    live.poll()
    live.event(1)
    live.event(1, "Charged", at=live.now + SECOND)
    polled = live.poll(2 * MINUTE)
    assert [batch.campaign for batch in polled.batches] == ["good"]
    assert list(polled.errors) == ["slow"]
    looks = [live.poll(MINUTE).errors.keys() for _ in range(12)]
    assert 1 <= sum("slow" in errors for errors in looks) <= 4
    live.shop.sql("create or replace function nap(text) returns text immutable language sql as 'select $1'")
    live.poll(11 * MINUTE)
    assert sum(live.states("slow").values()) == (
        1 if "when" in slow else 0
    )  # on record, unless no shoes were put into it


def test_what_failed_is_tried_again_however_much_there_is_to_do(live):
    live.catalog["events"]["properties"]["category"]["type"] = "integer"
    live.campaign("good")
    live.campaign("bad", on={"event": "Added To Cart", "where": {"category": 5}})
    live.poll()
    live.event(1, category="shoes")
    (batch,) = live.poll().batches
    live.shop.sql("update events set category = '5'")
    for user in range(2, 40):
        live.run(batch)
        live.event(user, category="5")
        found = live.poll().batches
        batch = next(each for each in found if each.campaign == "good")
        if len(found) == 2:
            break
    assert live.states("bad")["batched"] > 1


def test_a_warehouse_that_is_slow_for_everybody_does_not_hold_a_look_up_for_each(napping):
    live = napping
    for number in range(6):
        live.campaign(f"c{number}", on={"event": "Added To Cart", "where": {"category": str(number)}})
    live.event(1)
    assert len(live.poll().errors) == 2


class Counting:
    """A door that counts the queries that pass through it."""

    def __init__(self, monkeypatch) -> None:
        self.warehouse = self.ledger = 0
        for owner, name, door in (
            (Warehouse, "stream", "warehouse"),
            (Ledger, "rows", "ledger"),
            (Ledger, "values", "ledger"),
        ):
            monkeypatch.setattr(owner, name, self._counted(getattr(owner, name), door))

    def _counted(self, call, door):
        def counted(*arguments, **more):
            setattr(self, door, getattr(self, door) + 1)
            return call(*arguments, **more)

        return counted


def test_fifty_campaigns_cost_as_few_queries_as_one(live, monkeypatch):
    def costs() -> tuple[int, int]:
        counting = Counting(monkeypatch)
        live.poll()
        for user in range(1, 4):
            live.event(user, amount=100)
        live.poll()
        assert len(live.poll(2 * MINUTE).batches) == len(live.specs)
        return counting.warehouse, counting.ledger

    unless = {"event": "Charged", "within": "1 minute"}
    live.campaign("c0", when={"unless": unless})
    of_one = costs()
    live.specs.clear()
    for number in range(50):
        where = {"where": {"amount": {"at_least": number}}} if number % 2 else {}
        live.campaign(f"d{number}", on={"event": "Added To Cart", **where}, when={"unless": unless})
    of_fifty = costs()
    # The time twice and the arrivals for each of three looks, and once `unless`, and before it how users are written.
    assert of_fifty[0] == of_one[0] == 11
    # Its first look finds events already, asks who was erased, and gives up what the campaign before it left; statements that
    # change rows and tell which are counted as well.
    assert of_fifty[1] <= of_one[1] + 5


def test_the_overlap_is_read_by_the_index(live):
    live.shop.sql("create index on events (arrived_at)")
    live.shop.sql(
        "insert into events (user_id, name, occurred_at, arrived_at) select i, 'Added To Cart', t, t"
        " from generate_series(1, 200000) i, lateral (select %s - interval '3 hours' - i * interval '10 seconds' as t)",
        live.now,
    )
    live.shop.sql("analyze events")
    live.campaign()
    live.poll()
    seen_before = live.shop.sql("select seq_tup_read from pg_stat_user_tables where relname = 'events'")
    live.event(1)
    live.poll_and_run()
    assert live.members() == {1}
    assert live.shop.sql("select seq_tup_read from pg_stat_user_tables where relname = 'events'") == seen_before


def test_the_ledger_refuses_a_second_open_batch(live):
    live.campaign()
    live.poll()
    live.event(1)
    live.poll()
    with pytest.raises(psycopg.errors.UniqueViolation):
        live.shop.sql(
            "insert into audiences.live_batch (campaign_id, formed_at, events, users, first_event, last_event, last_due,"
            " offer_at) select campaign_id, now(), 1, 1, now(), now(), now(), now() from audiences.live_batch",
            on="ledger",
        )

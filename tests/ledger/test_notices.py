"""Each condition is told once until it is over, whoever raises it how often, and what could not be told stays to be told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from audiences.ledger import campaigns, formerly, notices
from audiences.ledger.database import EmptyLedger, Ledger
from audiences.notices.notice import Notice

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
DOWN = {"email": "by mail, connection `smtp_default`: SMTPDataError"}


def notice(condition="failed", what="", *, kind="campaign", subject="carts", title="t"):
    return Notice(kind, condition, subject, what, title, "r", "m", "http://airflow/x")


def put(ledger, condition="failed", what="", *, at=NOW, **more):
    return notices.put(ledger, notice(condition, what, **more), at=at)


def deliver(ledger, number, *, at=NOW, delivered=True, undelivered=None):
    taken = notices.take(ledger, number, at=at)
    assert taken is not None
    notices.put_back(ledger, number, delivered=delivered, undelivered=undelivered or {}, at=at)


def told(ledger, condition="failed", what="", *, at=NOW, **more):
    """A notice that was raised and that somebody took."""
    number = put(ledger, condition, what, at=at, **more)
    deliver(ledger, number, at=at)
    return number


def fail(ledger, number, *, at=NOW):
    """Nobody takes it."""
    deliver(ledger, number, at=at, delivered=False, undelivered=DOWN)


def end(ledger, *held, at=NOW, subject="carts", kind="campaign"):
    return notices.end_others(ledger, kind, subject, held=held, at=at)


def recovered(ledger, *ended, at=NOW):
    return notices.recovered_from(ledger, "carts", ended=ended, at=at)


def due(ledger, **more):
    return [(each.subject, each.condition) for each in notices.waiting(ledger, **more)]


def standing(ledger):
    return [(each.subject, each.condition) for each in notices.open_ones(ledger)]


def test_what_was_told_is_not_raised_again_until_it_is_over(ledger):
    number = told(ledger)
    assert put(ledger, at=NOW + DAY) is None
    assert put(ledger, "stopped") is not None
    end(ledger)
    assert put(ledger) not in (None, number)


def test_what_is_taken_is_as_it_was_raised_and_newer_words_replace_older_ones(ledger):
    number = put(ledger, title="old")
    assert notices.put(ledger, notice(title="new"), at=NOW + MINUTE) == number
    taken = notices.take(ledger, number, at=NOW)
    assert (taken.notice, taken.ways) == (notice(title="new"), None)


def test_what_a_process_took_and_said_nothing_of_is_taken_by_another_one_when_its_lease_is_over(ledger):
    number = put(ledger)
    assert notices.take(ledger, number, at=NOW) is not None
    assert notices.take(ledger, number, at=NOW + notices.LEASE) is None
    assert notices.take(ledger, number, at=NOW + notices.LEASE + MINUTE) is not None
    assert notices.LONGEST_DELIVERY < notices.LEASE


def test_what_nobody_took_is_to_be_delivered_again_at_once(ledger):
    number = put(ledger)
    fail(ledger, number)
    assert due(ledger) == [("carts", "failed")]
    deliver(ledger, number)
    assert due(ledger) == []
    assert notices.take(ledger, number, at=NOW + DAY) is None


def test_a_way_that_missed_it_gets_it_later_and_the_others_do_not_get_it_twice(ledger):
    number = put(ledger)
    deliver(ledger, number, undelivered={"slack": "no", "webhook": "no"})
    assert put(ledger) == number  # raised again, it is still to be delivered there
    assert notices.take(ledger, number, at=NOW).ways == {"slack", "webhook"}
    notices.put_back(ledger, number, delivered=True, undelivered={}, at=NOW)
    assert due(ledger) == []


@pytest.mark.parametrize("kind", ["campaign", "ad_account", "dag"])
def test_what_has_the_same_name_and_is_of_another_kind_is_another_subject(ledger, kind):
    for other in {"campaign", "ad_account", "dag"} - {kind}:
        told(ledger, kind=other, subject="act_1001")
    number = put(ledger, kind=kind, subject="act_1001")
    assert number is not None
    end(ledger, kind=kind, subject="act_1001")
    assert [each.kind for each in notices.open_ones(ledger) if each.kind == kind and kind != "dag"] == []
    assert {each.kind for each in notices.open_ones(ledger)} >= {"campaign", "ad_account"} - {kind}


def test_what_still_holds_is_not_ended(ledger):
    for condition, what in (("failed", ""), ("size_changed", "run 1"), ("size_changed", "run 2")):
        told(ledger, condition, what)
    end(ledger, ("size_changed", "run 2"))
    assert put(ledger, "size_changed", "run 2") is None
    assert put(ledger, "size_changed", "run 1") is not None


def test_of_what_stood_and_nobody_heard_of_nobody_hears_when_it_is_over(ledger):
    fail(ledger, put(ledger))
    assert recovered(ledger, *end(ledger)) == []
    assert due(ledger) == []


def test_what_has_happened_and_could_not_be_told_is_not_over(ledger):
    fail(ledger, put(ledger, "size_changed", "run 1"))
    fail(ledger, put(ledger, "failed", "expire carts 2026-11-29", kind="dag", subject="audiences_upkeep"))
    end(ledger)
    end(ledger, kind="dag", subject="audiences_upkeep")
    assert due(ledger) == [("carts", "size_changed"), ("audiences_upkeep", "failed")]


def test_who_heard_of_it_is_to_hear_of_its_end(ledger):
    told(ledger, "failed")
    told(ledger, "invalid_share")  # of whose end nobody is told
    assert recovered(ledger, *end(ledger)) == ["failed"]
    assert recovered(ledger, *end(ledger)) == []


def test_what_is_just_being_sent_counts_as_heard_of(ledger):
    notices.take(ledger, put(ledger), at=NOW)
    assert recovered(ledger, *end(ledger, at=NOW + MINUTE), at=NOW + MINUTE) == ["failed"]


def test_a_recovery_that_could_not_be_told_names_all_that_is_over_since_and_waits_while_it_is_not_true(ledger):
    told(ledger, "failed")
    end(ledger, at=NOW + MINUTE)
    fail(ledger, put(ledger, "recovered", at=NOW + MINUTE))
    assert due(ledger) == [("carts", "recovered")]
    told(ledger, "stopped", at=NOW + 2 * MINUTE)
    assert due(ledger) == []
    assert recovered(ledger, *end(ledger, at=NOW + 3 * MINUTE)) == ["failed", "stopped"]
    assert due(ledger) == [("carts", "recovered")]
    told(ledger, "recovered", at=NOW + 3 * MINUTE)
    assert recovered(ledger, *end(ledger)) == []


def test_a_recovery_that_some_have_taken_makes_room_for_the_next_one(ledger):
    deliver(ledger, put(ledger, "recovered"), undelivered={"slack": "no"})
    end(ledger)
    assert notices.take(ledger, put(ledger, "recovered"), at=NOW).ways is None


def test_what_is_to_be_delivered_comes_in_the_order_in_which_it_was_raised_and_by_subject(ledger):
    put(ledger, "failed", at=NOW + MINUTE)
    put(ledger, "failed", subject="spring", at=NOW)
    put(ledger, "token", kind="ad_account", subject="act_1", at=NOW + 2 * MINUTE)
    assert due(ledger) == [("spring", "failed"), ("carts", "failed"), ("act_1", "token")]
    assert due(ledger, kind="campaign", subject="carts") == [("carts", "failed")]
    notices.unwanted(ledger, notices.waiting(ledger)[0].id, at=NOW)
    assert due(ledger) == [("carts", "failed"), ("act_1", "token")]


def test_what_stands_open_is_told_with_what_could_not_be_delivered_first(ledger):
    told(ledger, "small_audience", at=NOW + MINUTE)
    told(ledger, "failed", subject="spring", at=NOW + 2 * MINUTE)
    told(ledger, "size_changed", "run 1")  # told, and nothing that stands
    fail(ledger, put(ledger, "size_changed", "run 2"))
    found = notices.open_ones(ledger)
    assert [(each.subject, each.condition, bool(each.sent_at)) for each in found] == [
        ("carts", "size_changed", False),
        ("spring", "failed", True),
        ("carts", "small_audience", True),
    ]
    assert (found[0].undelivered, found[0].raised_at, found[1].undelivered) == (DOWN, NOW, {})
    end(ledger)
    assert standing(ledger) == [("carts", "size_changed"), ("spring", "failed")]


def test_what_no_run_would_ever_end_is_ended(ledger):
    def nobody_awaits(**more):
        given = {"running": ["carts"], "known": ["carts", "stopped"], "accounts": ["act_1"], "at": NOW}
        notices.end_what_nobody_awaits(ledger, **{**given, **more})

    for subject in ("carts", "stopped", "gone"):
        told(ledger, "failed", subject=subject)
        fail(ledger, put(ledger, "size_changed", "run 1", subject=subject))
    for account in ("act_1", "act_2"):
        told(ledger, "token", kind="ad_account", subject=account)
    told(ledger, "failed", "expire carts", kind="dag", subject="audiences_upkeep")
    fail(ledger, put(ledger, "failed", "expire spring", kind="dag", subject="audiences_upkeep"))

    nobody_awaits()
    assert sorted(standing(ledger)) == [
        ("act_1", "token"),
        ("audiences_upkeep", "failed"),
        ("carts", "failed"),
        ("carts", "size_changed"),
        ("stopped", "size_changed"),
    ]
    nobody_awaits(at=NOW + DAY)
    assert put(ledger, "failed", "expire carts", kind="dag", subject="audiences_upkeep") is not None
    nobody_awaits(at=NOW + notices.FADES_AFTER + MINUTE)
    assert sorted(standing(ledger)) == [("act_1", "token"), ("carts", "failed")]


def test_the_notices_of_a_campaign_go_on_under_its_new_name(ledger):
    campaigns.number(ledger, "carts")
    told(ledger, "failed")
    told(ledger, "small_audience")
    told(ledger, "failed", subject="new_carts")
    formerly.take_over(ledger, "new_carts", ["carts"])
    assert sorted(standing(ledger)) == [("new_carts", "failed"), ("new_carts", "small_audience")]


def test_of_several_that_take_it_at_once_one_sends(databases):
    with databases.ledger() as connection:

        def raise_it(_: int) -> bool:
            with Ledger(connection) as ledger:
                return notices.take(ledger, put(ledger), at=NOW) is not None

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(raise_it, range(8))) == 1


def test_a_ledger_that_was_never_used_has_no_notices(databases):
    with databases.ledger() as connection, EmptyLedger(connection) as empty:
        assert (notices.waiting(empty), notices.open_ones(empty)) == ([], [])


def test_the_words_of_a_notice_are_kept_as_they_are(ledger):
    hostile = replace(notice(), title="<!channel> {{ 7 }} \u202e", reason="'; drop table audiences.notice; --")
    assert notices.take(ledger, notices.put(ledger, hostile, at=NOW), at=NOW).notice == hostile

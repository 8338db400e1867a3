from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audiences.errors import RetryError
from audiences.pipeline.preconditions.as_of import as_of
from audiences.pipeline.preconditions.export_windows import OutsideWindowsError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload.export import export

pytestmark = pytest.mark.integration
MORNING = {"now": True, "windows": [{"from": "06:00", "to": "13:00"}]}  # open at the shop's noon
NIGHT = {"now": True, "windows": [{"from": "22:00", "to": "04:00"}]}
TEN = datetime(2026, 11, 23, 22, tzinfo=UTC)


def planned_run(shop, resources):
    run = open_run(resources, RunRequest(external_id="long", at=shop.now))
    extracted = extract(resources, run)
    return run, plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])


@pytest.fixture
def cart(shop):
    shop.user(1, "one@example.com")
    shop.event(1)


@pytest.mark.usefixtures("cart")
def test_outside_its_windows_a_run_asks_nobody_and_says_when_it_can_go_on(shop):
    with pytest.raises(OutsideWindowsError, match="Mon 23 Nov 2026 at 22:00 UTC") as caught:
        shop.run(shop.campaign(when=NIGHT))
    assert (caught.value.opens, caught.value.seconds, caught.value.dropped) == (TEN, 36_000, False)
    assert shop.sandbox.admin.requests() == []
    assert shop.sql("select count(*) from audiences.run", on="ledger") == [(0,)]
    assert shop.waited == []


@pytest.mark.usefixtures("cart")
def test_a_person_can_send_at_once(shop):
    assert shop.run(shop.campaign(when=NIGHT), allow=frozenset({"windows"})).outcomes["added"] == 1


@pytest.mark.usefixtures("cart")
def test_a_run_that_is_to_be_dropped_says_so(shop):
    with pytest.raises(OutsideWindowsError) as caught:
        shop.run(shop.campaign(when={**NIGHT, "outside": "drop"}))
    assert caught.value.dropped


@pytest.mark.usefixtures("cart")
def test_a_window_that_closes_in_the_middle_holds_the_upload_and_the_run_goes_on_at_the_next(shop):
    spec = shop.campaign(when={**MORNING, "outside": "drop"})
    with shop.resources(spec) as resources:
        run, _ = planned_run(shop, resources)
        shop.now += timedelta(hours=1)
        with pytest.raises(OutsideWindowsError) as caught:
            export(resources, run, "add")
        assert (caught.value.opens - shop.now, caught.value.dropped) == (timedelta(hours=17), False)
        assert shop.uploads() == []
        shop.now = caught.value.opens
        assert export(resources, run, "add").requests == 1


def test_who_opts_out_while_the_upload_waits_for_the_next_opening_is_not_uploaded(shop):
    for number in (1, 2, 3):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    spec = shop.campaign(when=MORNING)
    with shop.resources(spec) as resources:
        run, planned = planned_run(shop, resources)
        shop.sql("update users set opted_out = true where id = 2")
        shop.now += timedelta(hours=18)
        assert export(resources, run, "add").requests == 1
        summary = close_run(resources, run, planned)
    assert shop.members(summary.audience.id) == {shop.row_of(f"user{number}@example.com", None) for number in (1, 3)}
    assert summary.warnings == (
        "1 user opted out after the run had found them: not uploaded",
        "Facebook says that it received 1 row less than planned",
    )
    assert (summary.state, summary.outcomes["added"], summary.outcomes["failed"]) == ("success", 2, 1)
    assert shop.run(spec).outcomes["opted_out"] == 1


@pytest.mark.usefixtures("cart")
def test_a_request_whose_users_have_all_opted_out_meanwhile_is_not_sent_and_fails_nothing(shop):
    spec = shop.campaign(when=MORNING)
    with shop.resources(spec) as resources:
        run, planned = planned_run(shop, resources)
        shop.sql("update users set opted_out = true")
        shop.now += timedelta(hours=18)
        export(resources, run, "add")
        summary = close_run(resources, run, planned)
    assert (summary.state, summary.outcomes["added"], shop.uploads()) == ("success", 0, [])
    assert shop.sql("select count(*) from audiences.member", on="ledger") == [(0,)]


def test_a_request_that_may_have_arrived_is_on_record_with_who_has_opted_out_since(shop):
    for number in (1, 2):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    spec = shop.campaign(when=MORNING)
    with shop.resources(spec) as resources:
        run, _ = planned_run(shop, resources)
        shop.sandbox.admin.add_fault("reset_after", path="*/users", method="POST", times=6)
        with pytest.raises(RetryError):
            export(resources, run, "add")
        shop.sql("update users set opted_out = true where id = 2")
        shop.now += timedelta(hours=18)
        export(resources, run, "add")
    assert shop.sql("select user_id from audiences.member where removed_run is null order by 1", on="ledger") == [
        ("1",),
        ("2",),
    ]
    audience = shop.run(spec).audience.id
    assert shop.members(audience) == {shop.row_of("user1@example.com", None)}


def test_a_run_that_was_held_until_its_opening_is_on_time_then(shop):
    with shop.resources(shop.campaign(when=NIGHT)) as resources:
        shop.now = TEN + timedelta(seconds=3)
        assert as_of(resources, shop.noon) == TEN
        shop.now = TEN + timedelta(hours=2)
        assert as_of(resources, shop.noon) == shop.now
        assert as_of(resources, shop.now - timedelta(seconds=3)) == shop.now - timedelta(seconds=3)

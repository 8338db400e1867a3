"""A campaign's history and a run of it, on a real ledger after real runs against the sandbox."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.pipeline.live import conftest as pipeline_live

from audiences.ledger import runs
from audiences.ledger.database import Ledger
from audiences.reporting.run_detail import run_detail
from audiences.reporting.run_history import history

pytestmark = pytest.mark.integration
live = pipeline_live.live  # a fixture
SPRING = """
name: Spring
status: published
who:
  did: {event: Added To Cart}
  control_group: {percent: 50}
  with_properties: {tier: {not_in: [lost]}}
what: {audience: {create: {name: Spring}}, guards: {max_removal: 30}}
when: {repeat: {every: 1 day, at: "09:00"}}
"""


@pytest.fixture
def spring(desk):
    desk.write("spring", SPRING)
    for number in range(5, 41):
        tier, out = ("lost", False) if number % 9 == 0 else ("gold", number % 7 == 0)
        desk.shop.user(number, None if number % 11 == 0 else f"user{number}@example.com", tier=tier, opted_out=out)
        desk.shop.event(number)
    return desk


def detail(desk, run, **more):
    return run_detail(desk.ledger, run, now=desk.shop.now, **more)


def test_the_funnel_of_a_run_is_its_outcomes_and_adds_up(spring):
    summary = spring.run("spring")
    found = detail(spring, summary.run)
    steps = {step.outcome: step.users for step in found.funnel.steps}
    parts = {part.outcome: part.users for part in found.funnel.parts}
    assert {**steps, **parts, "targeted": found.funnel.targeted, "qualified": found.funnel.qualified} | {
        "removed": found.funnel.removed
    } == summary.outcomes
    assert found.funnel.qualified == 40
    assert min(steps[name] for name in ("filtered_out", "opted_out", "no_identifier", "control_campaign")) > 0
    assert found.funnel.steps[-1].left == found.funnel.targeted == sum(parts.values())
    assert found.funnel.difference is None


def test_a_run_that_was_stopped_shows_what_it_would_have_done(spring):
    spring.run("carts")
    first = spring.run("spring")
    spring.shop.sql("delete from events where user_id > 3")
    stopped = spring.run("spring")
    found = detail(spring, stopped.run)
    assert (found.run.state, found.guard) == ("stopped", "max_removal")
    assert found.run.trouble.reason.endswith("Nothing was sent.")
    assert found.would.words == stopped.would.in_words("mirror")
    assert {part.outcome: part.words for part in found.funnel.parts}["failed"] == "not sent"
    assert found.requests.total == 0
    assert found.run.size == first.audience.members


def test_a_request_that_was_refused_is_told_with_the_remedy(desk):
    desk.shop.sandbox.admin.add_fault("error", method="POST", path="*/users", code=200)
    summary = desk.run("carts")
    found = detail(desk, summary.run)
    assert summary.state == found.run.state == "failed"
    assert "In Business settings, Accounts, Ad accounts, give the token's system user" in found.run.trouble.remedy


def test_a_run_before_anybody_was_counted_has_no_funnel(desk):
    desk.shop.sql("drop table users")
    with pytest.raises(Exception, match="users"):
        desk.run("carts")
    (run,) = history(desk.files(), desk.ledger, "carts", now=desk.shop.now).runs
    found = detail(desk, run.run)
    assert (found.funnel, found.run.state, found.run.outcomes) == (None, "failed", {})
    assert found.run.words.startswith("failed: ")
    assert detail(desk, 404) is None


def test_a_run_under_way_shows_what_is_still_to_be_sent(desk):
    summary = desk.run("carts")
    desk.shop.sql("update audiences.run set state = 'running', ended_at = null, outcomes = '{}'", on="ledger")
    found = detail(desk, summary.run)
    assert (found.funnel.qualified, found.funnel.targeted) == (4, 4)
    assert (found.funnel.parts[-1].words, found.funnel.parts[-1].users) == ("still to be sent", 4)
    assert found.funnel.difference is None


def test_rejected_values_are_counted_by_identifier_and_reason(desk):
    desk.shop.user(5, "user5@example.com", "not a number")
    desk.shop.event(5)
    found = detail(desk, desk.run("carts").run)
    assert [(each.identifier, each.values) for each in found.rejected] == [("phone", 1)]


def test_requests_come_in_pages_those_with_an_error_first(desk):
    summary = desk.run("carts")
    for number in range(1, 6):
        desk.shop.sql(
            "insert into audiences.chunk (run_id, audience_id, number, action, file, first_row, rows, state, error)"
            " select run_id, audience_id, %s, action, file, first_row, rows, %s, %s from audiences.chunk where number = 0",
            number, "refused" if number == 4 else "acknowledged", "it broke" if number == 4 else None, on="ledger",
        )  # fmt: skip
    pages = [detail(desk, summary.run, offset=offset, limit=4).requests for offset in (0, 4)]
    assert [page.total for page in pages] == [6, 6]
    assert [each.number for page in pages for each in page.requests] == [4, 0, 1, 2, 3, 5]
    assert pages[0].requests[0].trouble.reason == "it broke"
    assert {(each.state, each.requests, each.rows) for each in pages[0].by_state} == {
        ("acknowledged", 5, 20), ("refused", 1, 4),
    }  # fmt: skip


def test_the_history_is_the_newest_first_and_in_pages(desk):
    first = desk.run("carts")
    desk.shop.user(9, "user9@example.com")
    desk.shop.event(9)
    second = desk.run("carts")
    pages = [
        history(desk.files(), desk.ledger, "carts", now=desk.shop.now, offset=offset, limit=1) for offset in (0, 1, 2)
    ]
    assert [[run.run for run in page.runs] for page in pages] == [[second.run], [first.run], []]
    assert [page.total for page in pages] == [2, 2, 2]
    assert [run.words for page in pages for run in page.runs] == [second.in_words(), first.in_words()]
    assert [run.size for page in pages for run in page.runs] == [5, 4]
    assert history(desk.files(), desk.ledger, "nobody", now=desk.shop.now).total == 0


def test_a_run_of_before_sizes_were_recorded_is_told_without_one(desk):
    desk.run("carts")
    desk.shop.sql("update audiences.run set size = null", on="ledger")
    (run,) = history(desk.files(), desk.ledger, "carts", now=desk.shop.now).runs
    assert run.words == "targeted 4 (added 4); qualified 4; 1 request"


def test_the_words_keep_their_order_whatever_a_record_does_to_its_keys(spring):
    summary = spring.run("spring")
    (run,) = history(spring.files(), spring.ledger, "spring", now=spring.shop.now).runs
    assert run.words == summary.in_words()
    assert list(run.outcomes) == list(summary.outcomes)


def test_members_with_changed_identifiers_are_counted_on_record(desk):
    desk.run("carts")
    desk.shop.sql("update users set email = 'new@example.com' where id = 1")
    desk.shop.now += timedelta(days=1)
    summary = desk.run("carts")
    found = detail(desk, summary.run)
    assert summary.rekeyed == found.funnel.rekeyed == found.run.rekeyed == 1
    assert runs.noted(desk.ledger, summary.run).planned["rekeyed"] == 1


def test_a_live_run_shows_what_its_batch_held_and_how_late_it_was(live, shop):
    live.campaign()
    live.event(1)
    live.event(2)
    (summary,) = live.poll_and_run()
    with Ledger(shop.connections["ledger"]) as ledger:
        found = run_detail(ledger, summary.run, now=live.now)
    assert found.batch == summary.batch
    assert (found.run.batch, found.batch.events, found.batch.users, found.batch.lag_seconds) == (
        summary.batch.id,
        2,
        2,
        5.0,
    )
    assert found.action == "add"

"""A campaign's history and a run of it, on a real ledger after real runs against the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.pipeline.live import conftest as pipeline_live

from audiences.ledger import runs
from audiences.ledger.database import Ledger
from audiences.reporting.run_detail import run_detail
from audiences.reporting.run_history import history
from audiences.reporting.sizes import sizes

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
    assert (found.uncounted, found.requests.none) == ("It ended before anybody was counted.", "No request was sent.")
    assert found.run.words.startswith("failed: ")
    assert detail(desk, 404) is None


def interrupted(desk, **more):
    """The number of a run of four users as it is on record in the middle: one of its two requests is acknowledged."""
    run = desk.run("carts").run
    values = {"state": "running", "ended_at": None, "started_at": desk.shop.now, "outcomes": "{}", **more}
    columns = ", ".join(f"{name} = %s" for name in values)
    desk.shop.sql(f"update audiences.run set {columns}", *values.values(), on="ledger")
    desk.shop.sql("update audiences.chunk set begun = 3, rows = 3", on="ledger")
    desk.shop.sql(
        "insert into audiences.chunk (run_id, audience_id, number, action, file, first_row, rows, state)"
        " select run_id, audience_id, 1, action, file, 3, 1, 'sending' from audiences.chunk",
        on="ledger",
    )
    return run


def rest(found):
    return {part.outcome: (part.users, part.words) for part in found.funnel.parts}


def test_a_run_under_way_shows_what_is_sent_and_what_is_still_to_be(desk):
    found = detail(desk, interrupted(desk))
    assert (found.funnel.qualified, found.funnel.targeted, found.run.phase) == (4, 4, "running")
    assert rest(found) == {"added": (3, "added"), "kept": (0, "kept"), "failed": (1, "still to be sent")}
    assert (found.funnel.difference, found.run.trouble, found.would) == (None, None, None)
    assert {each.state: each.words for each in found.requests.requests} == {
        "acknowledged": "Facebook took it", "sending": "sent, and not answered yet",
    }  # fmt: skip


@pytest.mark.parametrize("how", [{"started_at": "2026-11-21T11:00:00Z"}, {"state": "abandoned", "ended_at": "now()"}])
def test_of_a_run_that_died_it_is_told_what_is_on_record(desk, how):
    found = detail(desk, interrupted(desk, **how))
    assert (found.run.phase, found.run.words) == ("died", found.run.trouble.reason)
    assert rest(found)["failed"] == (1, "not sent, as far as is on record")
    assert rest(found)["added"] == (3, "added")
    assert "nobody knows yet whether it arrived" in found.requests.by_state[-1].words


def test_a_run_that_waits_to_be_approved_is_no_dead_one(desk):
    run = interrupted(desk, started_at=desk.shop.now - timedelta(days=3))
    desk.shop.sql("delete from audiences.chunk", on="ledger")
    desk.shop.sql(
        "insert into audiences.approval (campaign_id, run_id, asked_in, config_digest, shown, body, asked_at, until)"
        " select campaign_id, id, external_id, config_digest, '', '', started_at, %s from audiences.run",
        desk.shop.now + timedelta(hours=1), on="ledger",
    )  # fmt: skip
    found = detail(desk, run)
    assert (found.run.phase, found.run.trouble) == ("waiting", None)
    assert found.run.words == (
        "waits since 20 Nov 2026 at 12:00 UTC for somebody to approve it, until 23 Nov 2026 at 13:00 UTC"
    )
    assert found.requests.none == "Nothing is sent before somebody has approved it."
    assert rest(found)["failed"] == (4, "to be sent once approved")
    assert desk.overview().with_troubles == {}
    desk.shop.now += timedelta(hours=2)
    assert detail(desk, run).run.phase == "died"


@pytest.mark.parametrize(
    ("more", "counts", "requests"),
    [
        ({}, "Nobody has been counted yet.", "No request is planned yet."),
        ({"state": "failed", "ended_at": "now()"}, "It ended before anybody was counted.", "No request was sent."),
        (
            {"state": "abandoned", "ended_at": "now()"},
            "Its process was gone before anybody was counted, as far as is on record.",
            "No request was sent, as far as is on record.",
        ),
    ],
    ids=["running", "failed", "abandoned"],
)
def test_why_there_are_no_counts_follows_what_the_run_is_at(desk, more, counts, requests):
    run = interrupted(desk, planned="{}", **more)
    desk.shop.sql("delete from audiences.chunk", on="ledger")
    found = detail(desk, run)
    assert (found.funnel, found.uncounted, found.requests.none) == (None, counts, requests)


def test_a_run_that_had_nothing_to_send_needed_no_request(desk):
    desk.run("carts")
    found = detail(desk, desk.run("carts", allow=frozenset({"status"})).run)
    assert (found.requests.none, found.uncounted) == ("No request was needed.", None)


def test_whom_a_suppression_list_takes_out_is_removed_and_not_added(desk):
    audience = desk.run("carts").audience.id
    who, update = "who: {did: {event: Charged}}", f'update: {{id: "{audience}", action: remove_matching}}'
    desk.write("buyers", f"name: Buyers\nstatus: published\n{who}\nwhat: {{audience: {{{update}}}}}\nwhen: now\n")
    desk.shop.event(1, "Charged")
    desk.run("buyers")
    (run,) = history(desk.files(), desk.ledger, "buyers", now=desk.shop.now).runs
    assert (run.outcomes["added"], run.added, run.removed) == (1, 0, 1)
    today = datetime.fromtimestamp(desk.ledger.clock(), UTC)
    found = sizes(desk.files(), desk.ledger, "buyers", now=today, zone=ZoneInfo("UTC"), days=1)
    assert [(day.added, day.removed) for day in found.days] == [(0, 1)]


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

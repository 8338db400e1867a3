"""What Facebook refuses: rows are found and left out, requests do not undo each other, and the next run ends right."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps import plan
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload import bisect
from audiences.pipeline.upload.export import AllRefusedError, export

pytestmark = pytest.mark.integration
EVER = {"did": {"event": "Added To Cart"}}


@pytest.fixture
def fill(shop):
    """Makes that many users with an e-mail address each and one event; gives the rows they are at Facebook."""

    def make(users: int) -> set:
        shop.sql(
            "insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(1, %s) i", users
        )
        shop.sql(
            "insert into events (user_id, name, occurred_at)"
            " select id, 'Added To Cart', timestamptz '2026-11-22 12:00 UTC' from users"
        )
        return {row(shop, number) for number in range(1, users + 1)}

    return make


def row(shop, number: int):
    return shop.row_of(f"user{number}@example.com", None)


def spoil(shop, *numbers: int, kind: str = "refuse_rows", **rule) -> None:
    """Facebook cannot do with the rows of these users."""
    shop.sandbox.admin.add_fault(kind, values=[row(shop, number)[0][1] for number in numbers], **rule)


def chunk_states(shop) -> list[tuple[str, int]]:
    return shop.sql("select state, count(*)::int from audiences.chunk group by 1 order by 1", on="ledger")


def planned(shop, spec, resources):
    run = open_run(resources, RunRequest(external_id="by hand", at=shop.noon))
    extracted = extract(resources, run)
    return run, plan.plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])


def test_one_bad_row_among_ten_thousand_is_found_and_the_rest_goes(shop, fill):
    everybody = fill(20_000)
    spoil(shop, 4711)
    spec = shop.campaign(who=EVER)
    summary = shop.run(spec)
    assert shop.members(summary.audience.id) == everybody - {row(shop, 4711)}
    assert summary.state == "success"
    assert (summary.outcomes["added"], summary.outcomes["failed"], summary.audience.members) == (19_999, 1, 19_999)
    (reason,) = summary.rejected["row"]
    assert summary.rejected["row"] == {reason: 1}
    assert "values that cannot be processed" in reason
    assert any(reason in warning for warning in summary.warnings)
    # Two whole requests, and the two halves at each of 13 or 14 steps.
    assert 2 + 2 * 13 <= summary.requests == len(shop.uploads()) <= 2 + 2 * 14


def test_a_refused_row_is_not_sent_again_until_it_changes_or_a_month_has_passed(shop, fill):
    everybody = fill(30)
    spoil(shop, 7)
    spec = shop.campaign(who=EVER)
    first = shop.run(spec)
    sent = len(shop.uploads())
    shown = shop.preview(spec)
    again = shop.run(spec)
    assert len(shop.uploads()) == sent
    assert (again.state, again.requests, again.outcomes["failed"], again.outcomes["kept"]) == ("success", 0, 1, 29)
    assert shown.outcomes == again.outcomes
    assert "not sent" in " ".join(again.warnings)
    shop.sql("update users set email = 'better@example.com' where id = 7")
    assert shop.run(spec).outcomes["added"] == 1
    shop.sql("update users set email = 'user7@example.com' where id = 7")
    shop.sandbox.admin.clear_faults()
    assert shop.run(spec, at=shop.noon + timedelta(days=29)).outcomes["failed"] == 1
    assert shop.run(spec, at=shop.noon + timedelta(days=31)).outcomes["failed"] == 0
    assert shop.members(first.audience.id) == everybody


def test_bad_rows_are_found_wherever_they_are_and_users_who_share_one_fail_together(shop, fill):
    everybody = fill(200)
    shop.sql("update users set email = 'user17@example.com' where id = 18")
    bad = (1, 17, 100, 101, 200)
    spoil(shop, *bad)
    summary = shop.run(shop.campaign(who=EVER))
    assert shop.members(summary.audience.id) == everybody - {row(shop, number) for number in (*bad, 18)}
    assert (summary.outcomes["failed"], sum(summary.rejected["row"].values())) == (6, 5)
    states = dict(chunk_states(shop))
    assert states["refused"] == 5
    assert states.keys() == {"acknowledged", "refused", "split"}


def test_a_search_that_finds_nothing_good_is_given_up_and_the_task_is_red(shop, fill):
    fill(10_000)
    shop.sandbox.admin.add_fault("error", path="*/users", code=100, times=None)
    spec = shop.campaign(who=EVER)
    with shop.resources(spec) as resources:
        run, _ = planned(shop, spec, resources)
        with pytest.raises(AllRefusedError, match="the only request to add members"):
            export(resources, run, "add")
    assert len(shop.uploads()) < 3 * bisect.HOPELESS_AFTER
    shop.sandbox.admin.add_fault("error", path="*/users", code=100, times=None)
    failed = shop.run(spec)
    assert (failed.state, failed.outcomes["failed"]) == ("failed", 10_000)
    shop.sandbox.admin.clear_faults()
    assert shop.run(spec).outcomes["added"] == 10_000


def test_the_searches_of_a_run_have_a_budget(shop, fill, small_requests, monkeypatch):
    monkeypatch.setattr(bisect, "MOST_PARTS_A_RUN", 6)
    everybody = fill(40)
    spoil(shop, *range(1, 41, 9))
    spec = shop.campaign(who=EVER)
    summary = shop.run(spec)
    assert len(shop.uploads()) == 4 + 6
    lost = everybody - shop.members(summary.audience.id)
    assert {row(shop, number) for number in range(1, 41, 9)} < lost
    assert (summary.outcomes["failed"], summary.state) == (len(lost), "failed")
    shop.sandbox.admin.clear_faults()
    assert shop.run(spec).state == "success"
    assert shop.members(summary.audience.id) == everybody


def test_a_search_that_is_interrupted_goes_on_within_its_batch(shop, fill, small_requests):
    everybody = fill(40)
    spoil(shop, 3)
    shop.sandbox.admin.add_fault("throttle", path="*/users", after=4, minutes=3)
    summary = shop.run(shop.campaign(who=EVER))
    assert shop.waited == [180]
    assert shop.members(summary.audience.id) == everybody - {row(shop, 3)}
    assert summary.outcomes["failed"] == 1


def test_a_search_that_a_run_did_not_end_leaves_the_next_run_right(shop, fill):
    everybody = fill(100)
    shop.sandbox.admin.add_fault("expired_token", path="*/users", after=3, times=None)
    spoil(shop, 50)
    spec = shop.campaign(who=EVER)
    assert shop.run(spec).state == "failed"
    shop.sandbox.admin.clear_faults()
    summary = shop.run(spec)
    assert shop.members(summary.audience.id) == everybody
    assert summary.audience.members == 100


def test_a_bad_row_in_a_removal_keeps_neither_the_others_in_nor_additions_out(shop, fill):
    everybody = fill(40)
    spec = shop.campaign(who=EVER)
    audience = shop.run(spec).audience.id
    shop.sql("delete from events where user_id <= 10")
    shop.user(100, "user100@example.com")
    shop.event(100)
    spoil(shop, 4, method="DELETE")
    summary = shop.run(spec)
    gone = {row(shop, number) for number in range(1, 11)} - {row(shop, 4)}
    assert shop.members(audience) == everybody - gone | {row(shop, 100)}
    assert (summary.outcomes["removed"], summary.outcomes["added"]) == (9, 1)
    assert summary.warnings
    shop.sandbox.admin.clear_faults()
    assert shop.run(spec).outcomes["removed"] == 1


def test_the_only_removal_being_refused_does_not_keep_additions_out(shop, fill):
    everybody = fill(20)
    spec = shop.campaign(who=EVER)
    audience = shop.run(spec).audience.id
    shop.sql("update users set email = 'user100@example.com' where id = 4")
    spoil(shop, 4, method="DELETE")
    summary = shop.run(spec)
    assert shop.members(audience) == everybody | {row(shop, 100)}
    assert (summary.state, summary.outcomes["kept"], summary.rekeyed, summary.audience.members) == (
        "success",
        20,
        1,
        21,
    )
    shop.sandbox.admin.clear_faults()
    shop.run(spec)
    assert shop.members(audience) == everybody - {row(shop, 4)} | {row(shop, 100)}


def test_the_third_of_five_requests_refused_for_good_does_not_undo_the_others(shop, fill, small_requests):
    everybody = fill(50)
    shop.sandbox.admin.add_fault("error", path="*/users", after=2, times=1, code=105)
    spec = shop.campaign(who=EVER)
    failed = shop.run(spec)
    assert (failed.state, failed.requests) == ("failed", 5)
    assert "1 of 5 requests" in failed.error
    assert failed.outcomes["added"] == len(shop.members(failed.audience.id)) == failed.audience.members == 40
    assert failed.outcomes["failed"] == 10
    assert shop.run(spec).outcomes["added"] == 10
    assert shop.members(failed.audience.id) == everybody


@pytest.mark.parametrize("code", [105, 2650])
def test_every_request_refused_is_an_error_of_the_task(shop, fill, small_requests, code):
    fill(30)
    shop.sandbox.admin.add_fault("error", path="*/users", code=code, times=None)
    spec = shop.campaign(who=EVER)
    with shop.resources(spec) as resources:
        run, _ = planned(shop, spec, resources)
        with pytest.raises(AllRefusedError, match="any of the 3 requests to add members"):
            export(resources, run, "add")
    assert len(shop.uploads()) == 3
    assert shop.run(spec).state == "failed"


def test_a_removal_that_would_leave_too_few_is_a_warning_and_tried_again(shop, fill):
    fill(4)
    spec = shop.campaign(who=EVER)
    audience = shop.run(spec).audience.id
    shop.sql("delete from events where user_id = 1")
    shop.sql("update users set email = 'user100@example.com' where id = 2")
    shop.sandbox.admin.add_fault("too_low", path="*/users", method="DELETE")
    kept = shop.run(spec)
    assert (kept.state, kept.error, kept.outcomes["removed"], kept.rekeyed) == ("success", None, 0, 1)
    assert "the next run tries again" in " ".join(kept.warnings)
    assert len(shop.members(audience)) == kept.audience.members == 5
    summary = shop.run(spec)
    assert (summary.outcomes["removed"], summary.warnings) == (1, ())
    assert shop.members(audience) == {row(shop, number) for number in (3, 4, 100)}


@pytest.mark.parametrize(
    ("invalid", "state", "warned"), [(1, "success", False), (10, "success", True), (30, "failed", True)]
)
def test_invalid_rows_above_a_share_warn_and_above_another_fail_the_run(shop, fill, invalid, state, warned):
    fill(200)
    spoil(shop, *range(1, invalid + 1), kind="invalid_rows")
    summary = shop.run(shop.campaign(who=EVER))
    assert (summary.state, bool(summary.warnings)) == (state, warned)
    if warned:
        assert f"{invalid} of the 200 rows" in summary.warnings[0]
    if state == "failed":
        assert "more than 10%" in summary.error
        assert "pre_hashed" in summary.error


def test_a_refused_row_is_not_sent_along_with_a_newcomer(shop, fill):
    everybody = fill(10)
    spoil(shop, 7)
    spec = shop.campaign(who=EVER)
    shop.run(spec)
    sent = len(shop.uploads())
    shop.user(100, "user100@example.com")
    shop.event(100)
    summary = shop.run(spec)
    assert (summary.outcomes["added"], summary.outcomes["failed"], len(shop.uploads())) == (1, 1, sent + 1)
    assert shop.members(summary.audience.id) == everybody - {row(shop, 7)} | {row(shop, 100)}

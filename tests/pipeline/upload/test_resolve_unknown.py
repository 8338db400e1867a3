"""Requests of which nobody knows whether Facebook carried them out: the ledger never claims to know, the next run settles it."""

from __future__ import annotations

import pytest

from audiences.errors import AudiencesError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload.export import export

pytestmark = pytest.mark.integration
REFUSED = 105


def row(shop, number: int):
    return shop.row_of(f"user{number}@example.com", None)


def rows(shop, *numbers: int):
    return {row(shop, number) for number in numbers}


@pytest.fixture
def carts(shop):
    """Four users with a cart each."""
    for number in (1, 2, 3, 4):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    return shop.campaign(what={"guards": {"max_removal": 100}})


@pytest.fixture
def leave(shop):
    def leave(*users: int) -> None:
        shop.sql("delete from events where user_id = any(%s)", list(users))

    return leave


@pytest.fixture
def strike(shop):
    """The next upload of that method meets these faults, try by try."""

    def strike(method: str, *faults: str) -> None:
        shop.sandbox.admin.clear_faults()
        for kind in faults:  # the first rule that has not struck yet strikes
            code = {"code": REFUSED} if kind == "error" else {}
            shop.sandbox.admin.add_fault(kind, path="*/users", method=method, times=1, **code)

    return strike


def in_doubt(shop) -> int:
    return shop.sql("select count(*) from audiences.chunk where doubtful", on="ledger")[0][0]


@pytest.mark.parametrize("refusal", ["too_low", "error"])
def test_who_was_removed_by_a_request_refused_after_its_answer_was_lost_is_added_when_wanted_again(
    shop, carts, leave, strike, refusal
):
    audience = shop.run(carts).audience.id
    leave(1)
    strike("DELETE", "truncated_json", refusal)
    shop.run(carts)
    assert (shop.members(audience), in_doubt(shop)) == (rows(shop, 2, 3, 4), 1)
    shop.event(1)
    summary = shop.run(carts)
    assert (summary.state, in_doubt(shop)) == ("success", 0)
    assert shop.members(audience) == rows(shop, 1, 2, 3, 4)
    assert summary.audience.members == 4


@pytest.mark.parametrize("lost", ["truncated_json", "html_500"])
def test_who_is_not_wanted_again_is_removed_again(shop, carts, leave, strike, lost):
    audience = shop.run(carts).audience.id
    leave(1, 2)
    strike("DELETE", lost, "too_low")
    shop.run(carts)
    summary = shop.run(carts)
    assert (summary.state, summary.audience.members, in_doubt(shop)) == ("success", 2, 0)
    assert shop.members(audience) == rows(shop, 3, 4)


def test_a_removal_that_stays_in_doubt_does_not_take_out_whom_a_later_run_added(shop, carts, leave, strike):
    audience = shop.run(carts).audience.id
    leave(1, 2)
    strike("DELETE", "truncated_json", "too_low")
    shop.run(carts)
    shop.event(1)
    strike("DELETE", "too_low")
    doubting = shop.run(carts)
    assert "it is still not known whether Facebook carried out request" in " ".join(doubting.warnings)
    assert shop.members(audience) == rows(shop, 1, 3, 4)
    assert shop.run(carts).warnings == ()
    assert (shop.members(audience), in_doubt(shop)) == (rows(shop, 1, 3, 4), 0)


def test_who_was_added_by_a_request_refused_after_its_answer_was_lost_is_removed_when_no_longer_wanted(
    shop, carts, leave, strike
):
    strike("POST", "truncated_json", "error")
    failed = shop.run(carts)
    assert (failed.state, failed.outcomes["added"], failed.outcomes["failed"]) == ("failed", 0, 4)
    assert shop.members(failed.audience.id) == rows(shop, 1, 2, 3, 4)
    leave(1, 2)
    summary = shop.run(carts)
    assert (summary.state, summary.outcomes["kept"], summary.audience.members) == ("success", 2, 2)
    assert (shop.members(failed.audience.id), in_doubt(shop)) == (rows(shop, 3, 4), 0)


def test_who_was_not_added_by_it_after_all_is_added_by_the_next_run(shop, carts, strike):
    strike("POST", "html_500", "error")
    failed = shop.run(carts)
    assert (shop.members(failed.audience.id), in_doubt(shop)) == (set(), 1)
    assert shop.run(carts).state == "success"
    assert (shop.members(failed.audience.id), in_doubt(shop)) == (rows(shop, 1, 2, 3, 4), 0)


def test_a_request_interrupted_by_a_crash_is_in_doubt_too_when_it_is_then_refused(shop, carts, leave, strike):
    with shop.resources(carts) as resources:
        run = open_run(resources, RunRequest(external_id="killed", at=shop.noon))
        extracted = extract(resources, run)
        plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        export(resources, run, "add")
    # As a process leaves it that was killed between the request and its answer.
    shop.sql("delete from audiences.member", on="ledger")
    shop.sql("update audiences.chunk set state = 'sending', begun = 0", on="ledger")
    shop.sql("update audiences.run set state = 'failed', ended_at = now()", on="ledger")
    leave(1)
    strike("POST", "error")
    summary = shop.run(carts)
    assert summary.audience.members == 3
    assert shop.members(summary.audience.id) == rows(shop, 2, 3, 4)
    assert shop.run(carts).state == "success"
    assert (shop.members(summary.audience.id), in_doubt(shop)) == (rows(shop, 2, 3, 4), 0)


def test_the_rows_of_a_request_in_doubt_outlive_its_run_and_a_full_refresh_ends_the_doubt(shop, carts, leave, strike):
    audience = shop.run(carts).audience.id
    leave(1)
    strike("DELETE", "truncated_json", "too_low")
    shop.run(carts)
    assert shop.sql("select count(*) from audiences.chunk where doubtful", on="ledger") == [(1,)]
    assert list(shop.staging.rglob("remove*.parquet"))
    strike("DELETE", "too_low")
    assert shop.run(carts, full_refresh=True).state == "success"
    assert (shop.members(audience), in_doubt(shop)) == (rows(shop, 2, 3, 4), 0)


@pytest.mark.parametrize("stored", [False, True])
def test_rows_that_facebook_does_not_count_are_not_on_record_as_added_and_are_sent_again(shop, carts, stored):
    shop.sandbox.admin.add_fault("received", path="*/users", times=None, apply=stored)
    failed = shop.run(carts)
    assert (failed.state, failed.outcomes["added"], failed.outcomes["failed"]) == ("failed", 0, 4)
    assert "Facebook says that it received 0 of them" in failed.error
    assert in_doubt(shop) == 1
    doubting = shop.run(carts)
    assert "it is still not known whether Facebook carried out request 0 of run 1 (add 4 rows)" in doubting.warnings[0]
    shop.sandbox.admin.clear_faults()
    summary = shop.run(carts)
    assert (summary.state, summary.warnings, in_doubt(shop)) == ("success", (), 0)
    assert shop.members(summary.audience.id) == rows(shop, 1, 2, 3, 4)
    assert shop.run(carts).requests == 0


def test_who_may_have_been_added_uncounted_is_removed_when_no_longer_wanted(shop, carts, leave):
    shop.sandbox.admin.add_fault("received", path="*/users", times=2, apply=True)
    audience = shop.run(carts).audience.id
    leave(1)
    summary = shop.run(carts)
    assert (summary.state, in_doubt(shop)) == ("success", 0)
    assert shop.members(audience) == rows(shop, 2, 3, 4)


def test_a_removal_that_is_not_counted_is_sent_again(shop, carts, leave):
    audience = shop.run(carts).audience.id
    leave(1, 2)
    shop.sandbox.admin.add_fault("received", path="*/users", method="DELETE", times=2)
    assert (shop.run(carts).state, in_doubt(shop)) == ("failed", 1)
    assert shop.run(carts).state == "success"
    assert (shop.members(audience), in_doubt(shop)) == (rows(shop, 3, 4), 0)


def test_one_wrong_count_is_tried_again_at_once(shop, carts):
    shop.sandbox.admin.add_fault("received", path="*/users", times=1)
    summary = shop.run(carts)
    assert (summary.state, summary.outcomes["added"], len(shop.members(summary.audience.id))) == ("success", 4, 4)


@pytest.mark.parametrize("times", [1, 3])
def test_a_replace_that_counts_far_fewer_rows_than_it_had_is_done_again(shop, carts, times):
    """The count of a session is of all its requests so far."""
    audience = shop.run(carts).audience.id
    shop.sandbox.admin.add_fault("received", path="*/usersreplace", times=times)
    summary = shop.run(carts, full_refresh=True)
    if times == 3:
        assert (summary.state, shop.members(audience)) == ("failed", set())
        assert "ended with 0 of its 4 rows received" in summary.error
        summary = shop.run(carts)
    assert (summary.state, summary.outcomes["kept"]) == ("success", 4)
    assert shop.members(audience) == rows(shop, 1, 2, 3, 4)
    states = [state for (state,) in shop.sql("select state from audiences.upload_session order by id", on="ledger")]
    assert (states.count("broken"), states[-1]) == (times, "ended")


def test_a_replace_whose_last_answer_was_lost_is_judged_by_what_facebook_lists(shop, carts):
    shop.run(carts)
    shop.sandbox.admin.add_fault("truncated_json", path="*/usersreplace", times=1)
    assert shop.run(carts, full_refresh=True).state == "success"


@pytest.mark.parametrize("action", ["mirror", "add"])
@pytest.mark.parametrize("faults", [["reset_before"] * 6, ["html_500", "error"]], ids=["lost", "in doubt"])
def test_who_has_opted_out_since_a_request_was_lost_is_not_sent_with_it_again(shop, carts, strike, action, faults):
    spec = shop.campaign(
        what={"audience": {"create": {"name": "carts", "action": action}}, "guards": {"max_removal": 100}}
    )
    strike("POST", *faults)
    with shop.resources(spec) as resources:
        run = open_run(resources, RunRequest(external_id="lost", at=shop.noon))
        extracted = extract(resources, run)
        plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        with pytest.raises(AudiencesError):
            export(resources, run, "add")
    shop.sql("update audiences.run set state = 'failed', ended_at = now()", on="ledger")
    shop.sandbox.admin.clear_faults()
    shop.sql("update users set opted_out = true where id = 2")
    summary = shop.run(spec)
    assert (summary.state, in_doubt(shop)) == ("success", 0)
    assert shop.members(summary.audience.id) == rows(shop, 1, 3, 4)
    assert [entry["rows"] for entry in shop.uploads() if entry["status"] == 200 and entry["method"] == "POST"] == [3]

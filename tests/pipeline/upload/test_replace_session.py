"""Refresh by replace: the whole set in one session, whatever happens to it, and members on record only when it has ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.errors import FacebookAccessError
from audiences.ledger import chunks, content
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload import full_refresh, requests
from audiences.pipeline.upload.export import export
from audiences.pipeline.upload.full_refresh import ForeignMembersError, ReplaceTooLongError

pytestmark = pytest.mark.integration
GIVEN = "23851234567890123"
REPLACE = {"refresh": "replace", "guards": {"allow_empty": True, "max_removal": 100}}


def replaces(shop):
    """The `/usersreplace` requests so far: (batch, last, status)."""
    return [
        (entry["batch_seq"], entry["last_batch"], entry["status"])
        for entry in shop.sandbox.admin.requests()
        if entry["path"].endswith("/usersreplace")
    ]


def held(shop):
    """How many rows the ledger holds."""
    (found,) = shop.sql(
        "select count(distinct identifiers) from audiences.member where removed_run is null and present", on="ledger"
    )
    return found[0]


def states(shop):
    return [state for (state,) in shop.sql("select state from audiences.upload_session order by id", on="ledger")]


@pytest.fixture
def few(shop):
    """Three users with a cart."""
    for number in range(1, 4):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    return shop


def with_carts(shop, users):
    shop.sql(
        "insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(1, %s) i", users
    )
    shop.sql("insert into events (user_id, name, occurred_at) select id, 'Added To Cart', %s from users", shop.noon)
    return shop


@pytest.fixture
def many(shop, monkeypatch):
    """450 users in batches of a hundred: five. That a batch holds ten thousand is a test of its own."""
    monkeypatch.setattr(requests, "MAX_ROWS", 100)
    return with_carts(shop, 450)


def everybody(shop, *, users=450, but=lambda _: False):
    return {shop.row_of(f"user{number}@example.com", None) for number in range(1, users + 1) if not but(number)}


WHO = {"did": {"event": "Added To Cart"}}


def test_the_first_batch_goes_alone_the_last_one_ends_it_and_each_holds_ten_thousand_rows(shop):
    with_carts(shop, 45_000)
    summary = shop.run(shop.campaign(who=WHO, what=REPLACE))
    found = replaces(shop)
    assert (found[0], found[-1]) == ((1, False, 200), (5, True, 200))
    assert sorted(found) == [(number, number == 5, 200) for number in range(1, 6)]
    assert shop.members(summary.audience.id) == everybody(shop, users=45_000)
    assert (summary.requests, summary.outcomes["added"], summary.audience.members) == (5, 45_000, 45_000)
    assert shop.uploads() == []


def test_the_outcomes_are_those_of_a_difference(few):
    spec = few.campaign(what=REPLACE)
    audience = few.run(spec).audience.id
    few.sql("delete from events where user_id = 1")
    few.user(4, "user4@example.com")
    few.event(4)
    outcomes = few.run(spec).outcomes
    assert {name: outcomes[name] for name in ("targeted", "added", "kept", "removed", "failed")} == {
        "targeted": 3,
        "added": 1,
        "kept": 2,
        "removed": 1,
        "failed": 0,
    }
    assert few.members(audience) == {few.row_of(f"user{number}@example.com", None) for number in (2, 3, 4)}
    assert held(few) == 3


def test_a_full_refresh_by_hand_heals_what_drifted_at_facebook(few):
    spec = few.campaign()
    audience = few.run(spec).audience.id
    strangers = [{"EMAIL": "f" * 64}, {"EMAIL": "e" * 64}]
    few.sandbox.admin.put_audience(id=audience, members=strangers)
    assert few.run(spec).requests == 0
    assert len(few.members(audience)) == 2
    summary = few.run(spec, full_refresh=True)
    assert few.members(audience) == {few.row_of(f"user{number}@example.com", None) for number in range(1, 4)}
    assert (summary.outcomes["kept"], summary.outcomes["added"]) == (3, 0)


def test_a_full_refresh_keeps_what_other_campaigns_hold_in_the_audience(few):
    audience = few.run(few.campaign("carts")).audience.id
    few.user(9, "buyer@example.com")
    few.event(9, "Charged")
    other = few.campaign(
        "buyers",
        who={"did": {"event": "Charged"}},
        what={"audience": {"update": {"id": audience, "action": "mirror"}}, "refresh": "replace"},
    )
    few.run(other)
    assert few.row_of("buyer@example.com", None) in few.members(audience)
    assert len(few.members(audience)) == held(few) == 4


def test_the_members_of_a_given_audience_are_never_replaced_by_hand_or_by_the_file(few):
    few.sandbox.admin.put_audience(id=GIVEN, members=[{"EMAIL": "f" * 64}])
    what = {"audience": {"update": {"id": GIVEN, "action": "mirror"}}}
    with pytest.raises(ForeignMembersError, match="members that others put there"):
        few.run(few.campaign(what=what), full_refresh=True)
    with pytest.raises(ForeignMembersError, match="members that others put there"):
        few.run(few.campaign(what={**what, "refresh": "replace"}))
    assert replaces(few) == []
    assert len(few.members(GIVEN)) == 1


def test_an_empty_replace_is_never_sent(few):
    spec = few.campaign(what=REPLACE)
    audience = few.run(spec).audience.id
    few.sql("delete from events")
    sent = len(replaces(few))
    summary = few.run(spec)
    assert len(replaces(few)) == sent
    assert [entry["method"] for entry in few.uploads()] == ["DELETE"]
    assert (few.members(audience), held(few), summary.outcomes["removed"]) == (set(), 0, 3)
    assert few.run(spec).requests == 0


def test_a_replace_that_timed_out_is_redone(many):
    spec = many.campaign(who=WHO, what=REPLACE)
    run = interrupted(many, spec, after=3)
    assert (states(many), held(many)) == (["open"], 0)
    many.sandbox.admin.advance(90 * 60)
    assert 0 < len(many.sandbox.admin.members(run.facebook_id)) < 450, "cut off by Facebook"
    with many.resources(spec) as resources:
        sent = full_refresh.send(resources, run)
    assert (sent.requests, sent.refused) == (5, 0)
    assert states(many) == ["broken", "ended"]
    assert many.members(run.facebook_id) == everybody(many)
    assert held(many) == 450


def test_a_replace_that_timed_out_between_two_runs_is_redone(many):
    spec = many.campaign(who=WHO, what=REPLACE)
    interrupted(many, spec, after=3)
    many.sandbox.admin.advance(90 * 60)
    summary = many.run(many.campaign(who=WHO))
    assert states(many) == ["broken", "ended"]
    assert many.members(summary.audience.id) == everybody(many)


def test_a_replace_that_a_wait_interrupted_is_carried_through_in_the_same_session(many):
    many.sandbox.admin.add_fault("throttle", path="*/usersreplace", after=2, times=1, minutes=2)
    summary = many.run(many.campaign(who=WHO, what=REPLACE))
    assert many.waited == [120]
    assert [number for number, _, _ in replaces(many)].count(1) == 1
    assert (summary.state, states(many)) == ("success", ["ended"])
    assert many.members(summary.audience.id) == everybody(many)


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "html_500", "truncated_json"])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_lost_answer_anywhere_in_the_session_ends_right(many, kind, at):
    many.sandbox.admin.add_fault(kind, path="*/usersreplace", after=at, times=1)
    summary = many.run(many.campaign(who=WHO, what=REPLACE))
    assert (summary.state, summary.outcomes["failed"]) == ("success", 0)
    assert many.members(summary.audience.id) == everybody(many)
    assert held(many) == 450


def opened_and_planned(resources, shop, external_id="by hand"):
    run = open_run(resources, RunRequest(external_id=external_id, at=shop.noon))
    extracted = extract(resources, run)
    plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
    return run


def interrupted(shop, spec, *, after):
    """A replace whose process dies after that many batches."""
    shop.sandbox.admin.add_fault("expired_token", path="*/usersreplace", after=after, times=None)
    with shop.resources(spec) as resources:
        run = opened_and_planned(resources, shop, f"dies after {after}")
        with pytest.raises(FacebookAccessError):
            full_refresh.send(resources, run)
    shop.sandbox.admin.clear_faults()
    return run


def test_a_session_left_uploading_is_carried_through_by_the_next_run(many):
    spec = many.campaign(who=WHO, what=REPLACE)
    interrupted(many, spec, after=2)
    assert (states(many), held(many)) == (["open"], 0)
    many.sql("delete from events where user_id % 2 = 0")
    summary = many.run(spec)
    assert states(many) == ["ended", "ended"]
    assert many.members(summary.audience.id) == everybody(many, but=lambda number: number % 2 == 0)
    assert summary.outcomes["removed"] == 225
    assert summary.audience.members == 225


def test_a_session_that_facebook_shows_as_uploading_for_ever_holds_nobody_up(few):
    few.sandbox.admin.settings(stuck_sessions=True)
    spec = few.campaign(what=REPLACE)
    assert [few.run(spec).state for _ in range(2)] == ["success", "success"]
    assert states(few) == ["ended", "ended"]


def test_when_the_staged_rows_of_a_session_are_lost_the_next_run_is_a_full_refresh(many):
    interrupted(many, many.campaign(who=WHO, what=REPLACE), after=2)
    for file in many.staging.rglob("replace*"):
        file.unlink()
    many.sandbox.admin.advance(90 * 60)
    assert 0 < len(many.sandbox.admin.members(audience_of(many))) < 450
    summary = many.run(many.campaign(who=WHO))
    assert states(many) == ["broken", "ended"]
    assert many.members(summary.audience.id) == everybody(many)
    assert many.run(many.campaign(who=WHO)).requests == 0


def test_a_session_that_was_given_up_is_waited_for_until_its_time_is_over(many):
    interrupted(many, many.campaign(who=WHO, what=REPLACE), after=2)
    for file in many.staging.rglob("replace*"):
        file.unlink()

    def wait(seconds):
        many.waited.append(seconds)
        many.sandbox.admin.advance(seconds)

    many.wait = wait
    summary = many.run(many.campaign(who=WHO))
    assert len(many.waited) == 1
    assert 89 * 60 < many.waited[0] <= 91 * 60
    assert many.members(summary.audience.id) == everybody(many)


def audience_of(shop):
    return shop.sql("select facebook_id from audiences.audience", on="ledger")[0][0]


def test_a_request_whose_rows_are_lost_is_healed_by_a_full_refresh(few):
    spec = few.campaign()
    few.sandbox.admin.add_fault("expired_token", path="*/users", method="POST", times=None)
    with few.resources(spec) as resources:
        run = opened_and_planned(resources, few)
        with pytest.raises(FacebookAccessError):
            export(resources, run, "add")
    few.sandbox.admin.clear_faults()
    for file in few.staging.rglob("add*"):
        file.unlink()
    summary = few.run(spec)
    assert [number for number, _, _ in replaces(few)] == [1]
    assert (summary.state, held(few), len(few.members(summary.audience.id))) == ("success", 3, 3)
    with few.resources(spec) as resources:
        assert [chunk.state for chunk in chunks.of_run(resources.ledger, run.run)] == ["lost"]
        assert content.why_in_doubt(resources.ledger, run.audience) is None


def test_a_refused_first_batch_changes_nothing(many):
    many.sandbox.admin.add_fault("error", path="*/usersreplace", times=1, code=105, status=400)
    spec = many.campaign(who=WHO, what=REPLACE)
    failed = many.run(spec)
    assert (failed.state, failed.outcomes["failed"], held(many), states(many)) == ("failed", 450, 0, ["dropped"])
    assert many.run(spec).state == "success"


@pytest.mark.parametrize("at", [2, 4])
def test_a_batch_refused_later_leaves_out_its_rows_and_the_ledger_says_so(many, at):
    spec = many.campaign(who=WHO, what=REPLACE)
    audience = many.run(spec).audience.id
    many.sql("insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(451, 460) i")
    many.sql("insert into events (user_id, name, occurred_at) select id, 'Added To Cart', %s from users", many.noon)
    many.sandbox.admin.add_fault("error", path="*/usersreplace", after=at, times=1, code=105, status=400)
    failed = many.run(spec)
    assert failed.state == "failed"
    assert 300 < len(many.members(audience)) < 450
    assert len(many.members(audience)) == held(many) == failed.audience.members
    many.run(spec)
    assert len(many.members(audience)) == held(many) == 460


@pytest.mark.parametrize(
    "bad",
    [{25}, {49}, {11, 12, 37, 49}, {0}, {9}, set(range(10)), {3, 44}],
    ids=[
        "between",
        "in the last batch",
        "several",
        "the first",
        "in the first batch",
        "a whole batch",
        "both ends",
    ],
)
def test_bad_rows_of_a_replace_are_found_and_the_rest_goes(shop, monkeypatch, bad):
    """Else a whole batch of members would leave with one row, and stay away with every further run."""
    monkeypatch.setattr(requests, "MAX_ROWS", 10)
    shop.sql("insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(1, 50) i")
    shop.sql("insert into events (user_id, name, occurred_at) select id, 'Added To Cart', %s from users", shop.noon)
    spec = shop.campaign(who=WHO, what=REPLACE)
    audience = shop.run(spec).audience.id
    wanted = {shop.row_of(f"user{number}@example.com", None) for number in range(1, 51)}
    assert shop.members(audience) == wanted
    in_order = sorted(range(1, 51), key=str)  # rows go in the order of the users' ids as text
    spoiled = {shop.row_of(f"user{in_order[place]}@example.com", None) for place in bad}
    shop.sandbox.admin.add_fault("refuse_rows", values=[row[0][1] for row in spoiled])
    summary = shop.run(spec)
    assert (summary.state, sum(summary.rejected["row"].values())) == ("success", len(spoiled))
    kept, failed, removed = (summary.outcomes[name] for name in ("kept", "failed", "removed"))
    assert (kept, failed, removed) == (50 - len(spoiled), len(spoiled), 0)
    assert shop.members(audience) == wanted - spoiled
    assert held(shop) == summary.audience.members == 50 - len(spoiled)
    sent = len(replaces(shop))
    again = shop.run(spec)
    assert (again.state, again.outcomes["failed"]) == ("success", len(spoiled))
    assert len(replaces(shop)) - sent == -(-(50 - len(spoiled)) // 10)
    shop.sandbox.admin.clear_faults()
    shop.run(spec, at=shop.noon + timedelta(days=31))
    assert held(shop) == len(shop.members(audience)) == 50


@pytest.mark.parametrize("bad", [1, 2, 3])
def test_bad_rows_of_the_only_batch_are_found_and_the_rest_goes(few, bad):
    rows = sorted(few.members(few.run(few.campaign(what=REPLACE)).audience.id))
    few.sandbox.admin.add_fault("refuse_rows", values=[row[0][1] for row in rows[:bad]])
    summary = few.run(few.campaign(what=REPLACE))
    if bad == len(rows):
        assert (summary.state, few.members(summary.audience.id)) == ("failed", set(rows))
        assert "refused all rows" in summary.error
    else:
        assert (summary.state, few.members(summary.audience.id)) == ("success", set(rows[bad:]))
    assert held(few) == len(few.members(summary.audience.id))


def test_three_broken_sessions_fail_the_run_and_the_next_one_makes_it_right(few):
    few.sandbox.admin.add_fault("replace_failed", path="*/usersreplace", times=3)
    spec = few.campaign(what=REPLACE)
    failed = few.run(spec)
    assert (failed.state, failed.outcomes["failed"]) == ("failed", 3)
    assert "replace" in failed.error
    summary = few.run(spec)
    assert (summary.state, held(few), len(few.members(summary.audience.id))) == ("success", 3, 3)


def test_a_replace_that_would_take_too_long_is_refused_before_it_starts(few):
    spec = few.campaign(what=REPLACE)
    few.run(few.campaign())
    # Twenty requests that took 40 minutes each.
    few.sql(
        "insert into audiences.chunk (run_id, audience_id, number, action, file, first_row, rows, state, tries, sent_at,"
        " acknowledged_at) select 1, 1, 1000 + i, 'add', 'x', 0, 10000, 'acknowledged', 1, now(), now() + interval"
        " '61 minutes' from generate_series(1, 20) i",
        on="ledger",
    )
    failed = few.run(spec)
    assert failed.state == "failed"
    assert "Use `refresh: difference`" in failed.error
    assert replaces(few) == []
    assert "61 minutes" in str(ReplaceTooLongError(3, 1, 61, 3660))
    assert few.preview(spec).stopped == failed.error


def test_a_preview_counts_the_requests_of_a_replace(few):
    spec = few.campaign(what=REPLACE)
    few.run(spec)
    found = few.preview(spec)
    assert (found.changes.add, found.requests) == (0, 1)


def test_members_of_two_identifier_sets_are_sent_under_one_schema(few):
    few.run(few.campaign(what={"identifiers": ["email"]}))
    few.sql("update users set phone = '+14155550101' where id = 1")
    few.sql("insert into events (user_id, name, occurred_at) values (1, 'Charged', %s)", few.noon)
    audience = audience_of(few)
    other = few.campaign(
        "phones",
        who={"did": {"event": "Charged"}},
        what={
            "audience": {"update": {"id": audience, "action": "mirror"}},
            "identifiers": ["phone"],
            "refresh": "replace",
        },
    )
    assert few.run(other).state == "success"
    assert few.row_of(None, "+14155550101") in few.members(audience)
    assert len(few.members(audience)) == 4


@pytest.mark.parametrize("qualifies", [True, False])
def test_who_opted_out_is_not_sent_anew_by_a_full_refresh_though_members_stay(few, qualifies):
    spec = few.campaign(
        what={"audience": {"create": {"name": "carts", "action": "add"}}, **REPLACE, "refresh": "difference"}
    )
    few.run(spec)
    few.sql("update users set opted_out = true where id = 2")
    if not qualifies:
        few.sql("delete from events where user_id = 2")
    few.sql("delete from events where user_id = 3")
    assert few.preview(spec, full_refresh=True).changes.remove == 1
    summary = few.run(spec, full_refresh=True)
    assert (summary.state, summary.outcomes["removed"]) == ("success", 1)
    assert few.members(summary.audience.id) == {few.row_of(f"user{one}@example.com", None) for one in (1, 3)}


def test_who_opted_out_is_not_sent_anew_for_another_campaign_either(few):
    spec = few.campaign(what=REPLACE)
    audience = few.run(spec).audience.id
    few.user(9, "user9@example.com")
    few.event(9, "Charged")
    adds = few.campaign(
        "buyers",
        who={"did": {"event": "Charged"}},
        what={"audience": {"update": {"id": audience, "action": "add"}}},
    )
    few.run(adds)
    assert few.row_of("user9@example.com", None) in few.members(audience)
    few.sql("update users set opted_out = true where id = 9")
    summary = few.run(spec)
    assert (summary.state, summary.outcomes["removed"]) == ("success", 1)
    assert few.row_of("user9@example.com", None) not in few.members(audience)
    assert few.run(adds).outcomes["opted_out"] == 1
    assert (few.run(spec).outcomes["removed"], len(few.members(audience))) == (0, 3)


def test_a_bad_row_of_a_member_whom_the_run_does_not_want_counts_as_removed(few):
    spec = few.campaign(
        what={"audience": {"create": {"name": "carts", "action": "add"}}, **REPLACE, "refresh": "difference"}
    )
    audience = few.run(spec).audience.id
    few.sql("delete from events")
    few.sandbox.admin.add_fault("refuse_rows", values=[few.row_of("user2@example.com", None)[0][1]])
    summary = few.run(spec, full_refresh=True)
    assert (summary.state, summary.outcomes["removed"], summary.outcomes["kept"]) == ("success", 1, 0)
    assert held(few) == len(few.members(audience)) == 2

from __future__ import annotations

import hashlib
import random
import re

import pytest

from audiences.errors import StoppedError, UnsupportedError
from audiences.pipeline.explain import explain
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload.export import export
from audiences.who.outcomes import Outcomes

pytestmark = pytest.mark.integration


def fill(shop, users: int, seed: int = 1) -> None:
    """Users with some of everything, each with a cart event."""
    chance = random.Random(seed)  # the same users every time
    for number in range(1, users + 1):
        email = f"User{number}@Example.com" if chance.random() < 0.9 else None
        phone = f"+1415555{number:04d}" if chance.random() < 0.6 else None
        tier = chance.choice(["Gold", "Platinum", "Silver", None])
        shop.user(number, email, phone, tier=tier, age=chance.randint(18, 70), opted_out=chance.random() < 0.1)
        shop.event(number)


def test_the_audience_is_what_an_independent_query_says(shop):
    fill(shop, 120)
    spec = shop.campaign(
        who={"did": {"event": "Added To Cart"}, "with_properties": {"tier": {"in": ["Gold", "Silver"]}}}
    )
    summary = shop.run(spec)
    wanted = shop.sql(
        "select email, phone from users where tier in ('Gold', 'Silver') and not opted_out"
        " and (email is not null or phone is not null) and id in (select user_id from events)"
    )
    assert shop.members(summary.audience.id) == {shop.row_of(email, phone) for email, phone in wanted}
    assert summary.outcomes["added"] == summary.audience.members == len(wanted)


def test_outcomes_add_up_to_the_qualified_users(shop):
    fill(shop, 120)
    spec = shop.campaign(
        who={
            "did": {"event": "Added To Cart"},
            "with_properties": {"tier": "Gold"},
            "control_group": {"percent": 20},
            "target_cap": 10,
        },
        control_groups={"system": {"percent": 10}},
    )
    outcomes = shop.run(spec).outcomes
    parts = ["filtered_out", "opted_out", "no_identifier", "control_system", "control_custom", "control_campaign"]
    assert sum(outcomes[name] for name in [*parts, "over_cap", "targeted"]) == outcomes["qualified"] == 120
    assert outcomes["targeted"] == outcomes["added"] == 10
    assert min(outcomes[name] for name in ("filtered_out", "opted_out", "no_identifier", "over_cap")) > 0


def test_a_run_without_changes_sends_nothing(shop):
    fill(shop, 30)
    spec = shop.campaign()
    shop.run(spec)
    before = len(shop.uploads())
    summary = shop.run(spec)
    assert len(shop.uploads()) == before
    assert (summary.requests, summary.outcomes["kept"], summary.outcomes["added"]) == (
        0,
        summary.outcomes["targeted"],
        0,
    )


def test_after_changes_exactly_the_difference_is_sent(shop):
    fill(shop, 40)
    spec = shop.campaign()
    audience = shop.run(spec).audience.id
    before, sent = shop.members(audience), len(shop.uploads())
    shop.sql("update users set email = 'moved@example.com' where id = 1")
    shop.sql("delete from events where user_id in (2, 3, 4)")
    shop.user(100, "new@example.com")
    shop.event(100)
    summary = shop.run(spec)
    after = shop.members(audience)
    uploads = shop.uploads()[sent:]
    assert [(entry["method"], entry["rows"]) for entry in uploads] == [
        ("DELETE", len(before - after)),
        ("POST", len(after - before)),
    ]
    assert summary.outcomes["removed"] == len(before - after) - 1


def test_changed_identifiers_leave_under_the_old_hash_and_come_under_the_new(shop):
    shop.user(1, "old@example.com")
    shop.event(1)
    spec = shop.campaign()
    audience = shop.run(spec).audience.id
    shop.sql("update users set email = 'new@example.com'")
    summary = shop.run(spec)
    assert [entry["method"] for entry in shop.uploads()] == ["POST", "DELETE", "POST"]
    assert shop.members(audience) == {shop.row_of("new@example.com", None)}
    assert (summary.outcomes["added"], summary.outcomes["removed"]) == (0, 0)
    assert (summary.outcomes["kept"], summary.rekeyed) == (1, 1)


def test_members_with_other_identifiers_are_told_as_re_keyed_and_not_as_added(shop):
    fill(shop, 20, seed=3)
    spec = shop.campaign()
    shop.run(spec)
    known = shop.run(spec).outcomes["kept"]
    shop.sql("update users set email = 'moved' || id || '@example.com' where email is not null and id <= 10")
    shop.sql("delete from events where user_id > 15")
    shop.user(30, "new@example.com")
    shop.event(30)
    foreseen, summary = shop.preview(spec), shop.run(spec)
    assert (foreseen.outcomes, foreseen.rekeyed) == (summary.outcomes, summary.rekeyed)
    found = summary.outcomes
    assert (found["added"], found["kept"], found["removed"]) == (1, known - found["removed"], known - found["kept"])
    moved = [entry["rows"] for entry in shop.uploads()][-2:]
    assert moved == [found["removed"] + summary.rekeyed, found["added"] + summary.rekeyed]
    assert 0 < summary.rekeyed < found["kept"]
    assert summary.in_words().startswith(
        f"{summary.audience.members} members: targeted {found['targeted']} (added 1, kept {found['kept']}, of them "
        f"{summary.rekeyed} re-keyed), removed {found['removed']}; qualified 16: "
    )
    assert shop.run(spec).rekeyed == 0


def test_members_under_new_identifiers_are_re_keyed(shop):
    fill(shop, 20, seed=3)
    both, phones = shop.campaign(), shop.campaign(what={"identifiers": ["phone"], "guards": {"max_removal": 100}})
    known = shop.run(both).outcomes["added"]
    summary = shop.run(phones)
    found = summary.outcomes
    assert (found["added"], found["kept"] + found["removed"]) == (0, known)
    ((moved,),) = shop.sql("select count(*) from users where phone is not null and email is not null and not opted_out")
    assert summary.rekeyed == moved < found["kept"]
    assert found["no_identifier"] > 0


def test_a_hash_that_two_users_share_stays_until_both_have_left(shop):
    for number in (1, 2):
        shop.user(number, "shared@example.com")
        shop.event(number)
    spec = shop.campaign(what={"guards": {"allow_empty": True, "max_removal": 100}})
    audience = shop.run(spec).audience.id
    assert shop.uploads()[0]["rows"] == 1
    shop.sql("delete from events where user_id = 1")
    assert shop.run(spec).requests == 0
    assert len(shop.members(audience)) == 1
    shop.sql("delete from events")
    shop.run(spec)
    assert shop.members(audience) == set()


def test_a_user_who_takes_over_the_address_of_another_is_in_once(shop):
    shop.user(1, "one@example.com")
    shop.user(2, "two@example.com")
    for number in (1, 2):
        shop.event(number)
    spec = shop.campaign()
    audience = shop.run(spec).audience.id
    shop.sql("update users set email = 'two@example.com' where id = 1")
    summary = shop.run(spec)
    assert [(entry["method"], entry["rows"]) for entry in shop.uploads()[1:]] == [("DELETE", 1)]
    assert shop.members(audience) == {shop.row_of("two@example.com", None)}
    assert (summary.state, summary.outcomes["kept"], summary.rekeyed, summary.audience.members) == ("success", 2, 1, 1)


def test_two_campaigns_on_one_audience_do_not_remove_each_others_users(shop):
    shop.user(1, "one@example.com", tier="Gold")
    shop.user(2, "two@example.com", tier="Silver")
    for number in (1, 2):
        shop.event(number)
    what = {
        "audience": {"update": {"id": "23851234567890123", "action": "mirror"}},
        "guards": {"allow_empty": True, "max_removal": 100},
    }
    gold, everybody = (
        shop.campaign("gold", who={"with_properties": {"tier": "Gold"}}, what=what),
        shop.campaign("all", what=what),
    )
    shop.run(gold)
    shop.run(everybody)
    shop.sql("delete from events")
    shop.run(everybody)
    assert shop.members("23851234567890123") == {shop.row_of("one@example.com", None)}


def test_buyers_are_taken_out_of_an_existing_list_once(shop):
    shop.user(1, "buyer@example.com")
    shop.event(1, "Charged")
    spec = shop.campaign(
        who={"did": {"event": "Charged"}},
        what={"audience": {"update": {"id": "23851234567890123", "action": "remove_matching"}}},
    )
    assert shop.run(spec).requests == 1
    assert shop.run(spec).requests == 0
    assert [entry["method"] for entry in shop.uploads()] == ["DELETE"]


def test_the_control_group_is_the_one_of_the_formula_and_never_in_a_request(shop):
    fill(shop, 200)
    shop.sql("update users set email = 'user' || id || '@example.com', phone = null, opted_out = false")
    spec = shop.campaign(
        who={"did": {"event": "Added To Cart"}, "control_group": {"percent": 12.5}, "never_hold_out": [7]},
        control_groups={"system": {"percent": 5}},
    )
    summary = shop.run(spec)

    def bucket(salt: str, user: int) -> float:
        return int(hashlib.sha256(f"{salt}:{user}".encode()).hexdigest()[:15], 16) / 16**15

    held = {user for user in range(1, 201) if bucket("system", user) < 0.05 or bucket("carts", user) < 0.125} - {7}
    expected = {shop.row_of(f"user{user}@example.com", None) for user in range(1, 201) if user not in held}
    assert shop.members(summary.audience.id) == expected
    arms = shop.sql("select user_id::int from audiences.assignment where arm <> 'target'", on="ledger")
    assert {user for (user,) in arms} == held


def test_another_percentage_touches_only_users_who_come_after_it(shop):
    fill(shop, 60)
    shop.run(shop.campaign(who={"did": {"event": "Added To Cart"}, "control_group": {"percent": 10}}))
    before = dict(shop.sql("select user_id, arm from audiences.assignment", on="ledger"))
    summary = shop.run(shop.campaign(who={"did": {"event": "Added To Cart"}, "control_group": {"percent": 90}}))
    assert dict(shop.sql("select user_id, arm from audiences.assignment", on="ledger")) == before
    assert summary.outcomes["removed"] == 0


def test_who_was_a_target_by_name_stays_one_when_the_name_is_taken_off_the_list(shop):
    fill(shop, 40)
    shop.sql("update users set email = 'user' || id || '@example.com', phone = null, opted_out = false")
    who = {"did": {"event": "Added To Cart"}, "control_group": 90}
    everybody = shop.run(shop.campaign(who={**who, "never_hold_out": list(range(1, 41))})).outcomes
    assert everybody["targeted"] == 40
    later = shop.campaign(who=who)
    with shop.resources(later, read_only=True) as resources:
        assert {explain(resources, str(user), shop.noon).outcome for user in (1, 2, 3, 4, 5)} == {"targeted"}
    assert shop.preview(later).outcomes["control_campaign"] == 0
    summary = shop.run(later)
    assert (summary.outcomes["targeted"], summary.outcomes["removed"]) == (40, 0)


def test_the_cap_keeps_members_before_it_takes_newcomers(shop):
    fill(shop, 40)
    spec = shop.campaign(who={"did": {"event": "Added To Cart"}, "target_cap": 12})
    audience = shop.run(spec).audience.id
    before = shop.members(audience)
    for number in range(500, 540):
        shop.user(number, f"late{number}@example.com")
        shop.event(number)
    summary = shop.run(spec)
    assert shop.members(audience) == before
    assert summary.outcomes["over_cap"] > 0


@pytest.mark.parametrize(
    ("guard", "guards", "spoil"),
    [
        ("allow_empty", {}, "delete from events"),
        ("max_removal", {"max_removal": 20}, "delete from events where user_id % 2 = 0"),
        ("skip_run_above", {"skip_run_above": 25}, "update users set opted_out = false, email = id || '@example.com'"),
        (
            "fresh_within",
            {"fresh_within": "6 hours"},
            "update events set occurred_at = occurred_at - interval '1 hour'",
        ),
    ],
)
def test_a_guard_stops_the_run_before_any_upload_and_can_be_lifted_once(shop, guard, guards, spoil):
    fill(shop, 30)
    calm = {"did": {"event": "Added To Cart"}}
    first = shop.campaign(
        who=calm, what={"guards": {key: value for key, value in guards.items() if key == "max_removal"}}
    )
    shop.run(first)
    sent = len(shop.uploads())
    shop.sql(spoil)
    guarded = shop.campaign(who=calm, what={"guards": guards})
    try:
        error = shop.run(guarded).error
    except StoppedError as stopped:  # the warehouse is asked before the run is opened
        error = str(stopped)
    assert guard in error
    assert "allow it once" in error
    assert shop.sql("select state from audiences.run order by id desc limit 1", on="ledger") == [("stopped",)]
    assert len(shop.uploads()) == sent
    allowed = shop.run(guarded, allow=frozenset({guard, "max_removal", "skip_run_above"}))
    assert allowed.state == "success"


def test_a_preview_tells_what_the_run_then_does_and_writes_nothing(shop):
    fill(shop, 50)
    shop.never_migrated()
    spec = shop.campaign(who={"did": {"event": "Added To Cart"}, "control_group": {"percent": 10}})
    found = shop.preview(spec)
    assert shop.sql("select to_regnamespace('audiences')", on="ledger") == [(None,)]
    assert {entry["method"] for entry in shop.sandbox.admin.requests()} == {"GET"}  # whether the name is free
    assert not shop.staging.exists()
    summary = shop.run(spec)
    assert found.outcomes == summary.outcomes
    assert (found.changes.add, found.requests) == (summary.audience.members, summary.requests)
    assert shop.preview(spec).changes.add == 0


def test_nothing_raw_is_left_in_ledger_staging_or_log(shop, caplog):
    caplog.set_level("DEBUG")
    fill(shop, 30)
    spec = shop.campaign()
    with shop.resources(spec) as resources:
        run = open_run(resources, RunRequest(external_id="raw", at=shop.noon))
        extracted = extract(resources, run)
        plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        export(resources, run, "add")
    staged = b"".join(file.read_bytes() for file in shop.staging.rglob("*") if file.is_file())
    columns = shop.sql(
        "select table_name, column_name from information_schema.columns where table_schema = 'audiences'", on="ledger"
    )
    ledger = "".join(
        str(shop.sql(f'select "{column}"::text from audiences."{table}"', on="ledger")) for table, column in columns
    )
    assert staged
    for text in (staged, ledger.encode(), caplog.text.encode()):
        assert not re.search(rb"(?i)user\d+|example|1?415555", text)


def test_a_live_campaign_without_a_batch_sends_nothing(shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    spec = shop.campaign()
    spec = spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"qualification": "live"})})
    with pytest.raises(UnsupportedError, match="live"):
        shop.run(spec)
    assert shop.sandbox.admin.requests() == []


def test_a_run_that_a_guard_stopped_carries_the_counts_that_led_to_the_stop_and_they_add_up(shop):
    for number in range(1, 7):
        shop.user(number, f"user{number}@example.com", opted_out=number == 6)
        shop.event(number)
    shop.sql("delete from events where user_id > 3")
    shop.run(shop.campaign())
    for number in range(3, 7):
        shop.event(number)
    shop.sql("delete from events where user_id < 3")
    summary = shop.run(shop.campaign(what={"guards": {"max_removal": 50}}))
    assert (summary.state, summary.requests) == ("stopped", 0)
    Outcomes(**summary.outcomes).check()
    found = {name: count for name, count in summary.outcomes.items() if count}
    assert found == {"opted_out": 1, "targeted": 3, "kept": 1, "failed": 2, "qualified": 4}
    assert summary.would.model_dump() == {"added": 2, "removed": 2}
    assert (
        "targeted 3 (kept 1, not sent 2); qualified 4: opted out 1; would have added 2 and removed 2"
        in summary.in_words()
    )
    assert shop.sql("select outcomes from audiences.run order by id desc limit 1", on="ledger") == [(summary.outcomes,)]


def test_a_run_that_failed_before_anybody_was_counted_does_not_say_that_nobody_qualified(shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    shop.sql("alter table events rename to kept")
    # Whether it can be read is seen without a row; each row then fails.
    shop.sql("create view events as select * from kept where 1 / (length(name) - length(name)) = 1")
    summary = shop.run(shop.campaign())
    assert (summary.state, summary.counted) == ("failed", False)
    assert "qualified" not in summary.in_words()


def test_taking_buyers_out_of_a_list_is_told_in_words_of_its_own(shop):
    update = {"update": {"id": "23851234567890123"}}
    for number in range(1, 4):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
        shop.event(number, "Charged")
    shop.run(shop.campaign(what={"audience": {"update": {**update["update"], "action": "add"}}}))
    shop.user(4, "user4@example.com")
    shop.event(4, "Charged")
    spec = shop.campaign(
        "buyers",
        who={"did": {"event": "Charged"}},
        what={"audience": {"update": {**update["update"], "action": "remove_matching"}}},
    )
    looked, summary = shop.preview(spec), shop.run(spec)
    words = "targeted 4 (sent for removal 4), members of ours among them 3; qualified 4"
    assert words in summary.in_words()
    assert words in looked.in_words()
    assert "would add 0 rows, remove 4" in looked.in_words()
    assert (summary.outcomes["added"], summary.outcomes["removed"]) == (4, 3)
    assert "targeted 4 (sent for removal before 4)" in shop.run(spec).in_words()

"""Audiences that somebody else has changed, or that the ledger does not know as it should: the next run finds out and says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.backups import dump, restore
from tests.pipeline.test_erase import erased
from tests.pipeline.upload.test_replace_session import replaces

from audiences.ledger import content
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upkeep.end_campaign import end_campaign
from audiences.pipeline.upkeep.expire import expire
from audiences.pipeline.upload import full_refresh
from audiences.pipeline.upload.export import export

pytestmark = pytest.mark.integration
WHAT = {"guards": {"max_removal": 100, "allow_empty": True}}
GIVEN = "23850000000000009"
STRANGER = {"EMAIL": "ab" * 32}


def rows(shop, *numbers: int):
    return {shop.row_of(f"user{number}@example.com", None) for number in numbers}


def fill(shop, numbers=(1, 2, 3)) -> None:
    for number in numbers:
        shop.user(number, f"user{number}@example.com")
        shop.event(number)


@pytest.fixture
def carts(shop):
    fill(shop)
    return shop.campaign(what=WHAT)


def by_hand(shop, audience: str, *members: dict[str, str]) -> None:
    """Somebody changes the members in Ads Manager, some minutes after whatever was before."""
    shop.sandbox.admin.advance(600)
    shop.sandbox.admin.put_audience(id=audience, members=list(members))


def given(shop, action: str, **more):
    return shop.campaign(what={**WHAT, "audience": {"update": {"id": GIVEN, "action": action}}, **more})


def in_doubt(shop) -> str | None:
    return shop.sql("select in_doubt from audiences.audience", on="ledger")[0][0]


def test_members_changed_by_hand_make_the_next_run_send_the_whole_set_and_say_why(shop, carts):
    audience = shop.run(carts).audience.id
    by_hand(shop, audience, STRANGER)
    seen = shop.preview(carts)
    assert (seen.requests, len(seen.warnings)) == (1, 1)
    assert "the whole set is sent, since it is not known whom audience" in seen.warnings[0]
    assert shop.members(audience) != rows(shop, 1, 2, 3)
    summary = shop.run(carts)
    assert summary.warnings == seen.warnings
    assert "Facebook says that its members were changed on" in summary.in_words()
    assert "after our last request, of" in summary.in_words()
    assert shop.members(audience) == rows(shop, 1, 2, 3)
    assert (summary.outcomes["kept"], len(replaces(shop)), in_doubt(shop)) == (3, 1, None)
    again = shop.run(carts)
    assert (again.requests, again.warnings) == (0, ())


def test_runs_of_our_own_put_nothing_in_doubt(shop, carts):
    for user in (1, 2, None, 3):
        shop.sandbox.admin.advance(3600)
        if user:
            shop.sql("delete from events where user_id = %s", user)
        assert shop.run(carts).warnings == ()
    assert in_doubt(shop) is None


@pytest.mark.parametrize("sends", [True, False])
def test_what_is_changed_by_hand_during_a_run_is_found_by_that_run_if_it_sends_else_by_the_next(shop, carts, sends):
    audience = shop.run(carts).audience.id
    fill(shop, (4,) if sends else ())
    with shop.resources(carts) as resources:
        run = open_run(resources, RunRequest(external_id="slow", at=shop.noon))
        extracted = extract(resources, run)
        selected = [select(resources, run, shard) for shard in extracted.shards]
        by_hand(shop, audience, STRANGER)
        plan(resources, run, extracted, selected)
    assert bool(in_doubt(shop)) is sends
    summary = shop.run(carts)
    assert "Facebook says that its members were changed on" in summary.in_words()
    assert shop.members(audience) == rows(shop, 1, 2, 3, *([4] if sends else []))


def test_a_killed_run_is_carried_through_without_a_doubt_and_a_later_change_by_hand_is_found(shop, carts):
    shop.run(carts)
    fill(shop, (4, 5))
    for change in (False, True):
        with shop.resources(carts) as resources:
            run = open_run(resources, RunRequest(external_id=f"killed{change}", at=shop.noon))
            extracted = extract(resources, run)
            plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
            export(resources, run, "add")
        shop.sql(
            "update audiences.chunk set state = 'sending', acknowledged_at = null where run_id = %s",
            run.run,
            on="ledger",
        )
        if change:
            shop.sandbox.admin.advance(3600)
            by_hand(shop, run.facebook_id, STRANGER)
        summary = shop.run(carts)
        assert bool(summary.warnings) == change
        assert shop.members(run.facebook_id) == rows(shop, 1, 2, 3, 4, 5)
        shop.sql("delete from audiences.member where added_run = %s", run.run, on="ledger")
        shop.sandbox.admin.advance(600)


@pytest.mark.parametrize("when", ["answered", "processed"])
def test_an_audience_that_facebook_fills_for_a_while_is_not_in_doubt_when_that_ends(shop, carts, when):
    shop.sandbox.admin.settings(processing_seconds=1800, content_time=when)
    audience = shop.run(carts).audience.id
    shop.sandbox.admin.advance(1900)
    assert shop.run(carts).warnings == ()
    by_hand(shop, audience)
    shop.sandbox.admin.settings(processing_seconds=0)
    shop.sandbox.admin.advance(3600)
    assert "the whole set is sent" in shop.run(carts).warnings[0]


def test_a_person_can_say_that_the_audience_holds_whom_it_should(shop, carts):
    audience = shop.run(carts).audience.id
    by_hand(shop, audience, STRANGER)
    summary = shop.run(carts, allow=frozenset({"doubt"}))
    assert (summary.requests, summary.warnings, in_doubt(shop)) == (0, (), None)
    assert shop.run(carts).warnings == ()


def test_an_empty_set_cannot_be_sent_and_the_run_says_what_to_do(shop, carts):
    audience = shop.run(carts).audience.id
    by_hand(shop, audience, STRANGER)
    shop.sql("delete from events")
    summary = shop.run(carts)
    assert "Facebook takes no empty set" in summary.warnings[0]
    assert (summary.outcomes["removed"], in_doubt(shop) is None) == (3, False)
    fill(shop, (7,))
    assert "the whole set is sent" in shop.run(carts).warnings[0]
    assert (shop.members(audience), in_doubt(shop)) == (rows(shop, 7), None)


def test_a_set_too_large_for_one_replace_goes_on_as_a_difference_and_the_run_says_what_to_do(shop, carts, monkeypatch):
    audience = shop.run(carts).audience.id
    by_hand(shop, audience, STRANGER)
    monkeypatch.setattr(full_refresh, "REPLACE_BUDGET_SECONDS", 1)
    fill(shop, (4,))
    summary = shop.run(carts)
    assert (summary.state, summary.outcomes["added"], replaces(shop)) == ("success", 1, [])
    assert "Raise `requests_at_once` of the ad account" in summary.warnings[0]
    assert "--allow doubt" in summary.warnings[0]
    assert shop.preview(carts).warnings == summary.warnings
    monkeypatch.undo()
    shop.run(carts)
    assert shop.members(audience) == rows(shop, 1, 2, 3, 4)


@pytest.mark.parametrize("action", ["add", "mirror", "remove"])
def test_a_given_audience_goes_on_with_the_difference_and_warns_until_somebody_has_looked(shop, action):
    fill(shop)
    shop.sandbox.admin.put_audience(id=GIVEN, account="act_1001", name="Given", schema=["EMAIL"])
    spec = given(shop, action)
    assert shop.run(spec).warnings == ()
    by_hand(shop, GIVEN, STRANGER)
    for _ in range(2):
        summary = shop.run(spec)
        (warning,) = summary.warnings
        assert "only what changed is sent, and whoever else is in it stays" in warning
        assert "`audiences run carts --allow doubt`" in warning
        assert (summary.state, summary.requests, replaces(shop)) == ("success", 0, [])
    assert shop.preview(spec).warnings == (warning,)
    assert shop.run(spec, allow=frozenset({"doubt"})).warnings == ()
    assert shop.run(spec).warnings == ()
    assert shop.members(GIVEN) == {tuple(STRANGER.items())}


def test_a_given_audience_that_had_people_before_is_told_of(shop):
    fill(shop)
    shop.sandbox.admin.put_audience(id=GIVEN, account="act_1001", name="Given", schema=["EMAIL"], members=[STRANGER])
    (warning,) = shop.run(given(shop, "mirror")).warnings
    assert "on record is no request to it" in warning
    assert shop.members(GIVEN) == rows(shop, 1, 2, 3) | {tuple(STRANGER.items())}


def test_who_was_put_back_into_a_list_is_taken_out_again(shop):
    fill(shop)
    everybody = [dict(row) for row in rows(shop, 1, 2, 3)]
    shop.sandbox.admin.put_audience(
        id=GIVEN, account="act_1001", name="List", schema=["EMAIL"], members=[*everybody, STRANGER]
    )
    spec = given(shop, "remove_matching")
    shop.run(spec)
    assert shop.members(GIVEN) == {tuple(STRANGER.items())}
    assert shop.run(spec).warnings == ()
    by_hand(shop, GIVEN, *everybody[:2], STRANGER)
    summary = shop.run(spec)
    assert "everybody who matches is sent for removal again" in summary.warnings[0]
    assert shop.members(GIVEN) == {tuple(STRANGER.items())}
    again = shop.run(spec)
    assert (again.requests, again.warnings) == (0, ())


def test_a_whole_set_has_the_members_of_all_campaigns(shop, carts):
    audience = shop.run(carts).audience.id
    shop.user(8, "user8@example.com")
    shop.event(8, "Charged")
    other = shop.campaign(
        "buyers",
        who={"did": {"event": "Charged"}},
        what={**WHAT, "audience": {"update": {"id": audience, "action": "add"}}},
    )
    shop.run(other)
    by_hand(shop, audience, STRANGER)
    assert "the whole set is sent" in shop.run(other).warnings[0]
    assert shop.members(audience) == rows(shop, 1, 2, 3, 8)
    assert shop.run(carts).warnings == ()


@pytest.fixture
def ledger_address(shop, postgres):
    return postgres.uri(shop.connections["ledger"].schema)


def test_a_ledger_restored_from_an_older_backup_does_not_leave_an_opted_out_person_inside(shop, carts, ledger_address):
    audience = shop.run(carts).audience.id
    backup = dump(ledger_address)
    shop.sandbox.admin.advance(600)
    fill(shop, (4,))
    shop.sql("delete from events where user_id = 1")
    shop.run(carts)
    assert shop.members(audience) == rows(shop, 2, 3, 4)
    restore(ledger_address, backup)
    shop.sql("update users set opted_out = true where id = 4")
    summary = shop.run(carts)
    assert "the whole set is sent" in summary.warnings[0]
    assert shop.members(audience) == rows(shop, 2, 3)
    assert shop.run(carts).requests == 0


def test_the_ledger_says_when_it_knows_nothing(shop, carts):
    shop.run(carts)
    with shop.resources(carts) as resources:
        assert content.why_in_doubt(resources.ledger, 1) is None
        assert content.why_in_doubt(resources.ledger, 999) is None


def test_an_erasure_of_our_own_puts_nothing_in_doubt_and_hides_no_change_by_others(shop, carts):
    audience = shop.run(carts).audience.id
    shop.sandbox.admin.advance(600)
    assert erased(shop, "1").state == "done"
    assert shop.run(carts).warnings == ()
    assert shop.members(audience) == rows(shop, 2, 3)
    by_hand(shop, audience, *map(dict, rows(shop, 2, 3)), STRANGER)
    shop.sandbox.admin.advance(600)
    assert erased(shop, "2").state == "done"
    assert "the whole set is sent" in shop.run(carts).warnings[0]
    assert shop.members(audience) == rows(shop, 3)


def test_members_whose_time_is_up_and_the_end_of_a_campaign_put_nothing_in_doubt(shop):
    fill(shop)
    keeping = shop.campaign(what={**WHAT, "keep_for": "5 days"}, when={"now": True, "on_end": "empty"})
    audience = shop.run(keeping).audience.id
    shop.sandbox.admin.advance(600)
    shop.now += timedelta(days=6)
    with shop.resources(keeping) as resources:
        assert expire(resources, sleep=shop.wait).outcomes["removed"] == 3
    assert (shop.members(audience), in_doubt(shop)) == (set(), None)
    assert shop.run(keeping).warnings == ()


def test_an_audience_in_doubt_that_is_to_be_emptied_is_not_said_to_be_empty(shop):
    fill(shop)
    ending = shop.campaign(what=WHAT, when={"now": True, "on_end": "empty"})
    audience = shop.run(ending).audience.id
    by_hand(shop, audience, STRANGER)
    stopped = ending.model_copy(update={"campaign": ending.campaign.model_copy(update={"status": "stopped"})})
    with shop.resources(stopped) as resources:
        done = end_campaign(resources, sleep=shop.wait)
    assert done.removed == 3
    assert "Facebook takes no empty set" in done.error


def test_who_has_opted_out_is_not_uploaded_anew_with_the_whole_set_of_a_campaign_that_only_adds(shop):
    fill(shop)
    spec = shop.campaign(what={**WHAT, "audience": {"create": {"name": "carts", "action": "add"}}})
    audience = shop.run(spec).audience.id
    shop.sql("update users set opted_out = true where id = 1")
    shop.sql("delete from events where user_id = 2")
    assert shop.run(spec).requests == 0
    by_hand(shop, audience, STRANGER)
    summary = shop.run(spec)
    assert shop.members(audience) == rows(shop, 2, 3)
    assert (summary.outcomes["removed"], summary.audience.members) == (1, 2)


def test_a_backup_from_the_middle_of_a_run_is_found_however_soon_the_rest_was_sent(shop, carts, ledger_address):
    audience = shop.run(carts).audience.id
    shop.sandbox.admin.advance(3600)
    fill(shop, (4,))
    shop.sql("delete from events where user_id = 1")
    with shop.resources(carts) as resources:
        run = open_run(resources, RunRequest(external_id="slow", at=shop.noon))
        extracted = extract(resources, run)
        plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        export(resources, run, "remove")
        backup = dump(ledger_address)
        export(resources, run, "add")
    shop.sandbox.admin.advance(3600)
    restore(ledger_address, backup)
    shop.sql("update users set opted_out = true where id = 4")
    seen = shop.preview(carts)
    assert "the ledger was restored from a backup or copied" in seen.warnings[0]
    summary = shop.run(carts)
    assert (summary.warnings, shop.members(audience)) == (seen.warnings, rows(shop, 2, 3))
    assert (shop.run(carts).requests, in_doubt(shop)) == (0, None)


def test_an_erasure_after_a_backup_was_restored_leaves_the_doubt(shop, carts, ledger_address):
    audience = shop.run(carts).audience.id
    backup = dump(ledger_address)
    fill(shop, (4,))
    shop.run(carts)
    restore(ledger_address, backup)
    shop.sql("update users set opted_out = true where id = 4")
    assert erased(shop, "1").state == "done"
    assert "the ledger was restored" in shop.run(carts).warnings[0]
    assert shop.members(audience) == rows(shop, 2, 3)


def test_a_given_audience_of_a_restored_ledger_is_warned_of_until_somebody_has_looked(shop, ledger_address):
    fill(shop)
    shop.sandbox.admin.put_audience(id=GIVEN, account="act_1001", name="Given", schema=["EMAIL"])
    spec = given(shop, "mirror")
    shop.run(spec)
    restore(ledger_address, dump(ledger_address))
    assert "the ledger was restored" in shop.run(spec).warnings[0]
    assert "the ledger was restored" in shop.run(spec).warnings[0]
    assert shop.run(spec, allow=frozenset({"doubt"})).warnings == ()
    assert shop.run(spec).warnings == ()

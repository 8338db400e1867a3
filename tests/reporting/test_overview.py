"""The overview: who is in it, in which order, and what it says of each, on a real ledger after real runs."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.campaign.conftest import folder  # noqa: F401  # a fixture

from audiences.ledger import audiences_in_doubt, known_audiences
from audiences.reporting.attention import Attention
from audiences.reporting.campaign_shown import kind_of, schedule_words
from audiences.reporting.health import health
from audiences.reporting.overview import one
from audiences.reporting.run_history import history
from audiences.reporting.sizes import sizes

pytestmark = pytest.mark.integration
CAMPAIGN = """
name: {name}
status: {status}
tags: [{tag}]
owner: {owner}
who: {{did: {{event: Added To Cart}}}}
what: {{audience: {{create: {{name: "{audience}"}}}}, guards: {{max_removal: 0}}}}
when: {when}
"""
DAILY = '{repeat: {every: 1 day, at: "09:00"}, start: 2026-11-01}'


def file(name="Spring", *, status="published", tag="shoes", owner="ann", audience=None, when="now"):
    given = {"name": name, "status": status, "tag": tag, "owner": owner, "audience": audience or name, "when": when}
    return CAMPAIGN.format(**given)


def shown(desk, campaign="carts", **more):
    (found,) = [each for each in desk.overview(**more).campaigns if each.id == campaign]
    return found


def kinds(desk, campaign="carts", **more):
    return [trouble.kind for trouble in shown(desk, campaign, **more).troubles]


def rename(desk):
    """The file of `carts` is `trolleys` from now on."""
    (desk.folder.path / "campaigns/carts.yml").rename(desk.folder.path / "campaigns/trolleys.yml")
    desk.write("trolleys", f"{desk.folder.text('campaigns/trolleys.yml')}formerly: carts\n")


def today(desk):
    """The ledger's own time, by which runs begin and end."""
    return datetime.fromtimestamp(desk.ledger.clock(), UTC)


def test_a_campaign_that_never_ran_is_known_by_its_file(desk):
    desk.write("spring", file(when=DAILY))
    found = shown(desk, "spring")
    assert (found.name, found.status, found.kind, found.owner, found.tags) == (
        "Spring", "published", "repeat", "ann", ("shoes",),
    )  # fmt: skip
    assert found.schedule == "every day at 09:00 UTC"
    assert (found.next_send, found.sends) == (datetime(2026, 11, 24, 9, tzinfo=UTC), None)
    assert (found.audience.id, found.audience.name, found.audience.ad_account) == (None, "Spring", "act_1001")
    assert (found.last_run, found.size, found.sizes) == (None, None, ())


def test_a_run_is_told_in_the_words_of_the_command_that_ran_it(desk):
    summary = desk.run("carts")
    found = shown(desk)
    assert found.last_run.words == summary.in_words() == "4 members: targeted 4 (added 4); qualified 4; 1 request"
    assert (found.last_run.run, found.last_run.state, found.last_run.trouble) == (summary.run, "success", None)
    assert found.size == summary.audience.members == 4
    assert (found.audience.id, found.audience.size_lower) == (summary.audience.id, 3)
    assert found.audience.delivery.startswith("Audience too small")
    assert (found.next_send, found.sends) == (None, "nothing more"), "`now` is one run"


def test_the_size_by_day_is_that_of_the_last_run_of_each_day_and_stands_until_the_next(desk):
    desk.run("carts")
    desk.shop.user(5, "user5@example.com")
    desk.shop.event(5)
    desk.shop.sql(
        "update audiences.run set started_at = started_at - interval '3 days', ended_at = ended_at - interval '3 days'",
        on="ledger",
    )
    desk.run("carts", allow=frozenset({"status"}))
    found = shown(desk, now=today(desk))
    assert [each.size for each in found.sizes] == [4, 4, 4, 5]
    assert found.sizes[-1].day == today(desk).date()


def test_broken_files_come_first_with_what_is_wrong_and_others_stay(desk):
    desk.write("zzz", "name: [")
    found = desk.overview()
    assert [each.id for each in found.campaigns] == ["zzz", "carts"]
    broken = found.campaigns[0]
    assert broken.status == "broken file"
    assert broken.troubles[0].kind is Attention.BROKEN_FILE
    assert broken.troubles[0].reason.startswith("campaigns/zzz.yml:")
    assert found.with_troubles == {"broken_file": 1}


def test_a_broken_file_keeps_its_last_run_and_its_size(desk):
    desk.run("carts")
    desk.write("carts", "name: [")
    found = shown(desk)
    assert (found.status, found.size, found.last_run.state) == ("broken file", 4, "success")
    assert found.audience.name == "Carts"


def test_a_campaign_without_a_file_is_there_as_long_as_it_holds_members(desk):
    desk.write("spring", file())
    desk.run("spring")
    (desk.folder.path / "campaigns/spring.yml").unlink()
    found = shown(desk, "spring")
    assert (found.status, found.size) == ("no file", 4)
    assert [trouble.kind for trouble in found.troubles] == [Attention.NO_FILE]
    desk.shop.sql("update audiences.member set removed_run = added_run", on="ledger")
    assert [each.id for each in desk.overview().campaigns] == ["carts"]
    assert one(desk.files(), desk.ledger, "spring", now=desk.shop.now).status == "no file"
    assert one(desk.files(), desk.ledger, "nobody", now=desk.shop.now) is None


def test_a_folder_that_cannot_be_read_hides_no_other_campaign_and_its_own_do_not_pass_for_gone(desk, audiences):
    acme = desk.folder.path / "campaigns/acme"
    acme.mkdir()
    desk.write("acme/spring", file())
    desk.run("spring")
    shutil.rmtree(acme)
    acme.symlink_to("/nowhere/acme")
    found = desk.overview()
    assert {each.id: each.status for each in found.campaigns} == {"carts": "published", "spring": "broken file"}
    (trouble,) = shown(desk, "spring").troubles
    assert trouble.kind is Attention.BROKEN_FILE
    assert trouble.reason.startswith("campaigns/acme: is a link that leads out of the project")
    assert (
        health(desk.files(), desk.ledger, look_up=desk.shop.connections.__getitem__, now=desk.shop.now).without_file
        == ()
    )
    code, out, err = audiences("status", "--json")
    assert (code, [each["id"] for each in json.loads(out)["campaigns"]]) == (0, ["spring", "carts"])
    assert "campaigns/acme\n" in err


def test_a_guard_that_stopped_the_last_run_is_told_with_how_to_allow_it(desk):
    desk.write("spring", file(when=DAILY))
    desk.run("spring")
    desk.shop.sql("delete from events where user_id = 1")
    assert desk.run("spring").state == "stopped"
    found = shown(desk, "spring")
    assert found.troubles[0].kind is Attention.STOPPED
    assert found.last_run.trouble.reason.startswith("stopped by the guard `max_removal`: 1 of 4 members (25.0 %)")
    assert "`audiences run spring --allow max_removal`" in found.last_run.trouble.remedy
    # The same run, had it asked somebody: what came of the question is said, and no guard.
    desk.shop.sql(
        "insert into audiences.approval (campaign_id, run_id, asked_in, config_digest, shown, body, asked_at, until)"
        " select campaign_id, id, 'r', '', '', '', as_of, as_of from audiences.run where state = 'stopped'",
        on="ledger",
    )
    for state, kind, said in (
        ("rejected", Attention.REFUSED, "its approval was refused"),
        ("unanswered", Attention.UNANSWERED, "nobody answered in time"),
        ("lapsed", Attention.STOPPED, "it is not approved"),
        ("in_force", Attention.STOPPED, "by a guard"),
    ):
        desk.shop.sql(f"update audiences.approval set state = '{state}'", on="ledger")
        (trouble,) = shown(desk, "spring").troubles
        assert (trouble.kind, said in trouble.reason) == (kind, True)


def test_an_audience_in_doubt_says_why_and_what_the_next_run_does(desk):
    desk.run("carts")
    audience = known_audiences.find(desk.ledger, shown(desk).audience.id)
    audiences_in_doubt.begin(desk.ledger, audience.id, "others changed it")
    trouble = shown(desk).troubles[0]
    assert trouble.kind is Attention.IN_DOUBT
    assert trouble.reason == "it is not known whom the audience holds: others changed it"
    assert trouble.remedy.startswith("The next run sends the whole set")


def test_a_run_that_should_have_sent_and_is_not_on_record_is_overdue(desk):
    desk.write("spring", file(when=DAILY))
    assert kinds(desk, "spring", now=today(desk)) == []
    assert kinds(desk, "spring", now=today(desk) + timedelta(days=2)) == [Attention.OVERDUE]
    desk.run("spring")
    assert kinds(desk, "spring", now=today(desk)) == []
    assert kinds(desk, "spring", now=today(desk) + timedelta(days=2)) == [Attention.OVERDUE]
    desk.write("spring", file(when=DAILY, status="stopped"))
    assert kinds(desk, "spring", now=today(desk) + timedelta(days=2)) == []


def test_a_run_that_never_ended_is_dead_after_a_day(desk):
    desk.run("carts")
    desk.shop.sql("update audiences.run set state = 'running', ended_at = null", on="ledger")
    assert kinds(desk, now=today(desk)) == []
    assert shown(desk, now=today(desk)).last_run.words.startswith("under way since ")
    assert kinds(desk, now=today(desk) + timedelta(days=2)) == [Attention.DIED]


def test_a_campaign_is_found_by_id_name_tag_owner_and_audience(desk):
    desk.write("spring", file("Frühling", tag="outdoor", owner="Ann Lee", audience="Hikers_2026"))
    desk.run("spring")
    audience = shown(desk, "spring").audience.id
    for words in ("SPRING", "fruhling", "outdoor", "lee ann", "hikers", audience, "ann hikers", "  spring  "):
        assert [each.id for each in desk.overview(search=words).campaigns] == ["spring"], words
    assert desk.overview(search="spring carts").campaigns == ()
    assert desk.overview(search="%").campaigns == ()


def test_pages_add_up_to_the_whole_list(desk):
    for number in range(5):
        desk.write(f"c{number}", file(f"Campaign {number}"))
    pages = [desk.overview(offset=offset, limit=2) for offset in (0, 2, 4, 6)]
    assert [page.total for page in pages] == [6] * 4
    assert [each.id for page in pages for each in page.campaigns] == ["c0", "c1", "c2", "c3", "c4", "carts"]


def test_campaigns_that_one_may_not_see_are_neither_listed_nor_counted(desk):
    desk.write("secret", "name: [")
    found = desk.overview(may_see=lambda name: name != "secret")
    assert ([each.id for each in found.campaigns], found.total, found.with_troubles) == (["carts"], 1, {})


def test_a_campaign_that_is_over_says_why_and_has_no_next_run(desk):
    desk.write("spring", file(when='{repeat: {every: 1 day, at: "09:00"}, end: 2026-11-20}'))
    found = shown(desk, "spring")
    assert (found.over, found.next_send, found.troubles) == ("its end has passed", None, ())


def test_a_renamed_campaign_shows_the_run_that_it_takes_over(desk):
    desk.run("carts")
    rename(desk)
    found = desk.overview()
    assert [(each.id, each.size) for each in found.campaigns] == [("trolleys", 4)]


def test_a_renamed_campaign_has_its_history_before_and_after_it_takes_it_over(desk):
    first = desk.run("carts")
    rename(desk)

    def told():
        runs = history(desk.files(), desk.ledger, "trolleys", now=desk.shop.now).runs
        by_day = sizes(desk.files(), desk.ledger, "trolleys", now=today(desk), zone=ZoneInfo("UTC"), days=1)
        return [(run.run, run.dag) for run in runs], [(day.size, day.added) for day in by_day.days]

    assert told() == ([(first.run, "carts")], [(4, 4)])
    second = desk.run("trolleys", allow=frozenset({"status"}))
    assert told() == ([(second.run, "trolleys"), (first.run, "carts")], [(4, 4)])


def test_an_audience_that_was_deleted_has_no_members(desk):
    desk.run("carts")
    desk.shop.sql("update audiences.audience set deleted_at = now()", on="ledger")
    found = shown(desk)
    assert (found.size, found.audience.deleted_at is None) == (0, False)


def test_a_ledger_that_was_never_used_leaves_the_files(desk, audiences):
    desk.shop.never_migrated()
    code, out, _ = audiences("status", "--json")
    assert code == 0
    assert '"id": "carts"' in out


def test_a_campaign_that_runs_after_others_says_so_in_place_of_times(folder):  # noqa: F811  # a fixture
    folder.when("{after: [load_orders, 's3://lake/orders']}")
    spec = folder.spec()
    assert (kind_of(spec), schedule_words(spec)) == (
        "after",
        "after the DAG load_orders and the asset s3://lake/orders",
    )

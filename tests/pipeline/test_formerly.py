"""A campaign whose file was renamed: `formerly` hands over everything that the ledger keeps of it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from audiences.ledger import approvals, campaigns, formerly
from audiences.ledger.campaigns import CampaignBusyError, RenamedCampaignError
from audiences.ledger.formerly import CannotTakeOverError
from audiences.pipeline.explain import explain
from audiences.pipeline.preconditions.in_force import NotInForceError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign
from audiences.pipeline.steps.open_run import begin, open_run
from audiences.pipeline.upkeep.end_campaign import deleted_campaigns, end_campaign
from audiences.pipeline.upkeep.expire import expire

pytestmark = pytest.mark.integration
CART = {"did": {"event": "Added To Cart"}}
HALF = {**CART, "control_group": {"percent": 50}}


def fill(shop, first: int, last: int) -> None:
    for number in range(first, last + 1):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)


def renamed(shop, name: str, *old: str, **more):
    """The campaign `carts` in a file of another name; its audience is called as before."""
    spec = shop.campaign(name, **{"what": {"audience": {"create": {"name": "carts"}}}, **more})
    return spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"formerly": old})})


def on_file(shop, spec, *ids: str, read_only: bool = False):
    resources = shop.resources(spec, read_only=read_only)
    resources.on_file = frozenset({spec.id, *spec.campaign.formerly, *ids})
    return resources


def known(shop, spec):
    with shop.resources(spec) as resources:
        return resources.campaign()


def arms(shop) -> dict[str, str]:
    return dict(shop.sql("select user_id, arm from audiences.assignment", on="ledger"))


def held_out(salt: str, user: int, percent: int) -> bool:
    return int(hashlib.sha256(f"{salt}:{user}".encode()).hexdigest()[:15], 16) < percent / 100 * 16**15


def test_members_history_and_control_group_go_on_under_the_new_name(shop):
    fill(shop, 1, 40)
    before = shop.run(shop.campaign(who=HALF))
    assigned, sent = arms(shop), len(shop.uploads())
    shop.sql("delete from events where user_id <= 10")
    fill(shop, 41, 60)
    after = shop.run(renamed(shop, "left_carts", "carts", who=HALF))
    assert after.audience.id == before.audience.id
    assert after.warnings[0].startswith("took over campaign `carts`")
    now = arms(shop)
    assert assigned.items() <= now.items()
    # Newcomers are drawn by the id under which the campaign began.
    assert {user: arm == "campaign" for user, arm in now.items()} == {
        str(user): held_out("carts", user, 50) for user in range(1, 61)
    }
    wanted = {user for user in range(11, 61) if not held_out("carts", user, 50)}
    assert shop.members(after.audience.id) == {shop.row_of(f"user{user}@example.com", None) for user in wanted}
    assert after.outcomes["kept"] == sum(11 <= user <= 40 for user in wanted)
    assert len(shop.uploads()) == sent + 2
    assert shop.sql("select name, salt from audiences.campaign", on="ledger") == [("left_carts", "carts")]
    assert {name for (name,) in shop.sql("select name from audiences.former_name", on="ledger")} == {"carts"}


def test_the_key_may_stay_and_may_go(shop):
    fill(shop, 1, 20)
    shop.run(shop.campaign(who=HALF))
    spec = renamed(shop, "left_carts", "carts", who=HALF)
    shop.run(spec)
    sent = len(shop.uploads())
    for again in (spec, renamed(shop, "left_carts", who=HALF)):
        summary = shop.run(again)
        assert (summary.state, summary.requests, summary.warnings) == ("success", 0, ())
        assert known(shop, again).salt == "carts"
    assert len(shop.uploads()) == sent


def test_the_cap_takes_the_same_users_as_before(shop):
    fill(shop, 1, 30)
    capped = {**CART, "target_cap": 10}
    first = shop.run(shop.campaign(who=capped))
    members = shop.members(first.audience.id)
    fill(shop, 31, 60)
    spec = renamed(shop, "left_carts", "carts", who={**CART, "target_cap": 20})
    second = shop.run(spec)
    by_rank = sorted(range(1, 61), key=lambda user: hashlib.sha256(f"cap:carts:{user}".encode()).digest())
    newcomers = [user for user in by_rank if shop.row_of(f"user{user}@example.com", None) not in members][:10]
    assert shop.members(second.audience.id) == members | {
        shop.row_of(f"user{user}@example.com", None) for user in newcomers
    }


def test_a_chain_of_names_keeps_the_first_salt_and_can_be_walked_back(shop):
    fill(shop, 1, 20)
    shop.run(shop.campaign("a", who=HALF, what={"audience": {"create": {"name": "carts"}}}))
    for name, *old in (("b", "a"), ("c", "b", "a"), ("d", "c"), ("a", "d"), ("c", "a")):
        spec = renamed(shop, name, *old, who=HALF)
        summary = shop.run(spec)
        assert (summary.requests, summary.outcomes["added"]) == (0, 0), name
        assert known(shop, spec).salt == "a"
    assert shop.sql("select name, salt from audiences.campaign", on="ledger") == [("c", "a")]
    assert shop.sql("select name from audiences.former_name order by 1", on="ledger") == [("a",), ("b",), ("d",)]


def test_a_name_in_between_that_never_ran_is_passed_over(shop):
    fill(shop, 1, 10)
    shop.run(shop.campaign("a", what={"audience": {"create": {"name": "carts"}}}))
    summary = shop.run(renamed(shop, "c", "b", "a"))
    assert summary.outcomes["kept"] == 10


def test_without_formerly_nothing_runs_under_a_name_given_up(shop):
    fill(shop, 1, 10)
    shop.run(shop.campaign())
    shop.run(renamed(shop, "left_carts", "carts"))
    sent = len(shop.uploads())
    with pytest.raises(RenamedCampaignError, match=r"`left_carts` has taken over .* say `formerly: left_carts`"):
        shop.run(shop.campaign())
    with pytest.raises(RenamedCampaignError):
        shop.preview(shop.campaign())
    assert len(shop.uploads()) == sent
    # A revert of the commit that renamed the file, with the key that the message names.
    assert shop.run(renamed(shop, "carts", "left_carts")).outcomes["kept"] == 10


def test_a_run_of_the_old_dag_that_is_under_way_is_waited_for(shop):
    fill(shop, 1, 10)
    old, new = shop.campaign(), renamed(shop, "left_carts", "carts")
    with shop.resources(old) as resources:
        run = begin(resources, RunRequest(external_id="old", at=shop.noon))
    with pytest.raises(CampaignBusyError, match="a run of `carts`, which `left_carts` takes over, is under way"):
        shop.run(new)
    # Its preview is of what will be.
    assert shop.preview(new).audience == run.facebook_id
    shop.sql("update audiences.run set state = 'success', ended_at = now() where id = %s", run.run, on="ledger")
    assert shop.run(new).outcomes["added"] == 10


def test_a_run_of_the_old_dag_that_died_long_ago_holds_nobody_up(shop):
    fill(shop, 1, 10)
    with shop.resources(shop.campaign()) as resources:
        run = begin(resources, RunRequest(external_id="old", at=shop.noon))
    shop.sql("update audiences.run set started_at = now() - interval '2 hours'", on="ledger")
    with pytest.raises(CampaignBusyError):  # it waits for something, with a claim on its audience
        shop.run(renamed(shop, "left_carts", "carts"))
    shop.sql("update audiences.audience set busy_until = now() - interval '1 minute'", on="ledger")
    assert shop.run(renamed(shop, "left_carts", "carts")).outcomes["added"] == 10
    assert shop.sql("select state from audiences.run where id = %s", run.run, on="ledger") == [("abandoned",)]


def test_a_process_that_works_on_the_old_campaign_is_waited_for(shop, monkeypatch):
    monkeypatch.setattr(campaigns, "LOCK_WAIT", "100ms")
    fill(shop, 1, 10)
    shop.run(shop.campaign())
    busy = pytest.raises(CampaignBusyError, match="`carts` is being run by another process")
    with shop.resources(shop.campaign()) as resources, resources.working(), busy:
        shop.run(renamed(shop, "left_carts", "carts"))
    assert shop.run(renamed(shop, "left_carts", "carts")).state == "success"


def test_processes_that_take_over_at_once_do_it_once(shop):
    fill(shop, 1, 10)
    shop.run(shop.campaign())
    spec = renamed(shop, "left_carts", "carts")

    def take_over(_: int) -> str:
        with shop.resources(spec) as resources:
            formerly.take_over(resources.ledger, spec.id, spec.campaign.formerly)
            return resources.campaign().name

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(take_over, range(8))) == {"left_carts"}
    assert shop.sql("select name from audiences.campaign", on="ledger") == [("left_carts",)]


def test_a_campaign_that_has_run_takes_nobody_over(shop):
    fill(shop, 1, 10)
    shop.run(shop.campaign())
    shop.run(shop.campaign("own"))
    sent = len(shop.uploads())
    spec = renamed(shop, "own", "carts")
    with pytest.raises(CannotTakeOverError, match=r"history of its own\. Nothing was sent\. .*`status: stopped`"):
        shop.run(spec)
    with pytest.raises(CannotTakeOverError):
        shop.preview(spec)
    assert len(shop.uploads()) == sent


def test_runs_that_came_to_nothing_under_the_new_name_are_no_obstacle(shop):
    fill(shop, 1, 10)
    shop.run(shop.campaign())
    with shop.resources(renamed(shop, "left_carts")) as resources, pytest.raises(Exception, match="carts"):
        open_run(resources, RunRequest(external_id="run1", at=shop.noon))
    summary = shop.run(renamed(shop, "left_carts", "carts"))
    assert summary.outcomes["kept"] == 10
    assert {name for (name,) in shop.sql("select name from audiences.campaign", on="ledger")} == {"left_carts"}


def test_questions_that_were_asked_under_the_new_name_go_over_to_the_campaign_that_takes_it(shop):
    fill(shop, 1, 10)
    with shop.resources(shop.campaign()) as resources:
        run_campaign(resources, RunRequest(external_id="same", at=shop.noon), sleep=shop.wait)
    with shop.resources(renamed(shop, "left_carts")) as resources:
        for run in ("same", "other"):
            with pytest.raises(Exception, match="carts"):
                open_run(resources, RunRequest(external_id=run, at=shop.noon))
        runs = dict(
            shop.sql(
                "select external_id, r.id from audiences.run r join audiences.campaign c on c.id = r.campaign_id"
                " where c.name = 'left_carts'",
                on="ledger",
            )
        )
        asking = {"digest": "x", "shown": "x", "body": "", "at": shop.noon, "until": shop.noon}
        campaign = resources.campaign().id
        for run in ("same", "other", None):
            approvals.ask(
                resources.ledger, campaign=campaign, run=runs[run] if run else None, asked_in=str(run), **asking
            )
    summary = shop.run(renamed(shop, "left_carts", "carts"))
    assert summary.outcomes["kept"] == 10
    asked = shop.sql(
        "select asked_in, c.name from audiences.approval a join audiences.campaign c on c.id = campaign_id order by 1",
        on="ledger",
    )
    assert asked == [("None", "left_carts"), ("other", "left_carts")]  # that of a run which is forgotten goes with it


def test_one_name_that_was_taken_over_already_is_not_taken_twice(shop):
    shop.run(shop.campaign())
    shop.run(renamed(shop, "left_carts", "carts"))
    with pytest.raises(CannotTakeOverError, match="`left_carts` has taken it over already"):
        shop.run(renamed(shop, "copied", "carts", what={"audience": {"create": {"name": "copied"}}}))


def test_two_former_names_that_both_ran_cannot_become_one(shop):
    shop.run(shop.campaign("a"))
    shop.run(shop.campaign("b"))
    with pytest.raises(CannotTakeOverError, match="the ledger knows `b` and `a`, and only one of them can be"):
        shop.run(renamed(shop, "c", "b", "a"))


def test_a_former_name_that_is_nearly_one_without_a_file_is_refused(shop):
    fill(shop, 1, 10)
    shop.run(shop.campaign())
    spec = renamed(shop, "left_carts", "crats", what={"audience": {"update": {"id": "1", "action": "add"}}})
    with on_file(shop, spec) as resources, pytest.raises(CannotTakeOverError, match="did you mean `carts`"):
        open_run(resources, RunRequest(external_id="r", at=shop.noon))
    # The refused run leaves nothing that would keep the right name from being taken over.
    assert shop.run(renamed(shop, "left_carts", "carts")).outcomes["kept"] == 10


def test_in_a_new_environment_the_campaign_begins_anew_with_its_first_salt(shop):
    fill(shop, 1, 20)
    shop.run(shop.campaign("other"))
    spec = renamed(shop, "left_carts", "spring", "carts", who=HALF)
    assert "ledger knows nothing" in shop.preview(spec).warnings[0]
    summary = shop.run(spec)
    assert summary.warnings == (
        "`formerly` names `spring` and `carts`, of which the ledger knows nothing, so the campaign begins anew",
    )
    assert summary.outcomes["control_campaign"] == sum(held_out("carts", user, 50) for user in range(1, 21))
    assert shop.run(spec).warnings == ()


def test_a_preview_shows_the_campaign_as_if_taken_over_and_writes_nothing(shop):
    fill(shop, 1, 20)
    first = shop.run(shop.campaign(who=HALF))
    spec = renamed(shop, "left_carts", "carts", who=HALF)
    found = shop.preview(spec)
    assert found.outcomes["kept"] == first.outcomes["added"]
    assert (found.changes.add, found.changes.remove, found.audience) == (0, 0, first.audience.id)
    assert found.warnings[0].startswith("a run would take over campaign `carts` first")
    assert shop.sql("select name from audiences.campaign", on="ledger") == [("carts",)]


@pytest.mark.parametrize("taken_over", [False, True])
def test_explain_knows_assignment_and_memberships_before_and_after(shop, taken_over):
    fill(shop, 1, 20)
    shop.run(shop.campaign(who=HALF))
    spec = renamed(shop, "left_carts", "carts", who=HALF)
    if taken_over:
        shop.run(spec)
    held = next(user for user in range(1, 21) if held_out("carts", user, 50))
    member = next(user for user in range(1, 21) if not held_out("carts", user, 50))
    with shop.resources(spec, read_only=True) as resources:
        found = explain(resources, str(held), shop.noon)
        assert (found.outcome, found.assignment) == ("control_campaign", "campaign")
        assert "50 % by the salt `carts`" in found.because
        (line,) = explain(resources, str(member), shop.noon).history
        assert f"added in run 1 of {'left_carts' if taken_over else 'carts'}" in line


def test_upkeep_neither_ends_nor_forgets_a_campaign_that_a_file_takes_over(shop):
    fill(shop, 1, 10)
    shop.run(shop.campaign(when={"now": True, "on_end": "empty"}))
    days = timedelta(days=3)
    with shop.resources(shop.campaign()) as resources:
        assert deleted_campaigns(resources.ledger, {"left_carts", "carts"}, shop.noon) == []
        assert deleted_campaigns(resources.ledger, {"left_carts", "carts"}, shop.noon + days) == []


def test_a_renamed_campaign_can_end_at_once(shop):
    fill(shop, 1, 10)
    summary = shop.run(shop.campaign())
    spec = renamed(shop, "left_carts", "carts", when={"now": True, "on_end": "empty"})
    spec = spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"status": "stopped"})})
    with shop.resources(spec) as resources:
        assert end_campaign(resources, sleep=shop.wait).removed == 10
    assert shop.members(summary.audience.id) == set()
    assert shop.sql("select name from audiences.campaign", on="ledger") == [("left_carts",)]


def test_members_of_the_old_name_expire_under_the_new_one(shop):
    fill(shop, 1, 10)
    what = {"audience": {"create": {"name": "carts"}}, "keep_for": "2 days"}
    shop.run(shop.campaign(what=what))
    shop.now += timedelta(days=3)
    with shop.resources(renamed(shop, "left_carts", "carts", what=what)) as resources:
        assert expire(resources, sleep=shop.wait).outcomes["removed"] == 10


def test_all_that_hangs_on_a_campaign_is_thought_of(shop):
    """A new table that names campaigns has to say what becomes of it: see `_has_state` and `_ABSORB` in ledger/formerly.py."""
    tables = {
        table
        for (table,) in shop.sql(
            "select table_name from information_schema.columns where table_schema = 'audiences'"
            " and column_name in ('campaign_id', 'created_for', 'busy_campaign')",
            on="ledger",
        )
    }
    assert tables == {
        *("assignment", "mapping", "run", "audience", "ad_set", "live_event", "live_batch"),  # the campaign has a state
        *(
            "former_name",
            "campaign_end",
            "live_campaign",
            "goal_result",
            "never_held_out",
            "approval",
            "snapshot",
            "snapshot_part",
        ),  # nothing worth a refusal
        *("member", "expired"),  # only with a mapping
    }


def test_what_the_schedule_has_had_under_the_old_name_is_not_run_again(shop):
    fill(shop, 1, 10)
    due = RunRequest(external_id="scheduled__1", at=shop.noon, due=shop.noon)
    with shop.resources(shop.campaign()) as resources:
        assert run_campaign(resources, due, sleep=shop.wait).state == "success"
    with (
        shop.resources(renamed(shop, "left_carts", "carts")) as resources,
        pytest.raises(NotInForceError, match="it was run"),
    ):
        run_campaign(resources, due, sleep=shop.wait)

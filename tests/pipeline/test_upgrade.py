"""A ledger made by the version before goes on under this one: nobody is sent twice, lost, or sent who should not be.

The dump under tests/ledger/dumps was made by runs of that version over a shop of twelve users. Its campaign `carts` was renamed
(from `spring`), holds 25 percent out and has a goal; `one` and `two` feed one audience; `weekly` replaces; of `kept` somebody's
time is up; `live` has an open batch; `odd` has requests and replace sessions in every state. User 2 has a newer e-mail address,
user 3 has left, user 12 was erased.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.backups import restore
from tests.goal.conftest import GOAL
from tests.pipeline.live.conftest import LIVE_CATALOG, LiveShop
from tests.pipeline.test_erase import erased
from tests.pipeline.test_explain import ask

from audiences.campaign.spec import CampaignSpec
from audiences.ledger import staged_runs
from audiences.ledger.migrate import NEWEST, migrate
from audiences.pipeline.preconditions.staged_here import StagedElsewhereError
from audiences.pipeline.upkeep.measure import measure
from audiences.sandbox import AD_SETS, AUDIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pipeline.conftest import Shop

    from audiences.connections import Connection
    from audiences.demo.postgres import Postgres

pytestmark = pytest.mark.integration
DUMPS = Path(__file__).parents[1] / "ledger" / "dumps"
THEN = datetime(2026, 11, 29, 10, 2, tzinfo=UTC)
LATER = THEN + timedelta(days=1)
A_YEAR = 365 * 86400.0
EVER = {"did": {"event": "Added To Cart"}}
MOVED = "moved2@example.com"
ALL = {"guards": {"max_removal": 100, "allow_empty": True}}


def user(shop: Shop, number: int, email: str | None = None) -> None:
    shop.user(number, email or f"user{number}@example.com", f"+1415555{number:04}")
    shop.sql("insert into events (user_id, name, occurred_at) values (%s, 'Added To Cart', %s)", number, THEN)


def rows(shop: Shop, *numbers: int, **emails: str) -> set[Any]:
    return {
        shop.row_of(emails.get(f"of_{number}", f"user{number}@example.com"), f"+1415555{number:04}")
        for number in numbers
    }


def campaign(shop: Shop, name: str, what: Any, who: Any = EVER, formerly: tuple[str, ...] = (), **more: Any) -> Any:
    base = shop.campaign(name, catalog=LIVE_CATALOG).model_dump(mode="json", by_alias=True)
    file = {"name": name, "status": "published", "who": who, "what": {**ALL, **what}, "when": {"now": True}, **more}
    spec = CampaignSpec.model_validate({**base, "campaign": file})
    return spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"formerly": formerly})})


def carts(shop: Shop) -> CampaignSpec:
    return campaign(
        shop,
        "carts",
        {"audience": {"create": {"name": "Carts"}}, "ad_sets": [AD_SETS[0]]},
        {**EVER, "control_group": {"percent": 25}},
        ("spring",),
        goal=GOAL,
    )


def audience(shop: Shop, name: str) -> str:
    found = [one["id"] for one in shop.sandbox.admin.state(members=False)["audiences"] if one["name"] == name]
    return str(found[0])


def facebook_as_it_was(shop: Shop) -> None:
    """The audiences and links of then, put there before the ledger last looked."""
    then = json.loads((DUMPS / "revision_0010.json").read_text())
    shop.sandbox.admin.advance(-10 * A_YEAR)
    for one in then["audiences"]:
        shop.sandbox.admin.put_audience(**one)
    ad_sets = {one["id"]: one for one in shop.sandbox.admin.state(members=False)["ad_sets"]}
    for number, linked in then["ad_sets"].items():
        targeting = {**ad_sets[number]["targeting"], "custom_audiences": linked}
        shop.sandbox.admin.put_ad_set(id=number, targeting=targeting)
    shop.sandbox.admin.advance(10 * A_YEAR)


@pytest.fixture
def upgraded(shop: Shop, postgres: Postgres, new_database: Callable[[str], Connection]) -> Shop:
    """The shop on the day after, with the ledger of then, migrated."""
    shop.connections["ledger"] = ledger = new_database("ledger")
    restore(postgres.uri(ledger.schema), (DUMPS / "revision_0010.sql").read_bytes())
    # The ledger is where it was: only the product was changed.
    shop.sql("update audiences.identity set home = audiences.place()", on="ledger")
    assert migrate(ledger) == NEWEST
    facebook_as_it_was(shop)
    shop.sandbox.admin.put_account(id="act_1001", timezone_name="UTC")
    shop.sql("alter table events add arrived_at timestamptz, add category text")
    for number in range(1, 13):
        user(shop, number, MOVED if number == 2 else None)
    shop.sql("delete from events where user_id = 3")
    shop.now = LATER
    return shop


def held_out(shop: Shop) -> set[int]:
    found = shop.sql(
        "select user_id::int from audiences.assignment a join audiences.campaign c on c.id = a.campaign_id"
        " where c.name = 'carts' and arm <> 'target'",
        on="ledger",
    )
    return {number for (number,) in found}


def test_a_repeat_run_sends_nothing(upgraded: Shop) -> None:
    before = upgraded.members(audience(upgraded, "Carts"))
    summary = upgraded.run(carts(upgraded))
    assert (summary.state, summary.requests, summary.warnings) == ("success", 0, ())
    assert (summary.outcomes["added"], summary.outcomes["removed"]) == (0, 0)
    assert upgraded.members(audience(upgraded, "Carts")) == before
    assert upgraded.uploads() == []


def test_preview_and_run_find_the_difference_only(upgraded: Shop) -> None:
    shop, control = upgraded, held_out(upgraded)
    assert control, "the dump has a control group"
    kept = {1, 2, *range(4, 12)} - control
    gone, moved, *rest = sorted(kept - {2})
    shop.sql("delete from events where user_id = %s", gone)
    shop.sql("update users set email = 'new@example.com' where id = %s", moved)
    for number in range(13, 33):
        user(shop, number)
    seen = shop.preview(carts(shop), at=LATER)
    summary = shop.run(carts(shop))
    control = held_out(shop)
    fresh = set(range(13, 33)) - control
    assert summary.state == "success"
    assert summary.outcomes["added"] == seen.outcomes["added"] == len(fresh)
    assert summary.outcomes["removed"] == 1
    assert (seen.changes.add, seen.changes.remove) == (len(fresh) + 1, 2), "newer identifiers are rows that come and go"
    assert [entry["rows"] for entry in shop.uploads()] == [2, len(fresh) + 1]
    wanted = rows(shop, *({2, moved} | set(rest) | fresh), of_2=MOVED, **{f"of_{moved}": "new@example.com"})
    assert shop.members(audience(shop, "Carts")) == wanted
    assert shop.run(carts(shop)).requests == 0


def test_explain_tells_the_history_of_before(upgraded: Shop) -> None:
    member = min({4, 5, 6, 7} - held_out(upgraded))
    found = ask(upgraded, carts(upgraded), member, LATER)
    assert (found.outcome, len(found.history)) == ("targeted", 1)
    control = min(held_out(upgraded) - {3})
    assert ask(upgraded, carts(upgraded), control, LATER).outcome == "control_campaign"
    assert ask(upgraded, carts(upgraded), 12, LATER).outcome == "opted_out"


def disk_is_lost(shop: Shop) -> None:
    """A person says that the disk on which the runs of before have staged rows is lost: it is none of this machine's."""
    unknown = "select distinct run_id from audiences.chunk where session is null and (state = 'sending' or doubtful)"
    with shop.resources(carts(shop)) as resources:
        assert all(staged_runs.give_up(resources.ledger, run) for (run,) in shop.sql(unknown, on="ledger"))


def test_a_person_is_erased_from_audiences_of_before_and_stays_out(upgraded: Shop) -> None:
    shop, person = upgraded, min({4, 5, 6, 7} - held_out(upgraded))
    assert "odd" in str(erased(shop, person).still_to_do), "its replace session may still bring the person back"
    disk_is_lost(shop)
    shop.run(campaign(shop, "odd", {"audience": {"create": {"name": "Odd"}}}))
    found = erased(shop, person)
    hers = rows(shop, person)
    assert all(hers.isdisjoint(shop.members(one["id"])) for one in shop.sandbox.admin.state(members=False)["audiences"])
    assert (found.state, set(found.left.values())) == ("done", {0})
    assert shop.run(carts(shop)).requests == 0
    assert hers.isdisjoint(shop.members(audience(shop, "Carts")))


def test_campaigns_that_share_an_audience_still_do_not_remove_each_others_users(upgraded: Shop) -> None:
    shop, given = upgraded, {"audience": {"update": {"id": AUDIENCE, "action": "mirror"}}}
    over_18 = {**EVER, "with_properties": {"age": {"at_least": 18}}}
    assert shop.run(campaign(shop, "one", given, over_18)).outcomes["removed"] == 10
    assert shop.members(AUDIENCE) == rows(shop, 1, 2, *range(4, 12), of_2=MOVED)
    assert shop.run(campaign(shop, "two", given, over_18)).outcomes["removed"] == 10
    assert shop.members(AUDIENCE) == set()


def test_requests_and_replace_sessions_in_every_state_end_in_the_set_of_the_rules(upgraded: Shop) -> None:
    with pytest.raises(StagedElsewhereError, match="`audiences ledger staging-gone 10`"):
        upgraded.run(campaign(upgraded, "odd", {"audience": {"create": {"name": "Odd"}}}))
    disk_is_lost(upgraded)
    summary = upgraded.run(campaign(upgraded, "odd", {"audience": {"create": {"name": "Odd"}}}))
    assert summary.state == "success"
    assert upgraded.members(audience(upgraded, "Odd")) == rows(upgraded, 1, 2, *range(4, 12), of_2=MOVED)
    again = upgraded.run(campaign(upgraded, "odd", {"audience": {"create": {"name": "Odd"}}}))
    assert (again.requests, again.warnings) == (0, ())


def test_a_full_refresh_replaces_the_set_of_before(upgraded: Shop) -> None:
    spec = campaign(upgraded, "weekly", {"audience": {"create": {"name": "Weekly"}}, "refresh": "replace"})
    upgraded.sql("delete from events where user_id = 4")
    assert upgraded.run(spec).state == "success"
    assert upgraded.members(audience(upgraded, "Weekly")) == rows(upgraded, 1, 2, *range(5, 12), of_2=MOVED)


def test_who_left_because_the_time_was_up_is_not_added_again(upgraded: Shop) -> None:
    spec = campaign(upgraded, "kept", {"audience": {"create": {"name": "Kept"}}, "keep_for": "30 days"})
    summary = upgraded.run(spec)
    assert (summary.outcomes["over_cap"], summary.outcomes["added"]) == (1, 0)
    assert rows(upgraded, 11).isdisjoint(upgraded.members(audience(upgraded, "Kept")))


def test_a_live_batch_that_was_open_is_exported_once_and_the_next_events_come_after_it(upgraded: Shop) -> None:
    live = LiveShop(upgraded, now=LATER)
    spec = live.campaign("live", what={"audience": {"create": {"name": "Live"}}})
    assert [one.batch.id for one in live.poll_and_run(timedelta(hours=1))] == [2]
    assert upgraded.members(audience(upgraded, "Live")) == rows(upgraded, 1, 2, 4, of_2=MOVED)
    live.event(5)
    (summary,) = live.poll_and_run()
    assert (summary.state, summary.outcomes["added"]) == ("success", 1)
    assert upgraded.members(audience(upgraded, "Live")) == rows(upgraded, 1, 2, 4, 5, of_2=MOVED)
    assert live.states(spec.id)["exported"] == 4


def test_a_goal_is_measured_over_those_who_were_assigned_before(upgraded: Shop) -> None:
    at = LATER + timedelta(days=6)
    with upgraded.resources(carts(upgraded)) as resources:
        arms = {arm.arm: arm.users for arm in measure(resources, at).arms}
    assert arms["campaign"] == len(held_out(upgraded))
    assert upgraded.sql("select count(*) from audiences.goal_result", on="ledger") == [(2,)], "the earlier one is kept"

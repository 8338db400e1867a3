"""Two runs that come in between each other: of one campaign, or of two that share an audience."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from audiences.ledger import known_audiences
from audiences.ledger.audience_revisions import ChangedSinceComparedError
from audiences.ledger.known_audiences import AudienceTakenError
from audiences.pipeline.preconditions.not_overtaken import OvertakenError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps import put_on_record
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload.export import export

if TYPE_CHECKING:
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Extracted, RunRef, Selected, Summary

pytestmark = pytest.mark.integration
ALL = {"guards": {"max_removal": 100}}


class Slow:
    """A run whose steps are tasks, between which others may come."""

    def __init__(self, resources: CampaignResources, external_id: str) -> None:
        self.resources = resources
        self.run: RunRef = open_run(resources, RunRequest(external_id=external_id, at=resources.now()))
        self.extracted: Extracted = extract(resources, self.run)
        self.selected: list[Selected] = [select(resources, self.run, shard) for shard in self.extracted.shards]

    def plan(self) -> None:
        self.planned = plan(self.resources, self.run, self.extracted, self.selected)

    def send(self) -> Summary:
        export(self.resources, self.run, "remove")
        export(self.resources, self.run, "add")
        return close_run(self.resources, self.run, self.planned)


@pytest.fixture
def two(shop):
    """An audience that two campaigns feed, and a row that is to leave for the one and to come for the other."""
    for number, email in enumerate(("shared", "shared", "other"), start=1):
        shop.user(number, f"{email}@example.com")
        shop.event(number, "Charged" if number == 2 else "Added To Cart")
    first = shop.campaign(what=ALL)
    audience = shop.run(first).audience.id
    second = shop.campaign(
        "buyers",
        who={"did": {"event": "Charged"}},
        what={"audience": {"update": {"id": audience, "action": "mirror"}}},
    )
    shop.sql("delete from events where user_id = 1")
    return first, second


def agree(shop) -> None:
    """Facebook has whom the ledger has, and both addresses are in."""
    ((rows,),) = shop.sql(
        "select count(distinct identifiers) from audiences.member where removed_run is null and present", on="ledger"
    )
    ((audience,),) = shop.sql("select facebook_id from audiences.audience", on="ledger")
    assert (rows, len(shop.members(audience))) == (2, 2)


def claims_lapse(shop) -> None:
    shop.sql("update audiences.audience set busy_until = now() - interval '1 second'", on="ledger")


def test_a_run_that_was_overtaken_before_its_plan_sends_nothing_of_what_it_found(shop):
    for number in (1, 2, 3):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    spec = shop.campaign(what=ALL)
    with shop.resources(spec) as resources:
        slow = Slow(resources, "slow")
        shop.sql("update users set opted_out = true where id = 1")
        audience = shop.run(spec).audience.id
        with pytest.raises(OvertakenError, match=f"since run {slow.run.run} found its users"):
            slow.plan()
        assert close_run(resources, slow.run, None).state == "failed"
    assert shop.members(audience) == {shop.row_of(f"user{number}@example.com", None) for number in (2, 3)}


def test_a_run_that_was_overtaken_lets_the_other_one_keep_its_claim(shop, two):
    first, second = two
    with shop.resources(first) as one, shop.resources(first) as other:
        slow, faster = Slow(one, "slow"), Slow(other, "faster")
        close_run(one, slow.run, None)
        with shop.resources(second) as resources, pytest.raises(AudienceTakenError):
            open_run(resources, RunRequest(external_id="third", at=shop.now))
        faster.plan()
        assert faster.send().state == "success"
        assert known_audiences.busy(other.ledger) == []


def test_a_run_whose_claim_lapsed_while_it_looked_for_users_plans_after_the_campaign_that_came_meanwhile(shop, two):
    first, second = two
    with shop.resources(first) as one, shop.resources(second) as other:
        slow = Slow(one, "slow")
        claims_lapse(shop)
        came = Slow(other, "came")
        with pytest.raises(AudienceTakenError):
            slow.plan()
        came.plan()
        assert came.send().state == "success"
        slow.plan()
        assert slow.send().state == "success"
    agree(shop)


def test_a_plan_that_took_longer_than_its_claim_is_made_anew_when_another_campaign_has_come_and_gone(
    shop, two, monkeypatch
):
    first, second = two
    stage = put_on_record.stage_changes

    def slowly(*args, **more):
        monkeypatch.setattr(put_on_record, "stage_changes", stage)
        claims_lapse(shop)
        assert shop.run(second).state == "success"
        return stage(*args, **more)

    with shop.resources(first) as resources:
        slow = Slow(resources, "slow")
        monkeypatch.setattr(put_on_record, "stage_changes", slowly)
        with pytest.raises(ChangedSinceComparedError, match="worked out anew"):
            slow.plan()
        slow.plan()
        assert slow.send().state == "success"
    agree(shop)

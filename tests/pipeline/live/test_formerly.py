"""A live campaign whose file was renamed: nothing is read twice, lost, or exported twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.ledger.campaigns import CampaignBusyError, RenamedCampaignError
from audiences.pipeline.live.run_batch import run_batch
from audiences.pipeline.preview import preview
from audiences.pipeline.results import RunRequest

pytestmark = pytest.mark.integration
MINUTE = timedelta(minutes=1)
CARTS = {"audience": {"create": {"name": "carts"}}}


def rename(live, **sections):
    """As a commit does that renames the file; the audience is called as before."""
    live.specs.pop("carts", None)
    return live.campaign("left_carts", formerly="carts", what=CARTS, **sections)


def test_waiting_events_watermarks_and_limits_go_on_under_the_new_name(live):
    waits = {"after": "10 minutes", "limit": "once"}
    live.campaign(when=waits)
    live.poll()
    live.event(1)
    live.poll_and_run()
    live.poll_and_run(10 * MINUTE)
    live.event(2)  # waits when the file is renamed
    live.poll()
    spec = rename(live, when=waits)
    with live.shop.resources(spec, read_only=True) as resources:
        assert preview(resources, live.now).events["ledger_waiting"] == 1
    live.event(3)  # comes in between
    live.event(1)  # has entered before, under the old name
    live.poll()
    live.poll_and_run(10 * MINUTE)
    assert live.members() == {1, 2, 3}
    assert live.states("left_carts") == {"exported": 3, "limited": 1}
    assert live.shop.sql("select name from audiences.campaign", on="ledger") == [("left_carts",)]


def test_a_batch_formed_under_the_old_name_is_run_by_the_new_one_and_not_twice(live):
    spec = live.campaign()
    live.poll()
    live.event(1)
    (batch,) = live.poll().batches
    rename(live)
    (again,) = live.poll(3 * MINUTE).batches  # the run of the old DAG never began
    assert (again.id, again.campaign) == (batch.id, "left_carts")
    live.run(again)
    assert live.members() == {1}
    with live.shop.resources(spec) as resources, pytest.raises(RenamedCampaignError):  # should it begin after all
        run_batch(resources, batch.id, RunRequest(external_id="late", at=live.now))


def test_a_look_leaves_a_renamed_campaign_out_while_a_run_of_the_old_one_is_under_way(live):
    spec = live.campaign()
    live.campaign("other")
    live.poll()
    rename(live)
    live.event(1)
    with live.shop.resources(spec) as resources, resources.working():
        polled = live.poll()
        assert isinstance(polled.errors["left_carts"], CampaignBusyError)
        assert [batch.campaign for batch in polled.batches] == ["other"]
    (batch,) = live.poll().batches
    assert batch.campaign == "left_carts"


def test_a_campaign_keeps_its_place_while_the_file_that_takes_it_over_has_mistakes(live):
    live.campaign(when={"after": "10 minutes"})
    live.campaign("other")
    live.poll()
    live.event(1)
    live.poll()
    del live.specs["carts"]
    live.poll(broken=("left_carts", "carts"))
    rename(live, when={"after": "10 minutes"})
    live.poll_and_run(10 * MINUTE)
    assert live.members() == {1}


def test_a_name_given_up_is_left_out_of_a_look_and_the_others_are_not(live):
    old = live.campaign()
    live.campaign("other")
    live.poll()
    rename(live)
    live.poll()
    live.specs["carts"] = old  # its file is back, without `formerly`
    del live.specs["left_carts"]
    live.event(1)
    polled = live.poll()
    assert isinstance(polled.errors["carts"], RenamedCampaignError)
    assert [batch.campaign for batch in polled.batches] == ["other"]

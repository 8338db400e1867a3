"""A run that is taken up again under its own id, as a cleared DAG run is; and one that waited for too long."""

from __future__ import annotations

import pytest

from audiences.errors import FixAccessError
from audiences.ledger import known_audiences
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps import plan
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload.export import export

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("small_requests")]
EVER = {"did": {"event": "Added To Cart", "within": "ever"}}


@pytest.fixture
def fill(shop):
    def fill(count: int) -> None:
        for number in range(count):
            shop.user(number, email=f"user{number}@example.com")
            shop.event(number, "Added To Cart")

    return fill


def attempt(shop, resources, *, external_id="scheduled__1"):
    """Up to the plan."""
    run = open_run(resources, RunRequest(external_id=external_id, at=shop.noon))
    extracted = extract(resources, run)
    return run, plan.plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])


def test_who_was_added_before_an_interruption_of_the_run_counts_as_added_by_it(shop, fill):
    fill(50)
    shop.sandbox.admin.add_fault("expired_token", path="*/users", after=2, times=None)
    with shop.resources(shop.campaign(who=EVER)) as resources:
        run, planned = attempt(shop, resources)
        with pytest.raises(FixAccessError):
            export(resources, run, "add")
        shop.sandbox.admin.clear_faults()
        shop.sql("delete from events where user_id = 0")
        run, planned = attempt(shop, resources)
        export(resources, run, "remove")
        export(resources, run, "add")
        summary = close_run(resources, run, planned)
    assert summary.state == "success"
    counted = {name: summary.outcomes[name] for name in ("targeted", "added", "kept", "failed")}
    assert counted == {"targeted": 49, "added": 49, "kept": 0, "failed": 0}
    assert summary.audience.members == 49


def test_who_is_held_out_by_a_run_that_was_taken_up_after_an_edit_stays_so(shop, fill):
    fill(100)
    ten, thirty = (shop.campaign(who={**EVER, "control_group": {"percent": percent}}) for percent in (10, 30))
    with shop.resources(ten) as resources:
        open_run(resources, RunRequest(external_id="scheduled__1", at=shop.noon))
    with shop.resources(thirty) as resources:
        run, planned = attempt(shop, resources)
        export(resources, run, "add")
        summary = close_run(resources, run, planned)
    assert 10 < summary.outcomes["control_campaign"] < 50
    members = shop.members(summary.audience.id)
    outcomes = shop.run(ten).outcomes
    assert (outcomes["added"], outcomes["control_campaign"]) == (0, summary.outcomes["control_campaign"])
    assert shop.members(summary.audience.id) == members


def test_a_run_that_another_one_overtook_while_it_waited_has_failed(shop, fill):
    fill(20)
    spec = shop.campaign(who=EVER)
    with shop.resources(spec) as resources:
        run, planned = attempt(shop, resources)
        known_audiences.release(resources.ledger, run.audience, run.campaign)
        attempt(shop, resources, external_id="scheduled__2")
        export(resources, run, "add")
        summary = close_run(resources, run, planned)
    assert (summary.state, summary.outcomes["failed"], summary.requests) == ("failed", 20, 0)
    assert "another run changed the audience" in (summary.error or "")

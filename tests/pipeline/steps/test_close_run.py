"""What a run that failed leaves as it was."""

from __future__ import annotations

import pytest

from audiences.ledger import identifier_keys
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select


@pytest.mark.integration
def test_a_run_that_sent_nothing_of_its_plan_does_not_end_a_change_of_identifiers(shop):
    shop.user(1, "user1@example.com", "+14155550001")
    shop.event(1)
    shop.run(shop.campaign(what={"identifiers": ["email"]}))
    with shop.resources(shop.campaign(what={"identifiers": ["email", "phone"]})) as resources:
        run = open_run(resources, RunRequest(external_id="failed", at=shop.noon))
        extracted = extract(resources, run)
        planned = plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        assert close_run(resources, run, planned).state == "failed"
        keys = {"campaign": run.campaign, "audience": run.audience, "schema": ("EMAIL", "PHONE")}
        assert identifier_keys.begin(resources.ledger, **keys) == ("EMAIL",)

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audiences.errors import FacebookAccessError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upkeep.tidy import KEPT_FOR, Tidied, tidy
from audiences.pipeline.upload import full_refresh
from audiences.pipeline.upload.export import export

pytestmark = pytest.mark.integration


def tidied(shop, spec, days):
    with shop.resources(spec) as resources:
        return tidy(resources.ledger, spec.staging, ended_before=datetime.now(UTC) + timedelta(days=days) - KEPT_FOR)


def interrupted(shop, spec, name):
    """A run that never closed, its request on the way; its folder."""
    shop.sandbox.admin.add_fault("expired_token", times=1, method="POST", path="*/users*")
    with shop.resources(spec) as resources:
        run = open_run(resources, RunRequest(external_id=name, at=shop.noon))
        extracted = extract(resources, run)
        plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        whole = full_refresh.is_planned(resources, run)
        with pytest.raises(FacebookAccessError):
            full_refresh.send(resources, run) if whole else export(resources, run, "add")
    shop.sql("update audiences.run set state = 'failed', ended_at = now()", on="ledger")
    return Path(run.staging)


@pytest.mark.parametrize("refresh", ["difference", "replace"])
def test_the_rows_of_a_request_whose_fate_is_unknown_stay_until_it_is_known(shop, refresh):
    shop.user(1, "one@example.com")
    shop.event(1)
    spec = shop.campaign(what={"refresh": refresh})
    folder = interrupted(shop, spec, "dies")
    if refresh == "replace":  # refused for the token, the first batch is known not to have arrived
        shop.sql("update audiences.upload_session set state = 'open'", on="ledger")
        shop.sql("update audiences.chunk set state = 'sending', sent_at = now() where session is not null", on="ledger")
    assert tidied(shop, spec, 100) == Tidied(removed=0, left=1)
    assert any(folder.iterdir())
    shop.run(spec)
    assert tidied(shop, spec, 6).removed == 0
    assert tidied(shop, spec, 8) == Tidied(removed=1, left=0)
    assert not folder.exists()


def test_what_no_run_of_the_ledger_staged_is_left_alone(shop):
    spec = shop.campaign()
    foreign = shop.staging / "somebody" / "elses"
    foreign.mkdir(parents=True)
    assert tidied(shop, spec, 100) == Tidied(removed=0, left=1)
    assert foreign.exists()


def test_a_staging_folder_that_is_not_there_is_no_trouble(shop):
    assert tidied(shop, shop.campaign(), 100) == Tidied(removed=0, left=0)

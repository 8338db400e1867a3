"""Warehouse and ledger are open before anything is made at Facebook, and what a person must put right is not tried again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audiences.ledger.ledger_errors import LedgerClosedError, LedgerFaultError, as_lost
from audiences.pipeline.live.poll_resources import live_resources
from audiences.warehouse.catalog.reflect import Glance, WarehouseUnreachableError
from audiences.warehouse.reader import WarehouseClosedError
from audiences.when.live.watch import Watch

pytestmark = pytest.mark.integration


@pytest.fixture
def carts(shop):
    shop.user(1, "user1@example.com")
    shop.event(1)
    return shop


def made(shop):
    """The requests so far that changed something at Facebook."""
    return [each["path"] for each in shop.sandbox.admin.requests() if each["method"] != "GET"]


@pytest.mark.parametrize("wrong", [{"schema": "nowhere"}, {"login": "nobody"}])
@pytest.mark.parametrize("full_refresh", [False, True])
def test_a_closed_warehouse_stops_a_run_before_its_audience_is_made(carts, wrong, full_refresh):
    carts.connections["warehouse"] = closed = replace(carts.connections["warehouse"], **wrong)
    with pytest.raises(WarehouseClosedError) as stopped:
        carts.run(carts.campaign(), full_refresh=full_refresh)
    with pytest.raises(WarehouseUnreachableError) as checked:
        Glance(closed)
    assert (stopped.value.detail, stopped.value.remedy) == (checked.value.detail, checked.value.remedy)
    assert (made(carts), carts.waited) == ([], [])
    (row,) = carts.sql("select state, error from audiences.run", on="ledger")
    assert row[0] == "failed"
    assert stopped.value.remedy in row[1]


def test_a_warehouse_that_is_down_is_asked_again_and_makes_no_audience(carts):
    carts.connections["warehouse"] = replace(carts.connections["warehouse"], host="/nowhere")
    with pytest.raises(Exception, match="Such faults pass"):
        carts.run(carts.campaign())
    assert made(carts) == []
    assert len(carts.waited) == 4


@pytest.mark.parametrize("wrong", [{"schema": "nowhere"}, {"login": "nobody"}, {"extra": {"options": "-c wibble=1"}}])
def test_a_closed_ledger_stops_everything_before_facebook_is_asked(carts, wrong):
    carts.connections["ledger"] = replace(carts.connections["ledger"], **wrong)
    spec = carts.campaign()
    with pytest.raises(LedgerClosedError, match="Correct ") as stopped:
        carts.run(spec)
    assert f"the Airflow connection `{carts.connections['ledger'].id}`" in str(stopped.value)
    watch = Watch.of([live_one(carts)])
    with live_resources(watch, look_up=carts.connections.__getitem__) as resources, pytest.raises(LedgerClosedError):
        _ = resources.ledger
    assert (carts.sandbox.admin.requests(), carts.waited) == ([], [])


def live_one(shop):
    plain = shop.campaign()
    campaign = {
        **plain.campaign.model_dump(mode="json", by_alias=True, exclude_unset=True),
        "qualification": "live",
        "who": {"control_group": {"system": False}},
        "when": {"on": {"event": "Added To Cart"}},
    }
    return type(plain).model_validate({**plain.model_dump(mode="json", by_alias=True), "campaign": campaign})


def test_a_query_that_ran_into_its_time_out_is_not_run_again_for_hours(carts):
    carts.sql(
        "create function slow(email text) returns text language plpgsql as $$ begin"
        " raise exception using errcode = '57014', message = 'x'; end $$"
    )
    carts.sql("alter table users rename to people")
    carts.sql("create view users as select id, slow(email) as email, phone, tier, age, opted_out from people")
    summary = carts.run(carts.campaign())
    assert (summary.state, carts.waited) == ("failed", [])
    assert "longer than its time-out allows, or somebody cancelled it" in summary.error
    assert "audiences catalog check names it" in summary.error


def test_a_time_out_of_the_ledgers_login_is_told_as_one(carts):
    name = carts.connections["ledger"].schema
    carts.sql(f"alter database {name} set statement_timeout = '50ms'", on="ledger")
    with carts.resources(carts.campaign()) as resources, pytest.raises(Exception, match="statement timeout") as caught:
        resources.ledger.sql.execute("select pg_sleep(1)")
    carts.sql(f"alter database {name} reset statement_timeout", on="ledger")
    found = as_lost(caught.value)
    assert isinstance(found, LedgerFaultError)
    assert "take `statement_timeout` off the ledger's login" in str(found)

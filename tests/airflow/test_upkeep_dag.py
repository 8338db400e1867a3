from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.airflow.conftest import CATALOG
from tests.airflow.test_loading import LOAD

from audiences.campaign.project import Project

pytestmark = pytest.mark.e2e
WITH_PROPERTIES = CATALOG.replace(
    "name: name, ",
    "name: name, properties: {amount: {column: amount, type: number}, price: {column: no_such, type: number}}, ",
)
CAMPAIGN = """
name: {name}
status: published
who: {{did: {{event: Added To Cart}}}}
what: {{audience: {{create: {{name: {name}}}}}}}
when: now
goal: {{event: Charged, within: 90 days, revenue: {revenue}}}
"""


def test_the_file_loads_without_anything_heavy_and_without_campaigns_that_are_right(airflow):
    airflow.write("campaigns/broken.yml", "name: [unclosed\n")
    said = airflow.python(LOAD.replace("campaigns.py", "upkeep.py"))
    found = json.loads(said.split("RESULT", 1)[1].splitlines()[0])
    assert (found["heavy"], found["errors"]) == ([], {})
    assert list(found["dags"]) == ["audiences_upkeep"]
    assert {"with_goals", "measure_goal"} <= set(found["dags"]["audiences_upkeep"]["tasks"])


def test_goals_are_measured_daily_and_a_campaign_that_fails_stops_no_other(connected, shop):
    connected.write("include/warehouse.yml", WITH_PROPERTIES)
    for name, revenue in (("broken_money", "price"), ("carts", "amount"), ("never_ran", "amount")):
        connected.write(f"campaigns/{name}.yml", CAMPAIGN.format(name=name, revenue=revenue))
    connected.campaign("without_goal")
    shop.user(1, "one@example.com")
    shop.event(1)
    for name in ("broken_money", "carts"):
        spec = Project.load_campaign(connected.project, name)
        shop.run(spec.model_copy(update={"staging": str(shop.staging)}), at=datetime.now(UTC) - timedelta(days=1))
    said = connected.airflow("dags", "test", "audiences_upkeep")
    measured = shop.sql(
        "select c.name, r.report #>> '{arms,0,users}' from audiences.goal_result r"
        " join audiences.campaign c on c.id = r.campaign_id",
        on="ledger",
    )
    assert measured == [("carts", "1")], said[-6000:]
    assert "the warehouse refused the query" in said
    assert "one@example.com" not in said


def test_members_whose_time_is_up_leave_daily_and_old_staging_goes(connected, shop):
    connected.write(
        "campaigns/carts.yml",
        "name: carts\nstatus: published\nwho: {did: {event: Added To Cart}}\nwhen: now\n"
        "what: {audience: {create: {name: carts}}, keep_for: 30 days}\n",
    )
    connected.write(
        "include/settings.yml",
        f"ad_accounts: {{main: {{id: act_1001, connection: facebook_main}}}}\nstaging: {shop.staging}\n",
    )
    shop.user(1, "one@example.com")
    shop.event(1)
    spec = Project.load_campaign(connected.project, "carts")
    audience = shop.run(spec).audience.id
    ((staging,),) = shop.sql("select staging from audiences.run", on="ledger")
    old = Path(staging)
    old.mkdir(parents=True)
    shop.sql(
        "update audiences.run set assigned_at = now() - interval '31 days', ended_at = now() - interval '8 days'",
        on="ledger",
    )
    said = connected.airflow("dags", "test", "audiences_upkeep")
    assert shop.members(audience) == set(), said[-6000:]
    assert shop.sql("select state, outcomes ->> 'removed' from audiences.run order by id", on="ledger") == [
        ("success", "0"),
        ("success", "1"),
    ]
    assert not old.exists()

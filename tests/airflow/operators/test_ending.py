from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audiences.campaign.project import Project

pytestmark = pytest.mark.e2e
CAMPAIGN = """
name: {name}
status: {status}
who: {{did: {{event: Added To Cart}}}}
what: {{audience: {{create: {{name: {name}}}}}}}
when: {{now: true, on_end: empty}}
"""


def test_the_upkeep_ends_what_was_stopped_and_what_was_deleted_and_nothing_else(connected, shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    audiences = {}
    for name in ("deleted", "running", "stopped"):
        connected.write(f"campaigns/{name}.yml", CAMPAIGN.format(name=name, status="published"))
        spec = Project.load_campaign(connected.project, name)
        spec = spec.model_copy(update={"staging": str(shop.staging)})
        audiences[name] = shop.run(spec, at=datetime.now(UTC)).audience.id
    connected.write("campaigns/stopped.yml", CAMPAIGN.format(name="stopped", status="stopped"))
    (connected.project / "campaigns" / "deleted.yml").unlink()
    long_ago = datetime.now(UTC) - timedelta(days=2)
    shop.sql("update audiences.campaign set missing_since = %s where name = 'deleted'", long_ago, on="ledger")
    said = connected.airflow("dags", "test", "audiences_upkeep")
    left = {name: len(shop.members(audience)) for name, audience in audiences.items()}
    assert left == {"deleted": 0, "running": 1, "stopped": 0}, said[-6000:]
    ended = shop.sql(
        "select c.name, e.reason, e.error from audiences.campaign_end e join audiences.campaign c on c.id = e.campaign_id"
        " order by 1",
        on="ledger",
    )
    assert ended == [("deleted", "its file was deleted", None), ("stopped", "it is stopped", None)]

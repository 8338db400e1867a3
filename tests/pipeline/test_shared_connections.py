"""Campaigns that run one after the other in one process share what is open, and nothing that went wrong."""

from __future__ import annotations

import pytest

from audiences.open_connections import OpenConnections
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign

pytestmark = pytest.mark.integration
KILL = """
select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
where datname = current_database() and application_name like 'audiences%'
"""


@pytest.fixture
def run(shop):
    """Runs a campaign of that name, and gives its summary with what it had open: sessions of the ledger, and Facebook's."""
    shop.user(1, "one@example.com")
    shop.event(1)

    def run(shared, name, **more):
        request = RunRequest(external_id=f"{name} {shop.seconds}", at=shop.now)
        shop.seconds += 1
        with shop.resources(shop.campaign(name, **more), shared=shared) as resources:
            summary = run_campaign(resources, request, sleep=shop.pause)
            with resources.warehouse() as warehouse:
                pid = warehouse.table("select pg_backend_pid() as pid")["pid"][0].as_py()
            return summary, (resources.ledger, resources.ledger.bulk, resources.facebook, pid)

    return run


def test_what_one_campaign_has_opened_the_next_one_uses(shop, run):
    with OpenConnections() as shared:
        first, opened = run(shared, "carts")
        second, opened_next = run(shared, "more")
        assert (first.state, second.state) == ("success", "success")
        assert (first.audience.members, second.audience.members) == (1, 1)
        assert first.audience.id != second.audience.id
        assert opened_next == opened
    assert opened[0].sql.closed, "and all of it is closed in the end"


def test_a_session_that_ended_between_two_campaigns_does_not_fail_the_next(shop, run):
    with OpenConnections() as shared:
        _, opened = run(shared, "carts")
        for database in ("ledger", "warehouse"):
            shop.sql(KILL, on=database)
        summary, opened_next = run(shared, "more")
        assert summary.state == "success"
        assert not set(opened).intersection(opened_next)


@pytest.mark.parametrize(
    "name", ["audiences-ledger", "audiences-ledger-bulk", "audiences-ledger-writing", "audiences-gate"]
)
def test_one_of_the_ledgers_sessions_that_ended_between_two_campaigns_does_not_fail_the_next(shop, run, name):
    with OpenConnections() as shared:
        run(shared, "carts")
        query = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = %s"
        assert shop.sql(f"{query} and datname = current_database()", name, on="ledger") == [(True,)]
        summary, _ = run(shared, "more")
        assert (summary.state, summary.audience.members) == ("success", 1)


def test_after_an_error_the_next_campaign_has_connections_of_its_own(shop, run):
    with OpenConnections() as shared:
        _, opened = run(shared, "carts")
        with pytest.raises(Exception, match="audience"):
            run(shared, "given", what={"audience": {"update": {"id": "23850000000000999", "action": "mirror"}}})
        summary, opened_next = run(shared, "more")
        assert summary.state == "success"
        assert opened_next[0] is not opened[0]
        assert opened[0].sql.closed


def test_a_ledger_that_a_newer_version_has_migrated_meanwhile_is_not_written_to(shop, run):
    with OpenConnections() as shared:
        run(shared, "carts")
        (before,) = shop.sql("select version_num from audiences.alembic_version", on="ledger")
        shop.sql("update audiences.alembic_version set version_num = '9999'", on="ledger")
        try:
            with pytest.raises(Exception, match="a newer version has migrated it"):
                run(shared, "more")
        finally:
            shop.sql("update audiences.alembic_version set version_num = %s", *before, on="ledger")
        assert shop.sql("select count(*) from audiences.campaign where name = 'more'", on="ledger") == [(0,)]

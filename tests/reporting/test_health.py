"""Whether the installation is well, as far as is on record; and what is asked of Facebook and the warehouse on demand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.pipeline.live import conftest as pipeline_live

from audiences.checklist import State
from audiences.errors import ConnectionMissingError
from audiences.ledger import audiences_in_doubt, known_audiences
from audiences.ledger.database import EmptyLedger, Ledger
from audiences.reporting.health import ask_facebook, ask_warehouse, health
from audiences.reporting.project_files import ProjectFiles

pytestmark = pytest.mark.integration
live = pipeline_live.live  # a fixture
SPRING = """
name: Spring
status: published
who: {did: {event: Added To Cart}}
what: {audience: {create: {name: Spring}}}
when: now
"""


def look(desk, **more):
    given = {"now": desk.shop.now, "look_up": desk.shop.connections.__getitem__, **more}
    return health(desk.files(), desk.ledger, **given)


def connection(desk, **extra):
    facebook = desk.shop.connections["facebook_main"]
    desk.shop.connections["facebook_main"] = replace(facebook, extra={**facebook.extra, **extra})


def test_an_account_is_known_by_its_connection_and_its_last_preflight(desk):
    (account,) = look(desk).accounts
    assert (account.id, account.name, account.connection, account.passed_at) == (
        "act_1001",
        "main",
        "facebook_main",
        None,
    )
    assert {check.name: check.state for check in account.checks} == {"API version": State.OK, "access token": State.OK}
    desk.run("carts")
    (account,) = look(desk).accounts
    assert account.passed_at is not None


@pytest.mark.parametrize(("version", "state"), [("v26.0", State.OK), ("v25.0", State.WARN), ("v24.0", State.FAIL)])
def test_the_version_is_told_with_its_end(desk, version, state):
    connection(desk, api_version=version)
    (check,) = [each for each in look(desk).accounts[0].checks if each.name == "API version"]
    assert (check.state, check.found.startswith(version)) == (state, True)


@pytest.mark.parametrize(("days", "state"), [(-1, State.FAIL), (0, State.FAIL), (13, State.WARN), (14, State.OK)])
def test_the_noted_end_of_the_token_is_warned_of(desk, days, state):
    end = desk.shop.now.date() + timedelta(days=days)
    connection(desk, token_expires=end.isoformat())
    account = look(desk).accounts[0]
    (check,) = [each for each in account.checks if each.name == "access token"]
    assert (check.state, account.token_expires) == (state, end)


def test_a_connection_that_is_missing_is_told_with_the_remedy(desk):
    def missing(name):
        raise ConnectionMissingError(connection=name)

    (check,) = look(desk, look_up=missing).accounts[0].checks
    assert (check.state, "AIRFLOW_CONN_FACEBOOK_MAIN" in check.found) == (State.FAIL, True)


def test_no_secret_is_in_the_answer(desk):
    assert "sandbox-token" not in look(desk).model_dump_json()
    assert "sandbox-secret" not in look(desk).model_dump_json()


def test_campaigns_without_a_file_that_hold_members_are_named_with_their_audience(desk):
    desk.write("spring", SPRING)
    summary = desk.run("spring")
    assert look(desk).without_file == ()
    (desk.folder.path / "campaigns/spring.yml").unlink()
    (found,) = look(desk).without_file
    assert (found.campaign, found.audience, found.name) == ("spring", summary.audience.id, "Spring")
    desk.shop.sql("update audiences.audience set deleted_at = now()", on="ledger")
    assert look(desk).without_file == ()


def test_audiences_in_doubt_are_named_with_the_reason(desk):
    summary = desk.run("carts")
    audience = known_audiences.find(desk.ledger, summary.audience.id)
    assert look(desk).in_doubt == ()
    audiences_in_doubt.begin(desk.ledger, audience.id, "others changed it")
    (found,) = look(desk).in_doubt
    assert (found.audience, found.campaign, found.reason) == (summary.audience.id, "carts", "others changed it")


def test_a_request_whose_rows_are_lost_puts_its_audience_in_doubt(desk):
    desk.run("carts")
    desk.shop.sql("update audiences.chunk set state = 'lost'", on="ledger")
    (found,) = look(desk).in_doubt
    assert found.reason == "the rows of a request are lost that may have been carried out"


def test_a_live_campaign_shows_what_is_waiting_and_for_how_long(live, shop, project):
    files = ProjectFiles.read(project.path)

    def seen(now):
        with Ledger(shop.connections["ledger"]) as ledger:
            (found,) = health(files, ledger, now=now, look_up=shop.connections.__getitem__).live
        return found

    live.campaign("cart_left", when={"after": "10 minutes"})
    live.event(1)
    live.poll()
    found = seen(live.now)
    assert (found.campaign, found.waiting, found.batch, found.lag_seconds) == ("cart_left", 1, None, 0)
    live.event(2, at=live.now - timedelta(minutes=9), arrived=live.now)
    live.poll(timedelta(minutes=9, seconds=55))
    found = seen(live.now + timedelta(seconds=30))
    assert (found.batch_events, found.batch_users, found.batch_tries) == (2, 2, 1)
    assert found.lag_seconds == pytest.approx(30, abs=11)
    assert found.read_to <= live.now


def test_facebook_and_the_warehouse_are_asked_on_demand(desk):
    desk.run("carts")
    look_up = desk.shop.connections.__getitem__
    (checks,) = ask_facebook(desk.files(), now=desk.shop.now, look_up=look_up).values()
    assert {"API version", "access token", "permissions", "Custom Audience terms"} <= {each.name for each in checks}
    found = ask_warehouse(desk.files(), look_up=look_up)
    assert set(found) == {"include/warehouse.yml", "include/segments", "the login of the connection"}
    assert found["include/warehouse.yml"]


def test_settings_that_are_wrong_leave_the_rest(desk):
    desk.run("carts")
    desk.folder.write("include/settings.yml", "ad_accounts: {}\n")
    assert look(desk).accounts == ()
    assert ask_facebook(desk.files(), now=desk.shop.now, look_up=desk.shop.connections.__getitem__) == {}


def test_a_ledger_that_was_never_used_is_well(desk):
    with EmptyLedger(desk.shop.connections["ledger"]) as empty:
        found = health(desk.files(), empty, now=desk.shop.now, look_up=desk.shop.connections.__getitem__)
    assert (found.without_file, found.in_doubt, found.live) == ((), (), ())

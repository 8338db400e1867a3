"""Whether the installation is well, as far as is on record; and what is asked of Facebook and the warehouse on demand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.pipeline.live import conftest as pipeline_live

from audiences.checklist import State
from audiences.errors import ConnectionMissingError
from audiences.ledger import audiences_in_doubt, known_audiences, notices
from audiences.ledger.database import EmptyLedger, Ledger
from audiences.notices.what_holds import failure
from audiences.reporting.health import ask_facebook, ask_warehouse, health
from audiences.reporting.project_files import ProjectFiles

pytestmark = pytest.mark.integration
live = pipeline_live.live  # a fixture
GIVEN = "23850000000000077"
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
    assert (found.audience, found.campaigns, found.reason) == (summary.audience.id, ("carts",), "others changed it")
    assert found.remedy.startswith(
        "The next run sends the whole set, which ends the doubt. `audiences run carts --allow"
    )


@pytest.mark.parametrize(
    ("action", "remedy"),
    [
        ("remove_matching", "The next run sends everybody who matches for removal again, which ends the doubt."),
        ("mirror", "Runs send only what changed until then, and whoever else is in it stays."),
    ],
)
def test_the_remedy_for_a_given_audience_is_that_of_its_campaign(desk, action, remedy):
    desk.shop.sandbox.admin.put_audience(id=GIVEN, account="act_1001", name="Given", schema=["EMAIL"])
    desk.write("given", SPRING.replace("create: {name: Spring}", f'update: {{id: "{GIVEN}", action: {action}}}'))
    desk.run("given")
    desk.shop.sql("update audiences.audience set in_doubt = 'others changed it'", on="ledger")
    (found,) = look(desk, may_see=lambda name: name == "given", operates=False).in_doubt
    assert (found.audience, found.campaigns) == (GIVEN, ("given",))
    (trouble,) = next(each for each in desk.overview().campaigns if each.id == "given").troubles
    assert found.remedy == trouble.remedy
    assert found.remedy.startswith(remedy)
    assert look(desk, may_see=lambda name: name != "given").in_doubt == ()
    (desk.folder.path / "campaigns/given.yml").unlink()
    (found,) = look(desk).in_doubt
    assert (found.campaigns, found.remedy.split(",")[0]) == ((), "Bring back the file of the campaign")


def test_an_audience_that_a_run_is_changing_is_in_doubt_only_when_it_is_left_behind(desk):
    run = desk.run("carts").run
    desk.shop.sql(
        "insert into audiences.upload_session (run_id, audience_id, attempt, facebook_id, schema, closing, state, opened_at)"
        " select id, audience_id, 1, 1, '{EMAIL}', 'closing', 'open', now() from audiences.run where id = %s",
        run, on="ledger",
    )  # fmt: skip
    desk.shop.sql(
        "update audiences.audience set busy_campaign = created_for, busy_until = now() + interval '5 minutes'",
        on="ledger",
    )
    assert look(desk).in_doubt == ()
    assert desk.overview().with_troubles == {}
    desk.shop.sql("update audiences.audience set busy_until = now()", on="ledger")
    assert [each.reason for each in look(desk).in_doubt] == ["a replace of it broke off"]
    assert desk.overview().with_troubles == {"in_doubt": 1}


def test_who_may_not_see_all_is_told_that_it_is_about_a_part(desk):
    desk.write("spring", SPRING)
    assert look(desk).whole
    part = look(desk, may_see=lambda name: name == "spring")
    assert (part.whole, part.accounts == look(desk).accounts) == (False, True)
    guest = look(desk, operates=False)
    assert (guest.whole, guest.accounts) == (False, ())


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
    checks = ask_facebook(desk.files(), "main", now=desk.shop.now, look_up=look_up)
    assert {"API version", "access token", "permissions", "Custom Audience terms"} <= {each.name for each in checks}
    found = ask_warehouse(desk.files(), look_up=look_up)
    assert set(found) == {"include/warehouse.yml", "include/segments", "the login of the connection"}
    assert found["include/warehouse.yml"]


def test_settings_that_are_wrong_leave_the_rest(desk):
    desk.run("carts")
    desk.folder.write("include/settings.yml", "ad_accounts: {}\n")
    assert look(desk).accounts == ()
    assert ask_facebook(desk.files(), "main", now=desk.shop.now, look_up=desk.shop.connections.__getitem__) is None


def test_only_the_account_that_is_asked_about_is_asked(desk):
    accounts = "main: {id: act_1001, connection: facebook_main}, other: {id: act_1002, connection: nowhere}"
    desk.folder.write("include/settings.yml", f"ad_accounts: {{{accounts}}}\n")
    desk.write(
        "carts", desk.folder.text("campaigns/carts.yml").replace("name: Carts", "name: Carts\nad_account: main", 1)
    )
    asked = []

    def look_up(name):
        asked.append(name)
        return desk.shop.connections[name]

    assert ask_facebook(desk.files(), "main", now=desk.shop.now, look_up=look_up)
    assert "nowhere" not in asked
    assert ask_facebook(desk.files(), "nobody", now=desk.shop.now, look_up=look_up) is None


def test_a_ledger_that_was_never_used_is_well(desk):
    with EmptyLedger(desk.shop.connections["ledger"]) as empty:
        found = health(desk.files(), empty, now=desk.shop.now, look_up=desk.shop.connections.__getitem__)
    assert (found.without_file, found.in_doubt, found.live, found.notices) == ((), (), (), ())


def test_notices_that_stand_open_are_shown_with_why_they_could_not_be_sent(desk):
    hostile = "no <b> \u202e EAAabcdefghijkl"
    told = notices.put(desk.ledger, failure(subject="carts", name="Carts", reason=hostile), at=desk.shop.now)
    notices.take(desk.ledger, told, at=desk.shop.now)
    why = "by mail, connection `smtp_default`: SMTPDataError"
    notices.put_back(desk.ledger, told, delivered=False, undelivered={"email": why}, at=desk.shop.now)
    (found,) = look(desk).notices
    assert (found.about, found.subject, found.condition, found.title) == ("campaign", "carts", "failed", "Carts failed")
    assert found.reason == "no <b> \N{REPLACEMENT CHARACTER} [secret]"
    assert (found.raised_at, found.told_at, found.undelivered) == (desk.shop.now, None, (why,))
    notices.end_others(desk.ledger, "campaign", "carts", held=(), at=desk.shop.now)
    assert look(desk).notices == ()

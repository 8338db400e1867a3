"""Every call that we make, the SDK's included, as the sandbox received it: no way that Facebook has closed to new apps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from tests.facebook.rows import SCHEMA, rows_of

from audiences.campaign.mark import Mark
from audiences.errors import FacebookAccessError
from audiences.facebook import ad_set_hours, ad_set_targeting, audience_members, custom_audiences, preflight_checks
from audiences.facebook.ad_set_hours import AdSetSchedule, DayPart
from audiences.facebook.audience_members import BatchStep
from audiences.facebook.credentials import Credentials
from audiences.facebook.sdk import GraphApi
from audiences.facebook.session import GraphSession
from audiences.sandbox import ACCOUNT, AD_SETS, APP_ID, APP_SECRET, AUDIENCE, TOKEN, SandboxServer

if TYPE_CHECKING:
    from tests.facebook.scripted import FakeTime

pytestmark = pytest.mark.integration


def _management(graph: GraphSession) -> None:
    mark = Mark("cart", "0123456789ab")
    found = custom_audiences.create(graph, name="Cart", description="To buy", mark=mark)
    custom_audiences.read(graph, found)
    custom_audiences.contents(graph)
    custom_audiences.remark(graph, found, description="New", mark=mark, name="Cart 2")
    for dry_run in (True, False):
        ad_set_targeting.put(graph, AD_SETS[0], found, ad_set_targeting.TargetingList.INCLUDED, dry_run=dry_run)
        ad_set_targeting.put(graph, AD_SETS[0], found, ad_set_targeting.TargetingList.EXCLUDED, dry_run=dry_run)
        ad_set_targeting.put(graph, AD_SETS[0], found, ad_set_targeting.TargetingList.NOWHERE, dry_run=dry_run)
        hours = AdSetSchedule(parts=(DayPart((1, 2), 540, 1080),))
        ad_set_hours.push(graph, AD_SETS[1], hours, now=datetime.now(UTC), dry_run=dry_run)


def _members(graph: GraphSession) -> None:
    audience_members.add(graph, AUDIENCE, SCHEMA, rows_of(4))
    audience_members.remove(graph, AUDIENCE, SCHEMA, rows_of(2))
    for sequence in (1, 2):
        step = BatchStep(7, sequence, last=sequence == 2)
        audience_members.replace(graph, AUDIENCE, SCHEMA, rows_of(2, start=sequence), step=step)
    audience_members.upload_sessions(graph, AUDIENCE)
    audience_members.upload_sessions(graph, AUDIENCE, 7)
    audience_members.remove_from_all(graph, SCHEMA, rows_of(1))


def _preflight(graph: GraphSession) -> None:
    preflight_checks.run(graph, now=datetime.now(UTC), audience_ids=[AUDIENCE])
    graph.get(ACCOUNT, {"fields": "timezone_name"})


CALLS = {
    "GET account",
    "GET account/customaudiences",
    "GET adset",
    "GET audience",
    "GET audience/sessions",
    "GET debug_token",
    "GET me/permissions",
    "POST account/customaudiences",
    "POST adset",
    "POST audience",
    "POST audience/users",
    "POST audience/usersreplace",
    "DELETE account/usersofanyaudience",
    "DELETE audience/users",
}


@pytest.mark.parametrize("version", ["v26.0", "v27.0"])
def test_no_request_goes_a_way_that_is_closed_to_new_apps(sandbox: SandboxServer, time: FakeTime, version: str) -> None:
    credentials = Credentials(TOKEN, APP_ID, APP_SECRET, ACCOUNT, sandbox.url, version)
    with GraphSession(credentials, sleep=time.sleep, clock=time.clock) as graph:
        for calls in (_management, _members, _preflight):
            calls(graph)
    sent = sandbox.admin.requests()
    assert {entry["call"] for entry in sent} == CALLS
    assert [entry for entry in sent if entry["retired"]] == []
    for entry in sent:
        assert "method" not in entry["params"], entry
        assert entry["http_method"] == entry["method"] == entry["call"].split()[0]
        assert not entry["token_in_url"]
        assert not {"access_token", "input_token"}.intersection(entry["params"])
        assert entry["version"] == version
    # Facebook answers debug_token without the token in the address with 100, and everything else as asked.
    assert {entry["call"] for entry in sent if entry["code"]} == {"GET debug_token"}


@pytest.mark.parametrize("name", ["method", "ids", "date_format", "callback"])
def test_a_parameter_of_the_closed_ways_never_leaves(
    sandbox: SandboxServer, sandboxed: GraphSession, name: str
) -> None:
    with pytest.raises(ValueError, match=f"no longer takes {name}"):
        sandboxed.get("me", {name: "delete"})
    with pytest.raises(ValueError, match=f"no longer takes {name}"):
        sandboxed.call("POST", "me", body={name: "delete"}, action="try")
    with pytest.raises(ValueError, match=f"no longer takes {name}"):
        AdAccount(ACCOUNT, api=GraphApi(sandboxed)).api_update(params={name: "x"})
    assert sandbox.admin.requests() == []


def test_an_ended_version_met_in_a_call_says_what_to_set(sandbox: SandboxServer) -> None:
    old = Credentials(TOKEN, APP_ID, APP_SECRET, ACCOUNT, sandbox.url, "v24.0")
    with GraphSession(old) as graph, pytest.raises(FacebookAccessError, match=r"has ended.*`api_version`.*v26\.0"):
        audience_members.add(graph, AUDIENCE, SCHEMA, rows_of(1))


def test_the_end_of_a_version_is_told_ahead_of_it_and_stops_everything_after(sandbox: SandboxServer) -> None:
    old = Credentials(TOKEN, APP_ID, APP_SECRET, ACCOUNT, sandbox.url, "v25.0")
    last = datetime(2027, 2, 22, 23, 59, tzinfo=UTC)
    with GraphSession(old) as graph:
        first, *others = preflight_checks.run(graph, now=last)
        assert first.state.value == "warn"
        assert first.found == "v25.0, which ends for the Marketing API on 23 February 2027, in 1 day"
        assert others
        before = len(sandbox.admin.requests())
        (only,) = preflight_checks.run(graph, now=last + timedelta(minutes=1))
        assert (only.state.value, "ended for the Marketing API on 23 February 2027" in only.found) == ("fail", True)
        assert "v26.0" in only.remedy
        assert len(sandbox.admin.requests()) == before

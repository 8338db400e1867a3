from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audiences.errors import FacebookAccessError
from audiences.pipeline.steps.preflight import PreflightError
from audiences.sandbox import ACCOUNT, AUDIENCE, TOKEN

pytestmark = pytest.mark.integration
BUYERS = {"audience": {"update": {"id": AUDIENCE, "action": "mirror"}}}


@pytest.fixture(autouse=True)
def cart(shop):
    shop.at_the_real_time()
    shop.user(1, "one@example.com")
    shop.event(1)


def asked(shop) -> list[str]:
    """The preflight's requests so far."""
    paths = [entry["path"].rsplit("/", 1)[-1] for entry in shop.sandbox.admin.requests()]
    return [path for path in paths if path in ("debug_token", "permissions")]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (("put_token", {"token": TOKEN, "expires_in_seconds": -60}), "has expired.* Make a new token"),
        (("put_token", {"token": TOKEN, "scopes": ["ads_read"]}), "ads_management is missing. Make a new token"),
        (
            ("put_account", {"id": ACCOUNT, "tos_accepted": False}),
            "not accepted. A person .* https://business.facebook",
        ),
    ],
)
def test_what_a_person_must_put_right_ends_the_run_before_anybody_is_looked_for(shop, trouble, words):
    endpoint, change = trouble
    getattr(shop.sandbox.admin, endpoint)(**change)
    shop.sql("drop table events")  # the extraction would fail on this
    with pytest.raises(PreflightError, match=words):
        shop.run(shop.campaign())
    ((state, error),) = shop.sql("select state, error from audiences.run", on="ledger")
    assert (state, "nothing was looked for or sent" in error) == ("failed", True)
    assert shop.uploads() == []


def test_a_token_that_expires_soon_is_a_warning_of_every_run_until_then(shop):
    shop.sandbox.admin.settings(debug_token_of_own=True)
    shop.sandbox.admin.put_token(token=TOKEN, expires_in_seconds=3 * 86400)
    for _ in range(2):
        summary = shop.run(shop.campaign())
        assert summary.state == "success"
        (warning,) = summary.warnings
        assert warning.startswith("access token: valid, expires on")
        assert "warning: access token" in summary.in_words()


def test_the_day_noted_in_the_connection_is_warned_of_where_facebook_does_not_tell(shop):
    day = shop.now.date() + timedelta(days=3)
    shop.connections["facebook_main"].extra["token_expires"] = day.isoformat()
    (warning,) = shop.run(shop.campaign()).warnings
    assert warning.startswith(
        f"access token: accepted; expires on {day:%d %B %Y}, says the connection. Make a new token"
    )


def test_without_either_a_run_has_nothing_to_say_about_the_token(shop):
    assert shop.run(shop.campaign()).warnings == ()


def test_a_version_that_ended_stops_the_run_and_names_the_one_to_set(shop):
    shop.connections["facebook_main"].extra["api_version"] = "v24.0"
    with pytest.raises(
        PreflightError, match=r"v24\.0, which ended .* on 10 November 2026\. Set `api_version` .* to v26\.0"
    ):
        shop.run(shop.campaign())
    assert shop.sandbox.admin.requests() == []


def test_a_version_that_will_end_is_a_warning_of_every_run(shop):
    shop.connections["facebook_main"].extra["api_version"] = "v25.0"
    shop.now = shop.noon = datetime(2026, 11, 29, tzinfo=UTC)
    shop.event(1)
    (warning,) = shop.run(shop.campaign()).warnings
    assert warning.startswith("API version: v25.0, which ends for the Marketing API on 23 February 2027, in 86 days.")


def test_no_request_of_a_run_goes_a_way_that_is_closed_to_new_apps(shop):
    shop.run(shop.campaign())
    assert [entry for entry in shop.sandbox.admin.requests() if entry["retired"] or "method" in entry["params"]] == []


def test_a_value_based_audience_takes_no_people_from_a_campaign_and_loses_some(shop):
    shop.sandbox.admin.put_audience(id=AUDIENCE, is_value_based=True)
    with pytest.raises(FacebookAccessError, match="value-based: each member is added with a value"):
        shop.run(shop.campaign(what=BUYERS))
    assert shop.uploads() == []
    out = {"audience": {"update": {"id": AUDIENCE, "action": "remove_matching"}}}
    assert shop.run(shop.campaign(what=out)).state == "success"
    assert [entry["method"] for entry in shop.uploads()] == ["DELETE"]


def test_the_terms_of_a_value_based_audience_are_named_with_their_page(shop):
    shop.sandbox.admin.put_audience(id=AUDIENCE, is_value_based=True)
    shop.sandbox.admin.put_account(id=ACCOUNT, value_tos_accepted=False)
    out = {"audience": {"update": {"id": AUDIENCE, "action": "remove_matching"}}}
    summary = shop.run(shop.campaign(what=out))
    assert (summary.state, summary.outcomes["failed"]) == ("failed", 1)
    assert "https://business.facebook.com/customaudiences/value_based/tos.php?act=1001" in summary.error


def test_facebook_is_asked_once_an_hour(shop):
    shop.run(shop.campaign())
    once = asked(shop)
    assert once == ["debug_token", "permissions"]
    shop.now += timedelta(minutes=59)
    shop.run(shop.campaign())
    assert asked(shop) == once
    shop.now += timedelta(minutes=2)
    shop.run(shop.campaign())
    assert asked(shop) == once * 2


def test_a_preflight_that_facebook_did_not_answer_stops_nothing_and_is_asked_again(shop):
    shop.sandbox.admin.add_fault("transient_2", path="*permissions", times=None)
    assert shop.run(shop.campaign()).warnings == ()
    shop.sandbox.admin.clear_faults()
    before = len(asked(shop))
    shop.run(shop.campaign())
    assert len(asked(shop)) == before + 2


@pytest.mark.parametrize(("code", "warns"), [(200, False), (411, True), (450, True), (441, False)])
def test_the_audiences_own_status_is_told(shop, code, warns):
    shop.sandbox.admin.put_audience(id=AUDIENCE, operation_status=code)
    summary = shop.run(shop.campaign(what=BUYERS))
    assert [warning.startswith(f"audience {AUDIENCE}: ") for warning in summary.warnings] == [True] * warns


def test_a_flagged_audience_ends_the_run_at_once(shop):
    shop.sandbox.admin.put_audience(id=AUDIENCE, operation_status=471)
    with pytest.raises(Exception, match="flagged by Facebook's rules"):
        shop.run(shop.campaign(what=BUYERS))
    assert shop.uploads() == []

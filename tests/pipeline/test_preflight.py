from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audiences.pipeline.preflight import PreflightError
from audiences.sandbox import ACCOUNT, AUDIENCE, TOKEN

pytestmark = pytest.mark.integration
BUYERS = {"audience": {"update": {"id": AUDIENCE, "action": "mirror"}}}


@pytest.fixture(autouse=True)
def cart(shop):
    shop.now = datetime.now(UTC)  # the sandbox's tokens expire by its own clock
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
    shop.sandbox.admin.put_token(token=TOKEN, expires_in_seconds=3 * 86400)
    for _ in range(2):
        summary = shop.run(shop.campaign())
        assert summary.state == "success"
        (warning,) = summary.warnings
        assert warning.startswith("access token: valid, expires on")
        assert "warning: access token" in summary.in_words()


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

"""A throttled ad account is left alone by everybody until the stated time; other accounts go on; requests at once are few."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from audiences.errors import ThrottledError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign
from audiences.pipeline.steps.open_run import open_run

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("small_requests")]
# One request at a time: those under way when an account is blocked cannot be called back.
SINGLE = {"id": "act_1001", "connection": "facebook_main", "requests_at_once": 1}


@pytest.fixture
def users(shop):
    shop.sql("insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(1, 100) i")
    shop.sql(
        "insert into events (user_id, name, occurred_at)"
        " select id, 'Added To Cart', timestamptz '2026-11-23 00:00 UTC' from users"
    )
    return {shop.row_of(f"user{number}@example.com", None) for number in range(1, 101)}


def usage(shop, account="act_1001"):
    accounts = shop.sandbox.admin.state(members=False, requests=False)["accounts"]
    return next(each["usage"] for each in accounts if each["id"] == account)


def test_while_an_account_is_blocked_no_process_calls_it_and_other_accounts_go_on(shop, users):
    shop.sandbox.admin.put_account(id="act_1002")
    mine, same, other = (
        shop.campaign("mine", account=SINGLE),
        shop.campaign("same", account=SINGLE),
        shop.campaign("other", account={**SINGLE, "id": "act_1002"}),
    )
    shop.sandbox.admin.add_fault("throttle", path="*/users", after=3, minutes=2, block=True)
    meanwhile = []

    def wait(seconds):
        if not meanwhile:
            before = usage(shop)["calls_last_hour"]
            with shop.resources(same) as resources, pytest.raises(ThrottledError) as caught:
                open_run(resources, RunRequest(external_id="meanwhile", at=shop.noon))
            assert usage(shop)["calls_last_hour"] == before
            meanwhile.append((caught.value.seconds, shop.run(other)))
        shop.wait(seconds)

    with shop.resources(mine) as resources:
        summary = run_campaign(resources, RunRequest(external_id="mine", at=shop.noon), sleep=wait)
    ((left, elsewhere),) = meanwhile
    assert 100 < left <= 120
    assert shop.members(elsewhere.audience.id) == shop.members(summary.audience.id) == users
    assert usage(shop)["calls_while_blocked"] == 0


def test_a_quota_that_is_used_up_by_a_good_answer_stops_everybody_too(shop, users):
    shop.sandbox.admin.put_account(id="act_1001", quota=8)
    summary = shop.run(shop.campaign(account=SINGLE))
    assert shop.members(summary.audience.id) == users
    assert usage(shop)["calls_while_blocked"] == 0
    assert shop.waited


def test_several_uploads_share_the_requests_at_once_of_their_account(shop, users):
    specs = [shop.campaign(name, account={**SINGLE, "requests_at_once": 3}) for name in ("one", "two", "three")]
    shop.sandbox.admin.settings(latency_ms=40)
    with ThreadPoolExecutor(3) as pool:
        summaries = list(pool.map(shop.run, specs))
    assert [shop.members(summary.audience.id) for summary in summaries] == [users] * 3
    assert usage(shop)["concurrency_peak"] == 3

"""Quotas and their headers, by a clock that the test holds."""

from __future__ import annotations

import json

import pytest

from audiences.sandbox.graph.error_table import GraphError
from audiences.sandbox.objects import Account, ServerSettings
from audiences.sandbox.quotas import Quotas, SlidingSum

SETTINGS = ServerSettings()


def call(usage, account, times=1, *, now=0.0, settings=SETTINGS, write=True):
    for _ in range(times):
        error = usage.admit(account, settings, audiences=1, write=write, now=now)
        if error is not None:
            raise error


def entry(usage, account, now=0.0):
    headers = usage.headers(account, SETTINGS, audiences=1, now=now, error=None)
    return json.loads(headers["x-business-use-case-usage"])[account.number][0]


def test_a_sliding_sum_forgets_what_is_older_than_its_span():
    total = SlidingSum(3600)
    total.add(0, 5)
    total.add(1800, 3)
    assert [total.total(now) for now in (1800, 3599, 3600, 5400)] == [8, 8, 3, 0]


def test_a_sliding_sum_knows_when_it_will_be_low_enough():
    total = SlidingSum(3600)
    total.add(0, 5)
    total.add(1800, 3)
    assert total.seconds_until(8, 1800) == 0
    assert total.seconds_until(3, 1800) == 1800
    assert total.seconds_until(2, 1800) == 3600
    assert total.seconds_until(-1, 1800) == 3600


def test_the_percentage_rises_with_each_call_by_the_quota_of_the_tier():
    usage, full, limited = Quotas(), Account("act_1"), Account("act_2", tier="limited")
    call(usage, full, 50)
    call(usage, limited, 504)
    assert entry(usage, full)["call_count"] == 0
    assert entry(usage, limited)["call_count"] == 10


def test_the_quota_grows_with_the_audiences_up_to_its_cap():
    usage, account = Quotas(), Account("act_1", tier="limited")
    call(usage, account, 100)
    assert usage.percent(account, audiences=0, now=0) == 100 * 100 / 5_000
    assert usage.percent(account, audiences=125, now=0) == 100 * 100 / 10_000
    assert usage.percent(account, audiences=10**6, now=0) == 100 * 100 / 700_000


def test_a_full_quota_blocks_with_the_minutes_until_it_is_free_again():
    usage, account = Quotas(), Account("act_1", quota=10)
    call(usage, account, 10)
    assert entry(usage, account)["call_count"] == 100
    with pytest.raises(GraphError) as blocked:
        call(usage, account, now=600)
    assert (blocked.value.code, blocked.value.regain_minutes) == (80003, 50)
    assert usage.of(account.id).while_blocked == 1
    call(usage, account, now=3600 + 60)


def test_calls_while_blocked_make_the_block_longer():
    usage, account = Quotas(), Account("act_1", quota=10)
    call(usage, account, 10)
    for now in range(600, 600 + 10):
        with pytest.raises(GraphError):
            call(usage, account, now=now)
    assert usage.regain_minutes(account, audiences=1, now=3600) == 10


def test_the_accounts_score_blocks_only_when_that_is_switched_on():
    usage, account = Quotas(), Account("act_1", tier="limited")
    call(usage, account, 30, settings=ServerSettings())
    with pytest.raises(GraphError) as blocked:
        call(usage, account, settings=ServerSettings(enforce_score=True))
    assert blocked.value.code == 17
    header = json.loads(usage.headers(account, SETTINGS, audiences=1, now=0, error=None)["x-ad-account-usage"])
    assert header == {"acc_id_util_pct": 100.0, "reset_time_duration": 300, "ads_api_access_tier": "development_access"}


def test_reads_weigh_a_third_of_writes():
    usage, account = Quotas(), Account("act_1")
    call(usage, account, write=False)
    call(usage, account, write=True)
    assert usage.of(account.id).score.total(0) == 4


def test_the_apps_own_quota_answers_with_error_4():
    usage = Quotas()
    with pytest.raises(GraphError) as blocked:
        call(usage, None, 3, settings=ServerSettings(app_quota=2))
    assert blocked.value.code == 4


def test_calls_without_an_account_have_the_headers_of_accounts_empty():
    headers = Quotas().headers(None, SETTINGS, audiences=0, now=0, error=None)
    assert headers["x-business-use-case-usage"] == "{}"
    assert set(headers) == {"x-app-usage", "x-business-use-case-usage", "x-ad-account-usage"}

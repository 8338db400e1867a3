from __future__ import annotations

from datetime import timedelta

import pytest
from tests.ledger.records import NOON, start

from audiences.ledger import ended_campaigns

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


def record(ledger, campaign, *, on_end="empty", error=None):
    ended_campaigns.record(ledger, campaign=campaign, reason="it is stopped", on_end=on_end, error=error, at=NOON)
    return ended_campaigns.find(ledger, campaign)


def test_tries_of_one_end_are_counted_and_another_end_begins_anew(ledger, campaign):
    assert ended_campaigns.find(ledger, campaign) is None
    assert [record(ledger, campaign, error="no").tries for _ in range(2)] == [1, 2]
    done = record(ledger, campaign, on_end="unlink")
    assert (done.tries, done.error, done.on_end) == (1, None, "unlink")
    ended_campaigns.forget(ledger, campaign)
    assert ended_campaigns.find(ledger, campaign) is None


def test_a_file_is_missing_for_good_after_its_time_and_not_before(ledger, campaign, other):
    def missing(at, *present):
        return ended_campaigns.missing(ledger, present, at=at, before=at - DAY)

    assert missing(NOON, "other") == []
    assert missing(NOON + DAY - timedelta(seconds=1), "other") == []
    assert missing(NOON + DAY, "other") == ["abandoned_cart"]
    assert missing(NOON + DAY, "other", "abandoned_cart") == []
    assert missing(NOON + 2 * DAY - timedelta(seconds=1), "other") == [], "it was there in between"


def test_a_campaign_whose_end_was_carried_out_is_not_ended_again_and_one_that_failed_is(ledger, campaign):
    def missing():
        return ended_campaigns.missing(ledger, ["other"], at=NOON + DAY, before=NOON)

    ended_campaigns.missing(ledger, ["other"], at=NOON, before=NOON - DAY)
    record(ledger, campaign, error="no")
    assert missing() == ["abandoned_cart"]
    record(ledger, campaign)
    assert missing() == []


def test_the_last_configuration_is_that_of_the_last_run(ledger, campaign):
    assert ended_campaigns.last_config(ledger, "abandoned_cart") is None
    start(ledger, campaign)
    start(ledger, campaign, "r2")
    ledger.sql.execute("update audiences.run set config = jsonb_build_object('name', external_id)")
    assert ended_campaigns.last_config(ledger, "abandoned_cart") == {"name": "r2"}

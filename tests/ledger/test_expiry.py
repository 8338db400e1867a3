from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest
from tests.ledger.records import NOON, acknowledge, changed, start

from audiences.ledger import expiry

pytestmark = pytest.mark.integration
HOUR = timedelta(hours=1)


def users(table):
    return set(table.column("user_id").to_pylist())


def test_members_expire_at_the_instant_their_time_is_up(ledger, campaign, audience):
    for name, at in {"before": NOON - HOUR, "then": NOON, "later": NOON + HOUR}.items():
        acknowledge(ledger, start(ledger, campaign, name, at=at), audience.id, changed((campaign, name, b"x", True)))
    found = expiry.expiring(ledger, audience=audience.id, campaign=campaign, since=NOON)
    assert users(found) == {"before", "then"}


def test_who_has_left_was_taken_out_or_is_another_campaigns_does_not_expire(ledger, campaign, other, audience):
    run = start(ledger, campaign)
    acknowledge(ledger, run, audience.id, changed((campaign, "left", b"a", True)))
    acknowledge(ledger, run, audience.id, changed((campaign, "out", b"b", True), present=False))
    acknowledge(ledger, start(ledger, other), audience.id, changed((other, "theirs", b"c", True)))
    acknowledge(ledger, start(ledger, campaign, "r2"), audience.id, changed((campaign, "left", b"a", False)))
    assert users(expiry.expiring(ledger, audience=audience.id, campaign=campaign, since=NOON + HOUR)) == set()


def test_the_expired_of_a_campaign_are_replaced_and_those_of_others_stay(ledger, campaign, other, audience):
    def record(of, *names):
        table = pa.table({"user_id": pa.array(names, pa.string())})
        expiry.record(ledger, audience=audience.id, campaign=of, users=table)

    record(campaign, "1", "2")
    record(other, "3")
    record(campaign, "2")
    assert users(expiry.expired(ledger, audience=audience.id, campaign=campaign)) == {"2"}
    record(campaign)
    assert users(expiry.expired(ledger, audience=audience.id, campaign=campaign)) == set()
    assert users(expiry.expired(ledger, audience=audience.id, campaign=other)) == {"3"}

"""Each condition is told once until it is over, whoever raises it how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from audiences.ledger import notices
from audiences.ledger.database import Ledger

pytestmark = pytest.mark.integration
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def claim(ledger, condition="failed", what="", *, subject="carts", at=NOW):
    texts = {"title": "t", "reason": "r", "remedy": "m"}
    return notices.claim(ledger, subject=subject, condition=condition, what=what, **texts, at=at)


def test_what_was_sent_is_not_claimed_again_until_it_is_over(ledger):
    number = claim(ledger)
    notices.sent(ledger, number, at=NOW)
    assert claim(ledger, at=NOW + 600 * MINUTE) is None
    assert claim(ledger, subject="other") is not None
    assert claim(ledger, "stopped") is not None
    assert notices.end_others(ledger, subject="carts", held=(), at=NOW) == ["failed"]  # `stopped` never was sent
    assert claim(ledger) not in (None, number)


def test_what_a_process_took_and_did_not_send_is_taken_by_another_one_after_a_while(ledger):
    number = claim(ledger)
    assert claim(ledger, at=NOW + 4 * MINUTE) is None
    assert claim(ledger, at=NOW + 6 * MINUTE) == number
    assert claim(ledger, at=NOW + 7 * MINUTE) is None


def test_what_still_holds_is_not_ended(ledger):
    for condition, what in (("failed", ""), ("size_changed", "run 1"), ("size_changed", "run 2")):
        notices.sent(ledger, claim(ledger, condition, what), at=NOW)
    assert sorted(notices.end_others(ledger, subject="carts", held=[("size_changed", "run 2")], at=NOW)) == [
        "failed",
        "size_changed",
    ]
    assert claim(ledger, "size_changed", "run 2") is None


def test_of_several_that_raise_it_at_once_one_sends(databases):
    with databases.ledger() as connection:

        def raise_it(_: int) -> int | None:
            with Ledger(connection) as ledger:
                return claim(ledger)

        with ThreadPoolExecutor(8) as pool:
            claimed = [each for each in pool.map(raise_it, range(8)) if each is not None]
    assert len(claimed) == 1

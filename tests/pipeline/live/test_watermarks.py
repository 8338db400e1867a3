from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.when.live.test_watch import campaign

from audiences.ledger.live_campaigns import ReadProgress
from audiences.pipeline.live.watermarks import FIRST_PAUSE, LOOKBACK, LOOKBACK_EVERY, OVERLAP, Horizon, Watched

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def watched(progress: ReadProgress) -> Watched:
    return Watched(campaign(), progress, by_arrival=True)


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2000)), max_size=40),
    st.lists(st.integers(1, 120), min_size=1, max_size=60),
)
def test_every_transaction_is_read_after_its_commit_within_a_minute(transactions, pauses):
    """Transactions write at a second and commit some seconds later; looks take place now and then."""
    written = sorted((first, first + lasting) for first, lasting in transactions)
    progress = ReadProgress(1, NOON, NOON, NOON, NOON, 0, NOON, None)
    second, missing, committed_for = 0, set(range(len(written))), dict.fromkeys(range(len(written)), 0)
    for pause in [*pauses, *([61] * 120)]:
        second += pause
        now = NOON + second * SECOND
        # Numbers are given out in the order of writing; the first open one is that of the first writer not committed yet.
        given_out = sum(first <= second for first, _ in written)
        still_open = [number for number, (first, last) in enumerate(written) if first <= second < last]
        one = watched(progress)
        start = one.start(now)
        for number, (first, last) in enumerate(written):
            if number in missing and last <= second:
                committed_for[number] += pause
                if NOON + first * SECOND >= start:
                    missing.remove(number)
                assert number not in missing or committed_for[number] <= LOOKBACK_EVERY / SECOND + pause
        progress = one.after_reading(now, Horizon(now, min(still_open, default=given_out), given_out))
    assert missing == set()


def test_a_poll_reads_little_and_every_minute_one_has_a_lookback():
    progress = ReadProgress(1, NOON, NOON, NOON, NOON, 5, NOON, None)
    one = watched(progress)
    assert one.start(NOON + 5 * SECOND) == NOON - OVERLAP
    assert one.start(NOON + LOOKBACK_EVERY) == NOON - LOOKBACK


def test_another_server_with_lower_transaction_numbers_is_noticed():
    progress = ReadProgress(1, NOON, NOON, NOON, NOON, 5000, NOON, None)
    now = NOON + LOOKBACK_EVERY
    after = watched(progress).after_reading(now, Horizon(now, 70, 80))
    assert (after.watermark, after.next_watermark, after.next_watermark_xid) == (NOON, now, 80)


@pytest.mark.parametrize("behind", [20, 45])
def test_what_a_replica_shows_late_is_read_when_it_shows_it(behind):
    """For so many minutes it replays nothing, as while a long query holds it up, and looks go on."""
    begin, pause = NOON + 10 * 60 * SECOND, behind * 60
    progress = ReadProgress(1, NOON - HOUR, begin, begin, begin, 100, begin, None)
    for second in range(5, pause, 5):
        now = begin + second * SECOND
        progress = watched(progress).after_reading(now, Horizon(now, 100, 100, now - begin))
    assert watched(progress).start(begin + (pause + 60) * SECOND) <= begin + SECOND, "all of the pause is read again"


@pytest.mark.parametrize(("passed", "back"), [(-SECOND, True), (0 * SECOND, False), (LOOKBACK_EVERY, True)])
def test_a_lookback_is_due_once_its_time_has_come_and_after_the_clock_was_set_back(passed, back):
    progress = ReadProgress(1, NOON - HOUR, NOON, NOON, NOON, 5, NOON, None)
    assert watched(progress).lookback_is_due(NOON + passed) == back
    assert not watched(progress).lookback_is_due(NOON + LOOKBACK_EVERY - SECOND)


def test_a_poll_with_a_lookback_begins_before_the_watermark():
    progress = ReadProgress(1, NOON - HOUR, NOON, NOON - 2 * HOUR, NOON, 5, NOON, None)
    assert watched(progress).start(NOON + LOOKBACK_EVERY) == NOON - 2 * HOUR - LOOKBACK


@pytest.mark.parametrize(("first_open", "settled"), [(4, False), (5, True), (6, True)])
def test_the_watermark_moves_on_once_the_first_open_transaction_is_not_below_the_next_one(first_open, settled):
    progress = ReadProgress(1, NOON - HOUR, NOON, NOON - HOUR, NOON, 5, NOON, None)
    now = NOON + LOOKBACK_EVERY
    after = watched(progress).after_reading(now, Horizon(now, first_open, 9))
    expected = (NOON, now, 9) if settled else (NOON - HOUR, NOON, 5)
    assert (after.watermark, after.next_watermark, after.next_watermark_xid) == expected
    assert (after.read_to, after.lookback_at) == (now, now)


def test_a_poll_without_a_lookback_leaves_the_watermark():
    progress = ReadProgress(1, NOON - HOUR, NOON, NOON - HOUR, NOON, 5, NOON, None)
    now = NOON + SECOND
    after = watched(progress).after_reading(now, Horizon(now, 8, 9))
    assert after == replace(progress, read_to=now)


@pytest.mark.parametrize(("idle", "seconds"), [(True, 0), (False, None)])
def test_a_campaign_that_failed_is_left_alone_for_a_while_and_longer_by_a_busy_poll(idle, seconds):
    failed = ReadProgress(1, NOON - HOUR, NOON, NOON, NOON, 5, NOON, NOON)
    extra = timedelta() if seconds == 0 else FIRST_PAUSE
    one = watched(failed)
    assert not one.tried_again(NOON + FIRST_PAUSE + extra - SECOND, idle=idle)
    assert one.tried_again(NOON + FIRST_PAUSE + extra, idle=idle)
    assert not watched(replace(failed, error_at=None)).tried_again(NOON + HOUR, idle=idle)

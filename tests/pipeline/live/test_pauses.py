"""For how long a batch is left alone after a failure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from audiences.errors import RetryError, WaitError
from audiences.ledger.live_batches import Batch
from audiences.pipeline.live.run_batch import LONGEST_PAUSE, _pause

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def batch(tries):
    return Batch(1, "carts", NOON, 1, 1, NOON, NOON, NOON, "open", tries)


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 30), (1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (11, 3600), (10_000, 3600)]
)
@pytest.mark.parametrize("error", [None, RetryError()])
def test_each_failure_makes_the_next_pause_twice_as_long_up_to_an_hour(tries, seconds, error):
    assert _pause(error, batch(tries)) == timedelta(seconds=seconds) <= LONGEST_PAUSE


def test_a_stated_wait_is_kept_whatever_was_tried():
    assert _pause(WaitError(what="Facebook is busy", seconds=12.5), batch(9)) == timedelta(seconds=12.5)

"""Assignments that are recorded while they are made: all of them or none, and whoever makes them never waits for good."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pyarrow as pa
import pytest

from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.assigning import as_targets, assigning
from audiences.pipeline.steps.open_run import open_run

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration


def batches(count: int):
    for number in range(count):
        yield as_targets(pa.array([f"{number:03}-{user:03}" for user in range(100)]))


@pytest.fixture
def opened(shop):
    with shop.resources(shop.campaign()) as resources:
        run = open_run(resources, RunRequest(external_id="one", at=shop.now))
        yield resources.ledger, run


def on_record(shop):
    ((count,),) = shop.sql("select count(*) from audiences.assignment", on="ledger")
    return count


def name(opened, count: int, after: Callable[[int], object]):
    """Name so many batches of users, and do something after each."""
    ledger, run = opened
    with assigning(ledger, campaign=run.campaign, run=run.run) as assign:
        for number, batch in enumerate(batches(count)):
            assign(batch)
            after(number)


def test_all_are_on_record_once_the_last_one_was_named(shop, opened):
    name(opened, 20, lambda _: None)
    assert on_record(shop) == 2000


def test_when_naming_them_breaks_off_nobody_is_on_record_and_the_next_try_records_all(shop, opened):
    with pytest.raises(ZeroDivisionError):
        name(opened, 8, lambda number: 1 / (7 - number))
    assert on_record(shop) == 0
    name(opened, 1, lambda _: None)
    assert on_record(shop) == 100


def test_a_ledger_that_fails_meanwhile_is_told_and_nobody_waits_for_it(shop, opened):
    waiting = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'"
    with psycopg.connect(opened[0].connection.dsn(application="other")) as other:
        other.execute("lock table audiences.assignment in exclusive mode")

        def end_its_session(number: int) -> None:
            while number == 2 and not shop.sql(waiting, on="ledger"):
                time.sleep(0.01)

        with pytest.raises(Exception, match=r"terminat|connection"):
            name(opened, 20, end_its_session)
    assert on_record(shop) == 0

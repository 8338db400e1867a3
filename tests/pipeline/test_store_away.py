"""An object store that goes away in each step of a run: the step is done again, nothing is lost and nothing sent twice."""

from __future__ import annotations

import threading
import time

import pytest

from audiences.object_store import Folder
from audiences.pipeline import run
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import attempt, summary_of

STEPS = ("extract", "select", "plan", "export", "close_run")
IN_ORDER = ("extract", "select", "plan", "export remove", "export add", "close_run")

pytestmark = pytest.mark.integration


@pytest.fixture
def shop(shop, s3):
    """Three members in an audience whose rows were staged in the store; then one leaves and one comes."""
    shop.root = f"s3://{s3.bucket()}/audiences"
    for number in (1, 2, 3, 4):
        shop.user(number, f"user{number}@example.com")
    for number in (1, 2, 3):
        shop.event(number)
    first = shop.run(carts(shop))
    assert (first.state, first.audience.members) == ("success", 3)
    shop.event(4)
    shop.sql("delete from events where user_id = 1")
    return shop


def carts(shop):
    guards = {"max_removal": 100}
    return shop.campaign(what={"audience": {"create": {"name": "carts"}}, "guards": guards}, staging=shop.root)


def is_right(shop, summary):
    assert (summary.state, summary.audience.members) == ("success", 3), summary.error
    expected = {shop.row_of(f"user{number}@example.com", None) for number in (2, 3, 4)}
    assert shop.members(summary.audience.id) == expected
    (sent,) = shop.sql("select count(*) from audiences.chunk where state = 'acknowledged'", on="ledger")
    assert sent == (3,)  # one of the first run, a removal and an addition of this one


def going_away(monkeypatch, s3, come_back):
    """Take the store away before the first try of every step; `come_back` is told of each."""
    gone = []

    def wrapped(step, real):
        def once(*arguments, **named):
            key = f"{step} {arguments[2]}" if step == "export" else step
            if key not in gone:
                gone.append(key)
                if s3.is_up:
                    s3.stop()
                come_back(key)
            return real(*arguments, **named)

        return once

    for step in STEPS:
        monkeypatch.setattr(run, step, wrapped(step, getattr(run, step)))
    return gone


def test_a_store_that_is_away_at_the_first_try_of_every_step_costs_tries_and_nothing_else(
    shop, s3, monkeypatch, caplog
):
    gone = going_away(monkeypatch, s3, lambda _: None)

    def wait(_):
        if not s3.is_up:
            s3.start()

    monkeypatch.setattr(shop, "wait", wait)
    summary = shop.run(carts(shop))
    is_right(shop, summary)
    assert gone == list(IN_ORDER)
    # The run is over when its users are to be remembered and its rows removed: the next run and the upkeep do without.
    assert "so the next one looks at everybody" in caplog.text
    assert "left to the daily upkeep" in caplog.text
    s3.start()
    assert Folder.of(f"{shop.root}/carts").folders()


def test_a_store_that_refuses_once_the_upload_is_complete_fails_nothing(shop, s3, monkeypatch, caplog):
    real = run.close_run

    def refused(*arguments, **named):
        s3.refuses = lambda _: ("403 Forbidden", "AccessDenied")
        return real(*arguments, **named)

    monkeypatch.setattr(run, "close_run", refused)
    is_right(shop, shop.run(carts(shop)))
    assert "so the next one looks at everybody" in caplog.text
    assert "left to the daily upkeep" in caplog.text


def test_a_store_that_stays_away_ends_the_run_in_words_and_the_next_one_is_right(shop, s3, monkeypatch):
    monkeypatch.setattr(shop, "wait", lambda _: None)
    real = run.plan

    def away(*arguments, **named):
        s3.stop()
        return real(*arguments, **named)

    monkeypatch.setattr(run, "plan", away)
    summary = shop.run(carts(shop))
    assert summary.state == "failed"
    assert "the object store of `staging` cannot be reached" in summary.error
    assert "nothing is lost" in summary.error
    monkeypatch.setattr(run, "plan", real)
    s3.start()
    is_right(shop, shop.run(carts(shop)))


def real_time(shop, spec, *, tries):
    """A run whose waits are real, as Airflow's retry policy has them from the fifth on."""
    with shop.resources(spec) as resources:
        request = RunRequest(external_id="real", at=shop.now)
        return summary_of(attempt(resources, request, sleep=time.sleep, tries=tries))


@pytest.mark.long
@pytest.mark.timeout(900)
def test_twenty_seconds_without_the_store_in_every_step_are_waited_out(shop, s3, monkeypatch):
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    gone = going_away(monkeypatch, s3, lambda _: threading.Timer(20, lambda: s3.is_up or s3.start()).start())
    is_right(shop, real_time(shop, carts(shop), tries=run.TRIES))
    assert len(gone) == len(STEPS) + 1
    time.sleep(20)  # the last timer


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("step", IN_ORDER)
def test_five_minutes_without_the_store_from_the_start_of_any_step_are_waited_out(shop, s3, monkeypatch, step):
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    away = []

    def come_back(current):
        if current == step:
            away.append(time.monotonic())
            threading.Timer(300, s3.start).start()
        else:
            s3.start()

    going_away(monkeypatch, s3, come_back)
    is_right(shop, real_time(shop, carts(shop), tries=12))
    # Once the upload is complete the run does without the store.
    assert s3.is_up == (step != "close_run")
    assert (time.monotonic() - away[0] > 300) == (step != "close_run")
    if step == "close_run":
        time.sleep(max(0.0, 301 - (time.monotonic() - away[0])))  # the timer
    is_right_again(shop)


def is_right_again(shop):
    """The next run finds nothing to do, with the store or what it left there."""
    again = shop.run(carts(shop))
    assert (again.state, again.audience.members, again.requests) == ("success", 3, 0), again.error

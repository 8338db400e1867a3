"""The trigger that waits for live events, in this process."""

from __future__ import annotations

import asyncio
import logging
import os
import time

import pytest
from tests.pipeline.conftest import project, sandbox_server, shop  # noqa: F401  # fixtures
from tests.pipeline.live.conftest import live  # noqa: F401  # the same

from audiences.airflow.polling import Poller, signature
from audiences.airflow.triggers import LiveEventsTrigger
from audiences.when.live.watch import Watch

pytestmark = pytest.mark.integration  # importing Airflow takes a second or two


def test_looks_that_fail_ten_times_in_a_row_end_the_wait(live, tmp_path, caplog, monkeypatch):  # noqa: F811  # a fixture
    live.campaign()
    watch = Watch.of(live.specs.values()).model_dump(mode="json", by_alias=True, exclude_none=True)
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", f"postgresql://nobody@/none?host={tmp_path}")
    trigger = LiveEventsTrigger(watch=watch, project=str(tmp_path), seen=signature(tmp_path), poll_seconds=0)

    async def first():
        return await anext(trigger.run())

    with caplog.at_level(logging.ERROR), pytest.raises(Exception, match="ledger cannot be reached"):
        asyncio.run(first())
    assert len([record for record in caplog.records if "a look for live events failed" in record.message]) == 9


def test_looks_that_failed_before_one_that_did_not_are_forgotten(live, project, tmp_path, caplog, monkeypatch):  # noqa: F811  # fixtures
    live.campaign()
    watch = Watch.of(live.specs.values()).model_dump(mode="json", by_alias=True, exclude_none=True)
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    closed, opened = f"postgresql://nobody@/none?host={tmp_path}", project.environment["AIRFLOW_CONN_LEDGER"]
    trigger = LiveEventsTrigger(watch=watch, project=str(tmp_path), seen=signature(tmp_path), poll_seconds=0)
    polls, poll = [], Poller.poll

    def poll_only_the_tenth_time_with_an_open_ledger(poller):
        polls.append(poller)
        poller.close()
        monkeypatch.setenv("AIRFLOW_CONN_LEDGER", opened if len(polls) == 10 else closed)
        return poll(poller)

    monkeypatch.setattr(Poller, "poll", poll_only_the_tenth_time_with_an_open_ledger)

    async def first():
        return await anext(trigger.run())

    with caplog.at_level(logging.ERROR), pytest.raises(Exception, match="ledger cannot be reached"):
        asyncio.run(first())
    assert len(polls) == 9 + 1 + 10


def test_a_checkout_of_the_triggerers_own_is_watched_from_its_own_times_and_no_path_is_passed(tmp_path, monkeypatch):
    """The worker has the same files at another path, written at another time: the wait must not end at once for that."""
    for number, place in enumerate(("worker", "triggerer")):
        folder = tmp_path / place
        (folder / "campaigns").mkdir(parents=True)
        (folder / "include").mkdir()
        (folder / "campaigns" / "live.yml").write_text("name: live")
        os.utime(folder / "campaigns" / "live.yml", (number, number))
    monkeypatch.setenv("AUDIENCES_PROJECT", str(tmp_path / "triggerer"))
    waiting = LiveEventsTrigger(
        watch=None, seen=signature(tmp_path / "worker"), poll_seconds=0.01, roll_over_seconds=0.5
    )
    _, arguments = waiting.serialize()
    assert str(tmp_path) not in repr(arguments)
    polls, poll = [], Poller.poll

    def counted(poller):
        polls.append(poller)
        if len(polls) == 5:
            (tmp_path / "triggerer" / "campaigns" / "live.yml").write_text("name: changed")
        return poll(poller)

    monkeypatch.setattr(Poller, "poll", counted)

    async def first():
        return await anext(LiveEventsTrigger(**arguments).run())

    assert asyncio.run(first()).payload["batches"] == []
    assert len(polls) == 5, "up to the change, which is seen here"


def test_the_first_look_waits_until_airflow_knows_that_the_deferred_process_has_ended(tmp_path, monkeypatch):
    """Else the task that is resumed is taken for one that was killed."""
    looks, begun = [], time.monotonic()
    monkeypatch.setattr(Poller, "poll", lambda _: looks.append(time.monotonic() - begun) or {"batches": []})
    waiting = LiveEventsTrigger(
        watch=None,
        seen="",
        project=str(tmp_path / "none"),
        poll_seconds=0.01,
        first_poll_seconds=0.3,
        roll_over_seconds=0.4,
    )
    again = LiveEventsTrigger(**waiting.serialize()[1])

    async def first():
        return await anext(again.run())

    asyncio.run(first())
    assert looks[0] >= 0.3
    assert len(looks) > 2


@pytest.mark.parametrize("setting", ["CORE__PARALLELISM", "CELERY__WORKER_CONCURRENCY"])
def test_a_task_that_may_be_the_only_one_does_not_keep_its_place_from_the_runs_it_opens(monkeypatch, setting):
    from audiences.airflow.sensors import may_be_the_only_one

    assert not may_be_the_only_one()
    monkeypatch.setenv(f"AIRFLOW__{setting}", "1")
    assert may_be_the_only_one()

"""What is sent is what the rules say now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.errors import StoppedError
from audiences.pipeline.preconditions.as_of import ON_TIME, as_of
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload.export import export

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


@pytest.fixture
def cart(shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    return shop


@pytest.mark.parametrize(
    ("late", "as_of_its_time"),
    [
        (timedelta(), True),
        (ON_TIME, True),
        (-timedelta(seconds=3), True),
        (ON_TIME + timedelta(seconds=1), False),
        (21 * DAY, False),
    ],
)
def test_a_scheduled_run_looks_as_of_its_time_when_it_is_on_time_and_else_as_of_now(shop, late, as_of_its_time):
    due = shop.now - late
    with shop.resources(shop.campaign()) as resources:
        assert as_of(resources, due) == (due if as_of_its_time else shop.now)
        assert as_of(resources, None) == shop.now


@pytest.mark.parametrize("off", [-21 * DAY, -timedelta(minutes=11), timedelta(minutes=11), DAY])
@pytest.mark.usefixtures("cart")
def test_a_run_as_of_another_time_is_stopped_before_anything_is_asked(shop, off):
    with shop.resources(shop.campaign()) as resources, pytest.raises(StoppedError, match="--dry-run") as caught:
        run_campaign(resources, RunRequest(external_id="another time", at=shop.now + off))
    assert caught.value.guard == "past"
    assert shop.sandbox.admin.requests() == []
    assert not shop.sql("select to_regclass('audiences.run')", on="ledger")[0][0] or shop.sql(
        "select count(*) from audiences.run", on="ledger"
    ) == [(0,)]


def assigned(shop):
    rows = shop.sql("select as_of, assigned_at from audiences.run order by id", on="ledger")
    return [tuple(moment.astimezone(shop.noon.tzinfo) for moment in row) for row in rows]


@pytest.mark.usefixtures("cart")
def test_a_run_that_was_allowed_to_looks_as_of_its_time_and_assigns_now(shop):
    shop.event(1, ago=-2 * DAY)  # after the time that is looked at
    with shop.resources(shop.campaign()) as resources:
        then = shop.now - timedelta(hours=30)
        request = RunRequest(external_id="rehearsal", at=then, allow=frozenset({"past", "allow_empty"}))
        summary = run_campaign(resources, request)
    assert (summary.outcomes["qualified"], assigned(shop)) == (0, [(then, shop.now)])


@pytest.mark.usefixtures("cart")
def test_a_run_that_had_to_wait_before_it_began_looks_as_of_when_it_begins(shop):
    shop.sandbox.admin.add_fault("throttle", times=3, minutes=5)
    summary = shop.run(shop.campaign())
    assert sum(shop.waited) > ON_TIME.total_seconds()
    assert summary.at == shop.now != shop.noon


@pytest.mark.usefixtures("cart")
def test_keep_for_counts_from_when_a_run_added_by_the_clock(shop):
    spec = shop.campaign(who={"did": {"event": "Added To Cart", "within": "ever"}}, what={"keep_for": "30 days"})
    with shop.resources(spec) as resources:
        run_campaign(
            resources, RunRequest(external_id="r", at=shop.now - timedelta(hours=20), allow=frozenset({"past"}))
        )
    assert shop.run(spec, at=shop.noon + 30 * DAY - timedelta(hours=10)).outcomes["removed"] == 0
    assert shop.run(spec, at=shop.noon + 30 * DAY).outcomes["removed"] == 1


@pytest.mark.usefixtures("cart")
def test_a_run_that_had_ended_and_is_cleared_is_a_run_of_its_own(shop):
    spec = shop.campaign(who={"did": {"event": "Added To Cart", "within": "last 30 days"}})
    first = cleared(shop, spec)
    shop.now += 21 * DAY
    shop.user(2, "two@example.com")
    shop.sql("insert into events (user_id, name, occurred_at) values (2, 'Added To Cart', %s)", shop.now - DAY)
    second = cleared(shop, spec)
    assert (second.outcomes["added"], second.outcomes["kept"], second.run != first.run) == (1, 1, True)
    assert assigned(shop) == [(shop.noon, shop.noon), (shop.now, shop.now)]
    by_run = "select run_id, user_id from audiences.assignment order by 1"
    assert shop.sql(by_run, on="ledger") == [(first.run, "1"), (second.run, "2")]
    assert shop.sql("select count(distinct due) from audiences.run", on="ledger") == [(1,)]


def cleared(shop, spec):
    """The run of one time of the schedule, as often as somebody clears it."""
    with shop.resources(spec) as resources:
        request = RunRequest(external_id="scheduled__1", at=as_of(resources, shop.noon), due=shop.noon, again=True)
        return run_campaign(resources, request)


@pytest.mark.usefixtures("cart")
def test_when_only_the_last_tasks_of_a_run_are_cleared_nothing_is_sent_and_it_says_to_clear_all_of_it(shop):
    spec = shop.campaign()
    with shop.resources(spec) as resources:
        request = RunRequest(external_id="scheduled__1", at=shop.now, due=shop.noon, again=True)
        run = open_run(resources, request)
        extracted = extract(resources, run)
        planned = plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        export(resources, run, "add", planned.add_tasks[0])
        assert close_run(resources, run, planned).state == "success"
        sent = len(shop.uploads())
        again = open_run(resources, request)  # the setup, which Airflow clears with any task after it
        export(resources, again, "remove")
        export(resources, again, "add", planned.add_tasks[0])
        summary = close_run(resources, again, planned)
    assert (summary.state, len(shop.uploads())) == ("failed", sent)
    assert "Clear the whole run" in (summary.error or "")


@pytest.mark.usefixtures("cart")
def test_a_run_that_died_is_taken_up_again_as_the_same_one(shop):
    spec = shop.campaign()
    with shop.resources(spec) as resources:
        request = RunRequest(external_id="scheduled__1", at=shop.now, due=shop.noon)
        died = open_run(resources, request)
        assert open_run(resources, request.model_copy(update={"again": True})).run == died.run

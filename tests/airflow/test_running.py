from __future__ import annotations

import pytest
from tests.pipeline.conftest import sha256

from audiences.sandbox import AD_SETS

pytestmark = pytest.mark.e2e


def test_a_campaign_runs_through_airflow_and_the_audience_is_right(connected, shop):
    for number in range(1, 30):
        shop.user(number, f"user{number}@example.com", opted_out=number % 10 == 0)
        shop.event(number)
    connected.campaign("carts")
    said = connected.airflow("dags", "test", "carts")
    states = shop.sql("select state, outcomes ->> 'added', error from audiences.run", on="ledger")
    assert states == [("success", "27", None)], said[-6000:]
    (audience,) = shop.sql("select facebook_id from audiences.audience", on="ledger")[0]
    expected = {shop.row_of(f"user{number}@example.com", None) for number in range(1, 30) if number % 10}
    assert shop.members(audience) == expected
    assert "@example.com" not in said
    # A small campaign is three tasks, and what each step took is on record, with how long each task waited.
    done = connected.rows("select task_id from task_instance where state = 'success' order by start_date")
    assert done == [("open_run",), ("extract",), ("close_run",)]
    left = connected.rows("select distinct task_id from task_instance where state = 'skipped' order by task_id")
    assert left == [("add",), ("plan",), ("remove",), ("remove_late",), ("select",)]
    ((timings,),) = shop.sql("select timings from audiences.run", on="ledger")
    tasks, others = ("open_run", "extract", "close_run"), ("select", "plan", "remove", "add", "remove_late")
    assert set(timings) == {*tasks, *others, *(f"{task}_queued" for task in tasks)}
    assert timings["extract"] > 0


def test_a_guard_fails_the_dag_run_without_a_retry_and_says_how_to_go_on(connected, shop):
    connected.campaign("carts")
    said = connected.airflow("dags", "test", "carts")
    assert "--allow allow_empty" in said
    assert shop.sql("select state from audiences.run", on="ledger") == [("stopped",)], said[-6000:]
    assert shop.uploads() == []


def test_a_dry_run_counts_and_sends_nothing(connected, shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    connected.campaign("carts")
    said = connected.airflow("dags", "test", "carts", "--conf", '{"dry_run": true}')
    assert "would add 1 row" in said, said[-6000:]
    # It asks Facebook whose the audience is, and no more.
    assert {entry["method"] for entry in shop.sandbox.admin.requests()} == {"GET"}


def test_a_full_refresh_goes_through_airflow_as_one_replace(connected, shop):
    for number in range(1, 4):
        shop.user(number, f"user{number}@example.com")
        shop.event(number)
    connected.campaign("carts")
    said = connected.airflow("dags", "test", "carts", "--conf", '{"full_refresh": true}')
    states = shop.sql("select state, outcomes ->> 'added', error from audiences.run", on="ledger")
    assert states == [("success", "3", None)], said[-6000:]
    paths = [entry["path"].rpartition("/")[2] for entry in shop.sandbox.admin.requests() if entry["rows"]]
    assert paths == ["usersreplace"]


def test_changed_identifiers_go_through_airflow_with_additions_before_removals(connected, shop):
    for number in range(1, 4):
        shop.user(number, f"user{number}@example.com", f"+1415555000{number}")
        shop.event(number)
    connected.campaign("carts", what=", identifiers: [email]", tasks="by_step")
    connected.airflow("dags", "test", "carts")
    connected.campaign("carts", what=", identifiers: [email, phone]", tasks="by_step")
    said = connected.airflow("dags", "test", "carts")
    counts = "state, outcomes ->> 'added', outcomes ->> 'kept', outcomes ->> 'removed'"
    states = shop.sql(f"select {counts} from audiences.run order by id", on="ledger")
    # Whoever is a member under other identifiers now was kept, and re-keyed.
    assert states == [("success", "3", "0", "0"), ("success", "0", "3", "0")], said[-6000:]
    assert [entry["method"] for entry in shop.uploads()] == ["POST", "POST", "DELETE"]
    # Where nothing is to be removed late, no task begins for it.
    tasks = "select state, try_number from task_instance where task_id = 'remove_late' order by start_date"
    assert connected.rows(tasks) == [("skipped", 0), ("success", 1)]
    assert connected.rows("select distinct state from dag_run") == [("success",)]


def test_a_throttled_upload_gives_its_worker_back_and_no_call_is_made_until_the_stated_time(connected, shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    shop.sandbox.admin.add_fault("throttle", path="*/users", minutes=1, block=True)
    connected.campaign("carts")
    said = connected.airflow("dags", "test", "carts")
    states = shop.sql("select state, outcomes ->> 'added', error from audiences.run", on="ledger")
    assert states == [("success", "1", None)], said[-6000:]
    # The first try ended there and then: a try that sleeps would have been the only one.
    assert connected.rows("select state, try_number from task_instance where task_id = 'extract'") == [("success", 2)]
    assert shop.sandbox.admin.state(members=False)["accounts"][0]["usage"]["calls_while_blocked"] == 0


def test_ad_sets_are_linked_after_the_upload_and_a_dry_run_only_asks(connected, shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    connected.campaign("carts", what=f', ad_sets: ["{AD_SETS[0]}"]')
    said = connected.airflow("dags", "test", "carts", "--conf", '{"dry_run": true}')
    assert "the audience would be included once it is created" in said, said[-6000:]
    done = connected.rows("select task_id from task_instance where state = 'success'")
    assert done == [("open_run",)]
    said = connected.airflow("dags", "test", "carts")
    ((state, audience),) = shop.sql(
        "select r.state, a.facebook_id from audiences.run r join audiences.audience a on a.id = r.audience_id",
        on="ledger",
    )
    assert state == "success", said[-6000:]
    found = next(one for one in shop.sandbox.admin.state(members=False)["ad_sets"] if one["id"] == AD_SETS[0])
    assert found["targeting"]["custom_audiences"] == [{"id": audience}]


def test_an_ad_set_that_cannot_be_linked_fails_the_dag_run_and_the_upload_stands(connected, shop):
    shop.user(1, "one@example.com")
    shop.event(1)
    shop.sandbox.admin.put_ad_set(id=AD_SETS[0], status="ARCHIVED")
    connected.campaign("carts", what=f', ad_sets: ["{AD_SETS[0]}"]')
    said = connected.airflow("dags", "test", "carts")
    assert "the upload is complete, but not the ad sets" in said, said[-6000:]
    ((state, added),) = shop.sql("select state, outcomes ->> 'added' from audiences.run", on="ledger")
    assert (state, added) == ("failed", "1")
    assert connected.rows("select state from dag_run") == [("failed",)]


def test_airflow_keeps_nothing_of_a_person(connected, shop):
    shop.user(987654321, "erika@example.com", "+4930901820")
    shop.event(987654321)
    connected.campaign("carts")
    said = connected.airflow("dags", "test", "carts", "--conf", '{"dry_run": true}')
    said += connected.airflow("dags", "test", "carts")
    assert shop.sql("select state from audiences.run", on="ledger") == [("success",)], said[-6000:]
    kept = (connected.home / "airflow.db").read_bytes() + said.encode()
    kept += b"".join(file.read_bytes() for file in (connected.home / "logs").rglob("*") if file.is_file())
    assert b"would add" in kept
    for each in ("987654321", "erika", "4930901820", sha256("erika@example.com"), sha256("4930901820")):
        assert each.encode() not in kept
        assert each[:12].encode() not in kept, "not even the first digits of a hash"

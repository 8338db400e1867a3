"""What Facebook does in the middle of an upload, and that the next run always ends right."""

from __future__ import annotations

import pytest

from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run

pytestmark = pytest.mark.integration


@pytest.fixture
def many(shop):
    """25,000 users: three requests."""
    shop.sql("insert into users (id, email) select i, 'user' || i || '@example.com' from generate_series(1, 25000) i")
    shop.sql(
        "insert into events (user_id, name, occurred_at) select id, 'Added To Cart', now() - interval '1 day' from users"
    )
    return shop.campaign(who={"did": {"event": "Added To Cart", "within": {"after": "2020-01-01"}}})


def everybody(shop):
    return {shop.row_of(f"user{number}@example.com", None) for number in range(1, 25_001)}


@pytest.mark.parametrize("shard_rows", [1_000_000, 3_000])
def test_requests_are_full_whatever_the_shards(shop, many, monkeypatch, shard_rows):
    monkeypatch.setattr("audiences.pipeline.steps.extract.SHARD_ROWS", shard_rows)
    monkeypatch.setattr("audiences.warehouse.reader.BATCH_BYTES", 50_000)
    with shop.resources(many) as resources:
        run = open_run(resources, RunRequest(external_id="looked at", at=shop.later))
        assert (len(extract(resources, run).shards) > 2) == (shard_rows < 25_000)
    summary = shop.run(many, at=shop.later)
    assert sorted(entry["rows"] for entry in shop.uploads()) == [5_000, 10_000, 10_000]
    assert shop.members(summary.audience.id) == everybody(shop)


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "html_500", "json_500", "truncated_json"])
def test_a_passing_fault_is_sent_again_and_nothing_is_doubled(shop, many, kind):
    shop.sandbox.admin.add_fault(kind, path="*/users", method="POST", times=1)
    summary = shop.run(many, at=shop.later)
    assert (summary.state, summary.outcomes["failed"]) == ("success", 0)
    assert shop.members(summary.audience.id) == everybody(shop)
    assert shop.sandbox.admin.faults()["fired_by_kind"] == {kind: 1}


def test_a_throttle_is_waited_out_and_the_upload_resumes(shop, many):
    shop.sandbox.admin.add_fault("throttle", path="*/users", method="POST", after=1, times=1, minutes=2)
    summary = shop.run(many, at=shop.later)
    assert shop.waited == [120]
    assert shop.members(summary.audience.id) == everybody(shop)


def test_an_expired_token_ends_the_run_in_words_for_a_person_and_the_next_run_goes_on(shop, many):
    shop.sandbox.admin.add_fault("expired_token", path="*/users", method="POST", after=1, times=None)
    failed = shop.run(many, at=shop.later)
    assert failed.state == "failed"
    assert "token" in failed.error
    shop.sandbox.admin.clear_faults()
    summary = shop.run(many, at=shop.later)
    assert summary.outcomes["failed"] == 0
    assert shop.members(summary.audience.id) == everybody(shop)

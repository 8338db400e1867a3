"""Requests that are taken up again: which of them are sent, and what a refusal says of one that may have arrived."""

from __future__ import annotations

import pytest

from audiences.ledger import chunks, rejected_rows
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upload.export import AllRefusedError, export

pytestmark = pytest.mark.integration


@pytest.fixture
def planned(shop):
    """Resources and a run that is to add two users with one request."""
    for user in (1, 2):
        shop.user(user, f"user{user}@example.com")
        shop.event(user)
    with shop.resources(shop.campaign()) as resources:
        run = open_run(resources, RunRequest(external_id="r", at=shop.now))
        extracted = extract(resources, run)
        plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        yield resources, run


def requests(resources, run):
    return chunks.of_run(resources.ledger, run.run)


@pytest.mark.parametrize("left_before", [False, True])
def test_a_refusal_of_a_request_that_left_before_a_crash_does_not_say_that_it_never_arrived(shop, planned, left_before):
    resources, run = planned
    if left_before:
        chunks.sending(resources.ledger, *requests(resources, run))
    shop.sandbox.admin.add_fault("error", path="*/users", method="POST", times=None, code=2650, status=400)
    with pytest.raises(AllRefusedError):
        export(resources, run, "add")
    (request,) = requests(resources, run)
    assert (request.state, request.in_doubt) == ("refused", left_before)


def test_what_is_left_of_the_additions_is_sent_though_a_part_of_them_was_refused(shop, planned):
    resources, run = planned
    (whole,) = requests(resources, run)
    chunks.sending(resources.ledger, whole)
    first, _ = chunks.split(resources.ledger, whole, error="no")
    chunks.sending(resources.ledger, first)
    rejected_rows.refuse(resources.ledger, first, reason="bad", error="no")
    assert export(resources, run, "add").requests == 1
    assert [request.state for request in requests(resources, run)] == ["split", "refused", "acknowledged"]
    assert len(shop.members(run.facebook_id)) == 1


def test_a_request_that_was_under_way_at_a_crash_is_sent_again(shop, planned):
    resources, run = planned
    chunks.sending(resources.ledger, *requests(resources, run))
    assert export(resources, run, "add").requests == 1
    assert [request.state for request in requests(resources, run)] == ["acknowledged"]
    assert len(shop.members(run.facebook_id)) == 2


def test_a_removal_that_facebook_puts_off_is_not_counted_as_refused(shop):
    for user in (1, 2, 3):
        shop.user(user, f"user{user}@example.com")
        shop.event(user)
    spec = shop.campaign(what={"guards": {"max_removal": 100}})
    shop.run(spec)
    shop.sql("delete from events where user_id = 3")
    with shop.resources(spec) as resources:
        run = open_run(resources, RunRequest(external_id="r", at=shop.now))
        extracted = extract(resources, run)
        plan(resources, run, extracted, [select(resources, run, shard) for shard in extracted.shards])
        shop.sandbox.admin.add_fault("too_low", path="*/users", method="DELETE", times=None)
        sent = export(resources, run, "remove")
        assert [request.state for request in requests(resources, run)] == ["postponed"]
    assert (sent.requests, sent.refused) == (1, 0)

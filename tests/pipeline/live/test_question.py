"""A live campaign that requires an approval: one question for each version of its file, and no event is lost meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audiences.ledger import approvals
from audiences.pipeline.live.question import ask_live, asked_in, needed, put_in_force, wait_on
from audiences.pipeline.preconditions.approved import NotApprovedError
from audiences.pipeline.preview import preview

pytestmark = pytest.mark.integration


@pytest.fixture
def batch(live):
    """The first batch of a campaign that nobody has approved."""
    live.campaign(approval="required")
    live.poll()
    live.event(1)
    live.event(2)
    (batch,) = live.poll().batches
    return batch


def asked(live, batch, *, dag_run="live__carts__1"):
    spec = live.specs["carts"]
    live.shop.now = live.now
    with live.shop.resources(spec, read_only=True) as resources:
        found = preview(resources, live.now)
    with live.shop.resources(spec) as resources:
        return ask_live(resources, found, asked_in=dag_run, batch=batch.id)


def answered(live, question, *, approved):
    with live.shop.resources(live.specs["carts"]) as resources:
        approvals.answer(resources.ledger, question.id, approved=approved, by="anna", name="Anna", at=question.asked_at)
        put_in_force(resources, question)


def is_needed(live, batch):
    with live.shop.resources(live.specs["carts"]) as resources:
        return needed(resources, batch)


def test_events_wait_for_the_answer_and_a_yes_holds_for_all_that_come(live, batch):
    assert is_needed(live, batch.id)
    question = asked(live, batch)
    assert "This is a live campaign." in question.body
    assert "+2 −0 people" in question.body
    with pytest.raises(NotApprovedError):
        live.run(batch)
    live.event(3)
    assert live.poll().batches == [], "the batch is not offered while somebody is asked"
    assert live.members() == set()
    answered(live, question, approved=True)
    assert live.run(batch).state == "success"
    assert not is_needed(live, None)
    live.poll_and_run()
    assert live.members() == {1, 2, 3}


def test_who_opts_out_while_the_question_stands_is_not_sent(live, batch):
    question = asked(live, batch)
    live.shop.sql("update users set opted_out = true where id = 2")
    answered(live, question, approved=True)
    summary = live.run(batch)
    assert (summary.outcomes["added"], summary.outcomes["opted_out"], summary.outcomes["qualified"]) == (1, 1, 2)
    assert live.members() == {1}


def test_after_a_no_the_batch_waits_and_the_dispatcher_asks_nobody_again_before_an_edit(live, batch):
    question = asked(live, batch)
    with pytest.raises(NotApprovedError, match=r"Anna \(anna\) rejected it") as error:
        answered(live, question, approved=False)
    with live.shop.resources(live.specs["carts"]) as resources:
        wait_on(resources, batch.id, error.value)
    with pytest.raises(NotApprovedError, match="edit its file, or trigger the DAG by hand"):
        is_needed(live, batch.id)
    assert is_needed(live, None), "by hand"
    assert live.states() == {"batched": 2}
    live.campaign(approval="required", what={"keep_for": "30 days"})
    assert is_needed(live, batch.id), "an edited file asks again"
    (again,) = live.poll(timedelta(hours=30)).batches
    assert again.id == batch.id
    answered(live, asked(live, again, dag_run="live__carts__2"), approved=True)
    live.run(again)
    assert live.members() == {1, 2}


def test_the_answer_is_that_to_the_question_of_the_same_dag_run(live, batch):
    question = asked(live, batch)
    with live.shop.resources(live.specs["carts"]) as resources:
        assert asked_in(resources, "live__carts__1").id == question.id
        with pytest.raises(NotApprovedError, match="no question on record"):
            asked_in(resources, "live__carts__9")

"""The guards that count, at and around their limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.who.conftest import a_spec

from audiences.errors import StoppedError
from audiences.pipeline.results import Extracted, RunRef, Shard
from audiences.pipeline.steps.plan import check_guards
from audiences.what.changes import Counts

NONE = Counts(**dict.fromkeys(Counts.__dataclass_fields__, 0))
RUN = RunRef(
    run=1,
    campaign=1,
    salt="carts",
    audience=1,
    facebook_id="23",
    at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    staging="/nowhere",
)


def stopped_by(*, guards=None, qualification="past_behavior", rows=10, allow=(), when=None, **counts):
    """Which guard stops a run with these counts; None when none does."""
    campaign = {
        "name": "Carts",
        "qualification": qualification,
        "who": {} if qualification == "live" else {"did": {"event": "Added To Cart"}},
        "what": {"audience": {"create": {"name": "Carts"}}, **({"guards": guards} if guards is not None else {})},
        "when": when or {"now": True},
    }
    run = RUN.model_copy(update={"allow": frozenset(allow)})
    try:
        spec = a_spec({}, campaign=campaign)
        check_guards(spec, run, Extracted(shards=(Shard(number=0, rows=rows),)), replace(NONE, **counts))
    except StoppedError as stopped:
        return stopped.guard
    return None


@pytest.mark.parametrize(("targeted", "guard"), [(99, None), (100, None), (101, "skip_run_above")])
def test_as_many_targets_as_allowed_may_be_sent(targeted, guard):
    assert stopped_by(guards={"skip_run_above": 100}, targeted=targeted) == guard


@pytest.mark.parametrize(("left", "guard"), [(49, None), (50, None), (51, "max_removal")])
def test_as_large_a_part_as_allowed_may_leave(left, guard):
    assert stopped_by(guards={"max_removal": 50}, left=left, held=100) == guard


@pytest.mark.parametrize(("left", "guard"), [(0, None), (1, "max_removal")])
def test_where_no_part_may_leave_a_run_that_removes_nobody_goes_on(left, guard):
    assert stopped_by(guards={"max_removal": 0}, left=left, held=1000) == guard


def test_without_members_nobody_can_leave():
    assert stopped_by(guards={"max_removal": 0}) is None


@pytest.mark.parametrize(
    ("guards", "rows", "guard"), [({}, 0, "allow_empty"), ({}, 1, None), ({"allow_empty": True}, 0, None)]
)
def test_a_query_that_finds_nobody_stops_the_run_unless_that_is_allowed(guards, rows, guard):
    assert stopped_by(guards=guards, rows=rows) == guard


def test_of_the_users_of_a_few_events_nobody_may_qualify_any_more():
    assert stopped_by(qualification="live", rows=0, when={"on": {"event": "Added To Cart"}}) is None


def test_a_guard_that_is_lifted_this_once_leaves_the_others_in_force():
    counts = {"targeted": 101, "left": 60, "held": 100}
    guards = {"skip_run_above": 100, "max_removal": 50}
    assert stopped_by(guards=guards, **counts) == "skip_run_above"
    assert stopped_by(guards=guards, allow=["skip_run_above"], **counts) == "max_removal"
    assert stopped_by(guards=guards, allow=["skip_run_above", "max_removal"], **counts) is None

"""What a plan comes to in numbers: users by outcome, and requests by task."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audiences.pipeline.results import Selected
from audiences.pipeline.steps.plan import outcomes_before_upload
from audiences.pipeline.steps.put_on_record import FEWEST_PER_TASK, MOST_ADD_TASKS, _add_tasks
from audiences.what.changes import Counts

NONE = Counts(**dict.fromkeys(Counts.__dataclass_fields__, 0))


def test_every_user_of_every_shard_has_one_outcome():
    shards = [
        Selected(number=0, outcomes={"filtered_out": 3, "candidate": 10, "opted_out": 1}),
        Selected(number=1, outcomes={"control_campaign": 2, "candidate": 5}),
    ]
    found = outcomes_before_upload(shards, replace(NONE, candidates=15, targeted=12, begun=4))
    decided = {"filtered_out": 3, "opted_out": 1, "control_campaign": 2, "over_cap": 3, "targeted": 12}
    assert found == {**decided, "kept": 8, "qualified": 21}
    # Two of the candidates have opted out since they were found.
    found = outcomes_before_upload(shards, replace(NONE, candidates=13, targeted=12, begun=4))
    assert found == {**decided, "opted_out": 3, "over_cap": 1, "kept": 8, "qualified": 21}
    assert outcomes_before_upload((), NONE) == dict.fromkeys(("over_cap", "targeted", "kept", "qualified"), 0)


@pytest.mark.parametrize(
    ("requests", "tasks", "largest"),
    [
        (0, 0, 0),
        (1, 1, 1),
        (FEWEST_PER_TASK, 1, FEWEST_PER_TASK),
        (FEWEST_PER_TASK + 1, 2, FEWEST_PER_TASK),
        (FEWEST_PER_TASK * MOST_ADD_TASKS, MOST_ADD_TASKS, FEWEST_PER_TASK),
        (1000, MOST_ADD_TASKS, 63),
    ],
)
def test_each_request_is_in_one_task_and_there_are_not_too_many_of_those(requests, tasks, largest):
    found = _add_tasks(range(requests))
    assert [number for task in found for number in task] == list(range(requests))
    assert (len(found), max(map(len, found), default=0)) == (tasks, largest)

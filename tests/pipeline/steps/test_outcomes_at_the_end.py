"""The outcomes of a run that counted, and went no further."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from audiences.pipeline.steps.outcomes_at_the_end import outcomes_unsent
from audiences.who.outcomes import UnreconciledError

COUNTED = {"filtered_out": 3, "over_cap": 2, "targeted": 10, "kept": 6, "qualified": 15, "begun": 4, "leaving": 5}


def outcomes(counted, *, begun=0, gone=0):
    found = outcomes_unsent(counted, SimpleNamespace(begun=begun, gone=gone)).as_dict()
    return {name: count for name, count in found.items() if count}


def test_whom_a_stopped_run_would_have_added_has_failed_and_nobody_was_removed():
    sent = {"kept": 6, "failed": 4}
    assert outcomes(COUNTED) == {"filtered_out": 3, "over_cap": 2, "targeted": 10, "qualified": 15, **sent}


def test_what_an_earlier_attempt_sent_is_added_and_removed_all_the_same():
    found = outcomes({**COUNTED, "begun_unsent": 1, "gone_unsent": 2}, begun=2, gone=1)
    assert (found["added"], found["kept"], found["failed"], found["removed"]) == (3, 3, 4, 3)


def test_nobody_counts_as_added_who_is_not_wanted_any_more():
    found = outcomes(COUNTED, begun=8)
    assert (found["added"], found.get("kept", 0), found["failed"]) == (6, 0, 4)


def test_a_run_that_counted_nothing_has_no_outcomes():
    assert outcomes({}) == outcomes({"begun_unsent": 1}, begun=5) == {}


def test_counts_that_do_not_add_up_are_never_told():
    with pytest.raises(UnreconciledError):
        outcomes({**COUNTED, "qualified": 14})

"""What a run comes to, from the totals of its requests."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from audiences.pipeline.steps.verdict import judge

REASON = "the row cannot be processed"


def totals(**given):
    nothing = dict.fromkeys(
        ("requests", "refused", "unsent", "dropped", "taken", "unreceived", "invalid", "postponed"), 0
    )
    return SimpleNamespace(**{**nothing, "error": None, "nothing_added": False, "rejected": {}, **given})


def noted(**given):
    return SimpleNamespace(**{"stopped": False, "error": None, **given})


def state(*, planned=True, of=None, **given):
    return judge(totals(**given), of or noted(), planned=planned).state


@pytest.mark.parametrize(("invalid", "expected"), [(10, "success"), (11, "failed")])
def test_a_handful_of_unusable_rows_fails_no_run_however_large_their_share(invalid, expected):
    assert state(invalid=invalid, taken=50) == expected


@pytest.mark.parametrize(("invalid", "expected"), [(100, "success"), (101, "failed")])
def test_a_tenth_of_the_rows_may_be_unusable(invalid, expected):
    assert state(invalid=invalid, taken=1000) == expected


def test_rows_that_were_rejected_one_by_one_count_among_the_rows_sent_and_the_unusable():
    assert state(rejected={REASON: 11}, taken=100) == "success"
    assert state(rejected={REASON: 12}, taken=100) == "failed"
    assert state(rejected={REASON: 6}, invalid=6, taken=100) == "failed"


@pytest.mark.parametrize(("invalid", "warned"), [(10, False), (11, True)])
def test_a_hundredth_of_the_rows_may_be_unusable_without_a_word(invalid, warned):
    found = judge(totals(invalid=invalid, taken=1000), noted(), planned=True)
    assert (found.state, bool(found.warnings)) == ("success", warned)


def test_a_run_without_a_plan_or_with_requests_not_sent_has_failed():
    assert state(planned=False) == "failed"
    assert state(unsent=1, taken=10) == "failed"
    assert judge(totals(), noted(), planned=False).error == "the run was ended from outside"
    assert judge(totals(), noted(error="disk full"), planned=False).error == "disk full"


def test_a_run_that_a_guard_stopped_is_told_from_one_that_failed():
    assert state(planned=False, of=noted(stopped=True)) == "stopped"
    assert state(of=noted(stopped=True), taken=1) == "success"


def test_requests_that_were_dropped_or_refused_fail_the_run():
    assert state(dropped=1, taken=10) == "failed"
    found = judge(totals(refused=1, requests=3, error="no", taken=10), noted(), planned=True)
    assert (found.state, found.error) == ("failed", "Facebook did not take 1 of 3 requests: no")


def test_a_run_of_which_every_row_was_refused_has_failed():
    assert state(nothing_added=True, taken=10) == "failed"
    assert state(rejected={REASON: 1}) == "failed"
    assert state(rejected={REASON: 1}, taken=100) == "success"


def test_what_a_person_should_know_of_a_success_is_said():
    found = judge(
        totals(rejected={REASON: 1}, taken=1000, postponed=2, unreceived=3), noted(), planned=True, quarantined=4
    )
    assert found.state == "success"
    said = " | ".join(found.warnings)
    for words in ("refused 1 of the rows", "4 users were not sent", "did not remove 2 rows", "received 3 rows less"):
        assert words in said


def test_a_run_without_anything_to_say_says_nothing():
    assert judge(totals(requests=3, taken=30), noted(), planned=True).warnings == ()
    assert judge(totals(unreceived=-1, taken=30), noted(), planned=True).warnings == ()

"""Which conditions hold of a run or an ad account, and how they are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audiences.campaign.notify import Notify
from audiences.checklist import Check, State
from audiences.notices.what_holds import Ended, deadline_missed, failure, of_account, of_run, recovery

ALL = Notify()
GOOD = Ended(campaign="carts", name="Carts", run=7, state="success", members=1000, added=50, removed=40, sent=90)


def conditions(run: Ended, notify: Notify = ALL) -> list[str]:
    return [notice.condition for notice in of_run(run, notify)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        ({"state": "failed", "reason": "no"}, ["failed"]),
        ({"state": "stopped", "reason": "no"}, ["stopped"]),
        # From 990 to 1,000 at first; the limit of 30 % is 297.
        ({"added": 270, "removed": 40}, []),
        ({"added": 272, "removed": 40}, ["size_changed"]),
        ({"added": 0, "removed": 428}, []),
        ({"added": 0, "removed": 429}, ["size_changed"]),
        ({"added": 1000, "removed": 0}, []),  # there was nobody before
        ({"added": 272, "removed": 40, "whole": False}, []),
        ({"state": "failed", "reason": "no", "added": 272}, ["failed"]),
        ({"added": 95, "failed": 5}, []),
        ({"added": 94, "failed": 6}, ["failed_share"]),
        ({"sent": 100, "unusable": 5}, []),
        ({"sent": 100, "unusable": 6}, ["invalid_share"]),
        ({"members": 100}, []),
        ({"members": 99}, ["size_changed", "small_audience"][1:]),
        ({"members": 0, "added": 0, "removed": 0}, ["small_audience"]),
        ({"members": 99, "adds": False}, []),
        ({"members": 99, "whole": False}, []),
    ],
)
def test_a_condition_holds_from_its_limit_on(change, told):
    assert conditions(replace(GOOD, **change)) == told


def test_limits_and_conditions_are_chosen_in_the_file():
    run = replace(GOOD, added=272, sent=100, unusable=6)
    assert conditions(run, Notify(size_changed_by=31)) == ["invalid_share"]
    assert conditions(run, Notify(about=("size_changed",))) == ["size_changed"]
    assert conditions(run, Notify(about=())) == []


def test_a_notice_says_what_why_and_what_to_do():
    (notice,) = of_run(replace(GOOD, added=272), ALL)
    assert notice.in_text() == (
        "The audience of Carts grew by 30%\n\n"
        "It had 768 members and has 1,000: 272 were added, 40 removed\n\n"
        "What to do: If that is not meant, compare the rules and the data with the last run: `audiences preview carts`; a user "
        "is explained by `audiences explain carts --user ID`"
    )


@pytest.mark.parametrize(
    ("unapproved", "title", "remedy"),
    [
        ("rejected", "Carts: the approval was refused, and nothing was sent", "Edit the campaign file"),
        ("unanswered", "Carts: nobody answered in time whether it may send", "Answer under Required Actions"),
        ("lapsed", "Carts: it is not approved, and nothing was sent", "The next run asks again"),
    ],
)
def test_a_run_that_was_not_approved_is_told_as_such_and_beside_one_that_a_guard_stopped(unapproved, title, remedy):
    run = replace(GOOD, state="stopped", reason="Anna rejected it")
    (guarded,) = of_run(run, ALL)
    (notice,) = of_run(replace(run, unapproved=unapproved), ALL)
    assert notice.title.startswith(title)
    assert notice.remedy.startswith(remedy)
    assert "guard" not in notice.in_text()
    assert (notice.condition, notice.what) != (guarded.condition, guarded.what)


def test_recovery_names_what_is_over():
    assert recovery(GOOD, {"failed", "deadline_missed"}).reason.endswith("Over are: deadline missed, failed")


def test_of_an_account_the_token_and_the_version_are_told():
    checks = [
        Check("access token", State.WARN, "valid, expires on 10 December 2026", "Make a new token."),
        Check("API version", State.WARN, "v24.0, which ends in 14 days", "Set it."),
        Check("permissions", State.FAIL, "missing", "Add them."),
    ]
    told = of_account("act_1", checks, ALL)
    assert [(each.condition, each.reason, each.remedy) for each in told] == [
        ("token", "valid, expires on 10 December 2026", "Make a new token."),
        ("api_version", "v24.0, which ends in 14 days", "Set it."),
    ]
    fine = [Check("access token", State.OK, "valid"), Check("API version", State.WARN, "not known", known=False)]
    assert of_account("act_1", fine, ALL) == []


HOSTILE = "<script>x</script> <!channel> {{ 7 * 7 }} \x1b[2J\r\nBcc: all@example.com \u202e&"


def test_a_hostile_name_is_on_one_line_and_acts_nowhere():
    notice = failure(subject="carts", name=HOSTILE, reason=f"because of {HOSTILE}")
    title, reason, remedy = notice.in_text().split("\n\n")
    assert "\n" not in title + reason + remedy
    assert "\x1b" not in notice.in_text()
    html = notice.in_html()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<!channel>" not in notice.in_slack()
    assert "&lt;!channel&gt;" in notice.in_slack()
    assert all(value is None or value.isprintable() for value in notice.as_json().values())


def test_a_token_in_a_reason_and_a_reason_without_end_do_not_get_out():
    notice = failure(subject="carts", name="Carts", reason=f"EAAabcdefghijklmnop {'x' * 10_000}")
    assert "EAA" not in notice.in_text()
    assert len(notice.as_json()["reason"] or "") == 4000


def test_a_missed_deadline_names_the_run():
    late = {"campaign": "carts", "name": "Carts", "deadline": "2 hours", "run": "r1"}
    assert "within 2 hours" in deadline_missed(**late).title
    waiting = deadline_missed(**late, asked_until="Mon 30 Nov 2026 at 09:00 UTC")
    assert "It waits for somebody to approve it, until Mon 30 Nov 2026 at 09:00 UTC" in waiting.reason
    assert waiting.remedy == "Answer under Required Actions in the Airflow UI"

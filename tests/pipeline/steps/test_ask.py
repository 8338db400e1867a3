"""A campaign that requires an approval, step by step: what is asked, which answer counts, and what is left after a no."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from audiences.errors import StoppedError
from audiences.ledger import approvals, runs, staged_runs
from audiences.ledger.approvals import ApprovalState
from audiences.ledger.transitions import IllegalTransitionError
from audiences.pipeline.preconditions.approved import NotApprovedError
from audiences.pipeline.results import RunRequest
from audiences.pipeline.steps.ask import ask, withdraw
from audiences.pipeline.steps.close_run import close_run
from audiences.pipeline.steps.due_notices import ended
from audiences.pipeline.steps.extract import extract
from audiences.pipeline.steps.link_ad_sets import link_ad_sets
from audiences.pipeline.steps.open_run import open_run
from audiences.pipeline.steps.plan import plan
from audiences.pipeline.steps.select import select
from audiences.pipeline.upkeep.expire import expire
from audiences.pipeline.upload import full_refresh
from audiences.pipeline.upload.export import export
from audiences.sandbox import AD_SETS
from audiences.warehouse.reader import WarehouseTransientError

pytestmark = pytest.mark.integration


def required(shop, *, approval="required", **more):
    spec = shop.campaign(**more)
    campaign = type(spec.campaign).model_validate({**spec.campaign.model_dump(by_alias=True), "approval": approval})
    return spec.model_copy(update={"campaign": campaign})


class AskedRun:
    """A run of Airflow's, up to its question, and what follows."""

    def __init__(self, shop, resources, name, **more):
        self.shop, self.resources = shop, resources
        self.run = open_run(resources, RunRequest(external_id=name, at=shop.now, may_ask=True, **more))
        self.extracted = extract(resources, self.run)
        self.selected = [select(resources, self.run, shard) for shard in self.extracted.shards]
        self.ask(name)

    def ask(self, name="again"):
        self.question = ask(self.resources, self.run, self.extracted, self.selected, asked_in=name)

    def answer(self, *, approved=True, by="anna", after=timedelta(minutes=5)):
        approvals.answer(
            self.resources.ledger,
            self.question.id,
            approved=approved,
            by=by,
            name=by.title(),
            at=self.question.asked_at + after,
        )

    def plan(self):
        return plan(self.resources, self.run, self.extracted, self.selected)

    def send(self):
        """What follows the answer, to the end."""
        planned = self.plan()
        if full_refresh.is_planned(self.resources, self.run):
            full_refresh.send(self.resources, self.run)
        for action, deferred in (("remove", False), ("add", False), ("remove", True)):
            export(self.resources, self.run, action, deferred=deferred)
        link_ad_sets(self.resources, self.run)
        return close_run(self.resources, self.run, planned)

    def refused(self, match):
        with pytest.raises(NotApprovedError, match=match) as found:
            self.plan()
        runs.note_error(self.resources.ledger, self.run.run, found.value)
        return close_run(self.resources, self.run, None)


@pytest.fixture
def asked(shop):
    opened = []

    def begin(spec, name="first", **more):
        resources = shop.resources(spec).__enter__()
        opened.append(resources)
        return AskedRun(shop, resources, name, **more)

    yield begin
    for resources in opened:
        resources.__exit__(None, None, None)


def fill(shop, *users):
    for number in users:
        shop.user(number, f"user{number}@example.com")
        shop.event(number)


def assigned(shop):
    return shop.sql("select count(*) from audiences.assignment", on="ledger")[0][0]


def states(shop):
    return [state for (state,) in shop.sql("select state from audiences.approval order by id", on="ledger")]


def test_nothing_is_planned_or_sent_before_the_answer_and_a_yes_sends(shop, asked):
    fill(shop, 1, 2, 3)
    run = asked(required(shop))
    assert assigned(shop) == 0
    assert shop.uploads() == []
    run.answer()
    summary = run.send()
    assert (summary.state, summary.outcomes["added"]) == ("success", 3)
    ((state, by, digest),) = shop.sql("select state, decided_by, config_digest from audiences.approval", on="ledger")
    assert (state, by, digest) == ("in_force", "anna", run.resources.spec.digest)


def test_a_version_that_is_approved_does_not_ask_again_and_an_edited_one_does(shop, asked):
    fill(shop, 1)
    first = asked(required(shop))
    first.answer()
    first.send()
    fill(shop, 2)
    again = asked(required(shop), "second")
    assert again.question is None
    assert again.send().outcomes["added"] == 1
    assert shop.run(required(shop)).state == "success", "the command line may send it too"
    edited = asked(required(shop, what={"keep_for": "30 days"}), "third")
    assert edited.question is not None
    edited.refused("nobody has answered")


def test_after_a_no_nobody_is_touched_the_outcomes_add_up_and_the_next_run_asks_again(shop, asked):
    fill(shop, 1, 2, 3)
    run = asked(required(shop))
    run.answer(approved=False)
    summary = run.refused(r"Anna \(anna\) rejected it")
    assert summary.state == "stopped"
    assert summary.in_words().startswith("stopped: Anna (anna) rejected it. Nothing was sent.")
    assert "not sent 3" in summary.in_words()
    assert ended(run.resources, summary).unapproved == "rejected"
    assert summary.outcomes["targeted"] == summary.outcomes["failed"] == 3
    assert summary.would.added == 3
    assert assigned(shop) == 0
    assert shop.uploads() == []
    assert asked(required(shop), "second").question is not None
    assert states(shop) == ["rejected", "asked"]


def test_without_an_answer_the_run_ends_unsent(shop, asked):
    fill(shop, 1)
    run = asked(required(shop))
    error = NotApprovedError(
        guard="approval", found="nobody answered", allow_once="", question=ApprovalState.UNANSWERED
    )
    withdraw(run.resources, run.question, error)
    summary = close_run(run.resources, run.run, None)
    assert (summary.state, summary.outcomes["failed"]) == ("stopped", 1)
    assert states(shop) == ["unanswered"]
    assert ended(run.resources, summary).unapproved == "unanswered"
    with pytest.raises(IllegalTransitionError, match="`unanswered` and cannot become `approved`"):
        run.answer()


def test_a_run_that_was_ended_from_outside_while_it_waited_adds_up_too(shop, asked):
    fill(shop, 1)
    run = asked(required(shop))
    summary = close_run(run.resources, run.run, None)
    assert (summary.state, summary.outcomes["failed"]) == ("failed", 1)
    assert "ended from outside" in summary.error


@pytest.mark.parametrize(
    ("forged", "match"),
    [
        ("state = 'asked', decided_by = null", "nobody has answered"),
        ("decided_by = null", "nobody has answered"),
        ("decided_by = 'mallory', decided_name = 'Mallory'", "Mallory .mallory. is not among the `approvers`"),
        ("config_digest = repeat('0', 64)", "another version of the campaign"),
        ("shown = repeat('0', 64)", "the figures are others by now"),
        ("decided_at = until + interval '1 second'", "came after the deadline"),
        ("campaign_id = (select id from audiences.campaign where name = 'other')", "nobody was asked"),
        ("run_id = null", "nobody was asked"),
    ],
)
def test_an_answer_to_another_question_is_no_permission(shop, asked, forged, match):
    fill(shop, 1)
    run = asked(required(shop, approval={"approvers": "anna"}))
    shop.sql("insert into audiences.campaign (name) values ('other')", on="ledger")
    run.answer()
    shop.sql(f"update audiences.approval set {forged}", on="ledger")
    assert run.refused(match).state == "stopped"
    assert shop.uploads() == []
    assert "in_force" not in states(shop)


def test_figures_that_changed_after_the_approval_need_another_one(shop, asked):
    fill(shop, 1, 2)
    run = asked(required(shop))
    run.answer()
    # Another campaign's run, say: a member of this one is on record by now.
    shop.sql(
        "insert into audiences.member (audience_id, campaign_id, user_id, identifiers, present, added_run)"
        " values (%s, %s, '1', 'x', true, 1)",
        run.run.audience,
        run.run.campaign,
        on="ledger",
    )
    run.refused("the figures are others by now")
    assert states(shop) == ["lapsed"]


@pytest.mark.parametrize("more", [{}, {"full_refresh": True}])
def test_who_opts_out_while_the_question_stands_is_not_sent_and_is_counted_as_opted_out(shop, asked, more):
    fill(shop, 1, 2, 3, 4)
    shop.sql("update users set opted_out = true where id = 4")
    run = asked(required(shop), **more)
    shop.sql("update users set opted_out = true where id = 2")
    run.answer()
    summary = run.send()
    assert summary.state == "success"
    counts = {name: count for name, count in summary.outcomes.items() if count}
    assert counts == {"added": 2, "opted_out": 2, "targeted": 2, "qualified": 4}
    assert shop.members(run.run.facebook_id) == {shop.row_of(f"user{one}@example.com", None) for one in (1, 3)}
    assert shop.sql("select user_id from audiences.assignment order by 1", on="ledger") == [("1",), ("3",)]
    assert states(shop) == ["in_force"]


@pytest.mark.parametrize(
    ("action", "full_refresh", "stays"), [("mirror", False, False), ("add", True, False), ("add", False, True)]
)
def test_a_member_who_opts_out_while_the_question_stands_leaves_as_in_a_run_without_one(
    shop, asked, action, full_refresh, stays
):
    fill(shop, 1, 2, 3)
    what = {"audience": {"create": {"name": "carts", "action": action}}, "guards": {"max_removal": 50}}
    first = asked(required(shop, what=what))
    first.answer()
    first.send()
    fill(shop, 4)
    edited = asked(required(shop, what={**what, "keep_for": "300 days"}), "second", full_refresh=full_refresh)
    shop.sql("update users set opted_out = true where id = 2")
    edited.answer()
    summary = edited.send()
    counts = {name: count for name, count in summary.outcomes.items() if count}
    removed = {} if stays else {"removed": 1}
    assert counts == {"added": 1, "kept": 2, "opted_out": 1, "targeted": 3, "qualified": 4, **removed}
    there = (1, 2, 3, 4) if stays else (1, 3, 4)
    assert shop.members(edited.run.facebook_id) == {shop.row_of(f"user{one}@example.com", None) for one in there}


def test_under_a_cap_the_next_one_takes_the_place_of_who_opted_out(shop, asked):
    fill(shop, 1, 2, 3)
    who = {"did": {"event": "Added To Cart"}, "target_cap": 2, "control_group": {"system": False}}
    run = asked(required(shop, who=who))
    shop.sql("update users set opted_out = true where id = 2")
    run.answer()
    counts = {name: count for name, count in run.send().outcomes.items() if count}
    assert counts == {"added": 2, "opted_out": 1, "targeted": 2, "qualified": 3}
    assert shop.members(run.run.facebook_id) == {shop.row_of(f"user{one}@example.com", None) for one in (1, 3)}


def test_an_opt_out_that_cannot_be_read_keeps_the_user_out_after_the_answer_too(shop, asked):
    fill(shop, 1, 2)
    run = asked(required(shop))
    shop.sql("alter table users alter opted_out type text")
    shop.sql("update users set opted_out = 'please stop' where id = 2")
    run.answer()
    assert run.send().outcomes["opted_out"] == 1
    assert shop.members(run.run.facebook_id) == {shop.row_of("user1@example.com", None)}


def test_without_the_warehouse_an_approved_run_sends_nothing_until_a_retry_has_read_who_opted_out(shop, asked):
    fill(shop, 1, 2)
    run = asked(required(shop))
    run.answer()
    shop.sql("update users set opted_out = true where id = 2")
    there = shop.connections["warehouse"]
    shop.connections["warehouse"] = replace(there, port=1)
    with pytest.raises(WarehouseTransientError):
        run.plan()
    assert assigned(shop) == 0
    assert shop.uploads() == []
    shop.connections["warehouse"] = there
    assert run.send().outcomes["added"] == 1, "the approval is in force by now, and the opt-outs are read all the same"
    assert shop.members(run.run.facebook_id) == {shop.row_of("user1@example.com", None)}


def test_a_later_try_of_what_was_approved_sends_as_of_when_it_was_shown(shop, asked):
    fill(shop, 1, 2)
    what = {"audience": {"create": {"name": "carts", "action": "add"}}}
    first = asked(required(shop, what={**what, "keep_for": "10 days"}))
    first.answer()
    first.send()
    fill(shop, 3)
    edited = asked(required(shop, what={**what, "keep_for": "11 days"}), "second")
    edited.answer()
    there = shop.connections["warehouse"]
    shop.connections["warehouse"] = replace(there, port=1)
    with pytest.raises(WarehouseTransientError):
        edited.plan()
    assert states(shop) == ["in_force", "in_force"]
    shop.connections["warehouse"] = there
    shop.now += timedelta(days=12)
    summary = edited.send()
    assert (summary.outcomes["added"], summary.outcomes["removed"]) == (1, 0), "nobody was shown that members expire"


def test_a_shop_in_which_nobody_can_opt_out_is_not_read_again(shop, asked):
    fill(shop, 1)
    spec = required(shop)
    users = spec.catalog.users.model_copy(update={"opt_out": ()})
    run = asked(spec.model_copy(update={"catalog": spec.catalog.model_copy(update={"users": users})}))
    run.answer()
    shop.connections["warehouse"] = replace(shop.connections["warehouse"], port=1)
    assert run.send().outcomes["added"] == 1


def test_a_guard_stops_an_approved_run_when_too_many_members_opted_out_meanwhile(shop, asked):
    fill(shop, 1, 2, 3, 4)
    first = asked(required(shop))
    first.answer()
    first.send()
    fill(shop, 5)
    edited = asked(required(shop, what={"guards": {"max_removal": 25}}), "second")
    shop.sql("update users set opted_out = true where id <= 2")
    edited.answer()
    with pytest.raises(StoppedError, match="max_removal") as found:
        edited.plan()
    runs.note_error(edited.resources.ledger, edited.run.run, found.value)
    summary = close_run(edited.resources, edited.run, None)
    assert (summary.state, summary.outcomes["opted_out"], summary.outcomes["failed"]) == ("stopped", 2, 1)


def test_an_answer_does_not_count_once_the_question_is_asked_anew(shop, asked):
    fill(shop, 1)
    run = asked(required(shop))
    run.answer()
    run.ask()
    run.refused("nobody has answered")
    assert states(shop) == ["lapsed", "lapsed"]


def test_without_airflow_a_campaign_that_nobody_approved_is_refused(shop):
    fill(shop, 1)
    with pytest.raises(NotApprovedError, match="Only a run in Airflow can ask"):
        shop.run(required(shop))
    assert shop.sandbox.admin.requests() == []
    assert shop.sql("select * from audiences.run", on="ledger") == []


def test_a_preview_asks_nobody_and_says_that_a_run_would(shop, asked):
    fill(shop, 1)
    told = "a run would ask for an approval first: nobody has approved this version of the campaign"
    assert told in shop.preview(required(shop)).warnings
    assert states(shop) == []
    run = asked(required(shop))
    run.answer()
    run.send()
    assert told not in shop.preview(required(shop)).warnings


def test_a_guard_stops_the_run_before_anybody_is_asked(shop, asked):
    with pytest.raises(Exception, match="allow_empty"):
        asked(required(shop))
    assert states(shop) == []


def test_the_question_shows_who_comes_and_goes_since_the_last_run_that_sent(shop, asked):
    fill(shop, *range(1, 31))
    first = asked(required(shop))
    assert "**+30 −0 people**, and this is the first time that the campaign sends." in first.question.body
    first.answer()
    first.send()
    shop.sql("delete from events where user_id <= 4")
    fill(shop, 31, 32)
    edited = asked(required(shop, what={"keep_for": "300 days"}), "second")
    assert f"**+2 −4 people**, since the last run that sent (run {first.run.run}, " in edited.question.body
    assert "| removed | 4 |" in edited.question.body
    assert "6 rows would be sent" in edited.question.body


def test_members_who_are_held_out_now_are_counted_as_such(shop, asked):
    fill(shop, *range(1, 41))
    spec = required(shop, who={"did": {"event": "Added To Cart"}, "never_hold_out": ["1"]})
    first = asked(spec)
    first.answer()
    first.send()
    # The record of assignments was lost, and the control group is drawn anew.
    shop.sql("delete from audiences.assignment", on="ledger")
    half = {"did": {"event": "Added To Cart"}, "control_group": {"percent": 50}}
    edited = asked(required(shop, who=half), "second")
    gone = shop.sql("select body from audiences.approval order by id desc limit 1", on="ledger")[0][0]
    control = edited.selected[0].outcomes["control_campaign"]
    assert control
    assert f"**+0 −{control} people; {control} of those who leave move to a control group**" in gone


def test_names_of_others_are_no_markup_in_the_question(shop, asked):
    fill(shop, 1)
    name = "[x](http://evil)\n# <img src=x> **bold**"
    spec = required(shop, who={"did": {"event": "Added To Cart"}}, approval={"approvers": ["a`b", "<i>c"]})
    spec = spec.model_copy(update={"campaign": spec.campaign.model_copy(update={"name": name})})
    body = asked(spec).question.body
    assert "\n# <img" not in body
    assert r"\[x\]\(http://evil\) \# \<img src=x\> \*\*bold\*\*" in body
    assert "Only `a´b`, `<i>c` may answer" in body


@pytest.mark.parametrize(
    ("approval", "when", "hours"),
    [
        ("required", {"now": True}, 24),
        ({"deadline": "8 hours"}, {"now": True}, 8),
        ({"deadline": "3 days"}, {"repeat": {"every": "1 day", "at": "09:00"}}, 21),  # from noon to the next run
    ],
)
def test_the_question_stands_as_long_as_the_file_says_and_not_beyond_the_next_run(shop, asked, approval, when, hours):
    fill(shop, 1)
    run = asked(required(shop, approval=approval, when=when))
    assert run.question.until - run.question.asked_at == timedelta(hours=hours)


def test_staging_lives_as_long_as_the_question_and_no_other_run_takes_it_for_dead(shop, asked):
    fill(shop, 1)
    run = asked(required(shop, approval={"deadline": "7 days"}))
    ledger = run.resources.ledger
    shop.sql("update audiences.run set started_at = now() - interval '6 days'", on="ledger")
    shop.sql("update audiences.approval set until = now() + interval '1 day'", on="ledger")
    assert runs.under_way(ledger, run.run.campaign)
    in_a_week = run.question.asked_at + timedelta(days=7)
    assert staged_runs.disposable(ledger, [run.run.staging], before=in_a_week.replace(year=2000)) == []
    shop.sql("update audiences.approval set until = now() - interval '1 minute'", on="ledger")
    assert not runs.under_way(ledger, run.run.campaign)


def test_ad_sets_and_the_name_at_facebook_stay_as_they_are_until_the_edit_is_approved(shop, asked):
    fill(shop, 1)
    what = {"audience": {"create": {"name": "Before"}}, "ad_sets": [AD_SETS[0]]}
    first = asked(required(shop, what=what))
    first.answer()
    first.send()

    def at_facebook():
        state = shop.sandbox.admin.state(members=False)
        (audience,) = [one["name"] for one in state["audiences"] if one["name"] in ("Before", "After")]
        linked = [one["id"] for one in state["ad_sets"] if one["targeting"].get("custom_audiences")]
        return audience, linked

    assert at_facebook() == ("Before", [AD_SETS[0]])
    edited = asked(required(shop, what={"audience": {"create": {"name": "After"}}}), "second")
    with pytest.raises(NotApprovedError, match="its ad sets stay as they are"):
        link_ad_sets(edited.resources, edited.run)
    assert at_facebook() == ("Before", [AD_SETS[0]])
    edited.answer()
    edited.send()
    assert at_facebook() == ("Before", []), "the name follows with the next run"
    asked(required(shop, what={"audience": {"create": {"name": "After"}}}), "third").send()
    assert at_facebook() == ("After", [])


def test_nobodys_time_is_up_by_a_version_that_is_not_approved(shop, asked):
    fill(shop, 1)
    first = asked(required(shop))
    first.answer()
    first.send()
    shop.now += timedelta(days=3)
    edited = required(shop, what={"keep_for": "1 day"})
    with shop.resources(edited) as resources:
        assert expire(resources) is None
    run = asked(edited, "second")
    run.answer()
    run.send()


def test_rules_that_somebody_put_in_place_of_those_of_the_run_send_nothing(shop, asked):
    fill(shop, 1, 2)
    run = asked(required(shop))
    with shop.resources(shop.campaign()) as forged, pytest.raises(NotApprovedError, match="rules of this step"):
        plan(forged, run.run, run.extracted, run.selected)
    assert assigned(shop) == 0
    assert states(shop) == ["asked"]

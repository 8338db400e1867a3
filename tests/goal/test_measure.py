from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from audiences.ledger import campaigns
from audiences.ledger import goals as ledger_goals
from audiences.ledger.database import Ledger
from audiences.pipeline.results import RunRequest
from audiences.pipeline.run import run_campaign
from audiences.pipeline.upkeep.measure import LATE, NoGoalError, is_due, measure
from audiences.warehouse.reader import WarehouseQueryError

pytestmark = pytest.mark.integration
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture
def spec(goals):
    """600 users, half of them held out, assigned at noon."""
    goals.carts(600)
    spec = goals.campaign()
    goals.shop.run(spec)
    return spec


def charged(goals, arm, users, after=DAY, **event):
    for user in goals.arm("carts", arm)[:users]:
        goals.charge(user, after, **event)


def results(goals):
    return goals.shop.sql("select goal_digest, as_of from audiences.goal_result order by id", on="ledger")


def test_targets_are_compared_with_their_control_group(goals, spec, by_arm):
    charged(goals, "target", 80)
    charged(goals, "campaign", 40, amount=5)
    report = goals.report(spec)
    target, control = by_arm(report)["target"], by_arm(report)["campaign"]
    assert (target.users, target.converters, target.revenue) == (len(goals.arm("carts", "target")), 80, 800)
    assert (control.users, control.converters, control.revenue) == (len(goals.arm("carts", "campaign")), 40, 200)
    assert target.rate == pytest.approx(80 / target.users)
    assert control.revenue_per_user == pytest.approx(200 / control.users)
    (comparison,) = report.comparisons
    found = comparison.conversions
    assert (comparison.targets, comparison.controls) == (target.users, control.users)
    assert found.boost_percent == pytest.approx(100 * (target.rate - control.rate) / control.rate)
    assert found.incremental == pytest.approx(80 - target.users * 40 / control.users)
    assert found.significant
    assert comparison.revenue.significant
    assert (comparison.words, report.notes) == ((), ())


def test_everyone_assigned_counts_whatever_came_of_the_upload(goals, by_arm):
    goals.carts(600)
    goals.shop.sandbox.admin.add_fault("error", path="*/users", method="POST", times=None, code=100, status=400)
    spec = goals.campaign()
    assert goals.shop.run(spec).outcomes["failed"] > 0
    goals.shop.sandbox.admin.clear_faults()
    goals.shop.sql("delete from users")
    arms = by_arm(goals.report(spec))
    assert arms["target"].users + arms["campaign"].users == 600


def test_the_window_begins_after_the_as_of_time_and_includes_its_last_moment(goals, spec, by_arm):
    for user, after in zip(
        goals.arm("carts", "target"), [timedelta(0), TICK, 5 * DAY - TICK, 5 * DAY, 5 * DAY + TICK], strict=False
    ):
        goals.charge(user, after)
    assert by_arm(goals.report(spec))["target"].converters == 3


@pytest.mark.parametrize(
    ("of_users", "of_events"),
    [("bigint", "numeric(12, 2)"), ("numeric(12, 2)", "bigint"), ("numeric", "numeric(12, 2)"), ("bigint", "text")],
)
def test_conversions_are_those_of_the_users_whatever_type_the_events_have_the_key_in(
    goals, by_arm, of_users, of_events
):
    goals.shop.sql(f"alter table users alter id type {of_users}")
    goals.carts(20)
    spec = goals.campaign()
    goals.shop.run(spec)
    goals.shop.sql(f"alter table events alter user_id type {of_events}")
    for (user,) in goals.shop.sql("select id from users"):
        goals.charge(user, DAY)
    arms = by_arm(goals.report(spec))
    assert [(arm.converters, arm.users) for arm in arms.values()] == [(arm.users,) * 2 for arm in arms.values()]
    assert arms["target"].users + arms["campaign"].users == 20


def test_what_happens_after_the_reports_time_is_not_in_it(goals, spec, by_arm):
    charged(goals, "target", 10, after=DAY)
    charged(goals, "target", 20, after=3 * DAY)
    assert by_arm(goals.report(spec, 2 * DAY))["target"].converters == 10
    assert by_arm(goals.report(spec, 3 * DAY))["target"].converters == 20
    assert goals.report(spec, -DAY).users == 0


def test_filters_on_event_properties_are_those_of_rules(goals, spec, by_arm):
    for user, sku in zip(goals.arm("carts", "target"), ["A-1", "A-2", "B-1", None], strict=False):
        goals.charge(user, DAY, sku=sku)
    filtered = goals.campaign(goal={"where": {"sku": {"starts_with": "A-"}}})
    assert by_arm(goals.report(filtered))["target"].converters == 2


def test_a_goal_without_revenue_has_no_money_in_its_report(goals, spec):
    charged(goals, "campaign", 40)
    asked = goals.campaign()
    goal = asked.campaign.goal.model_copy(update={"revenue": None})
    report = goals.report(asked.model_copy(update={"campaign": asked.campaign.model_copy(update={"goal": goal})}))
    assert [arm.revenue for arm in report.arms] == [None, None]
    assert report.comparisons[0].conversions is not None
    assert report.comparisons[0].revenue is None


def test_a_missing_amount_is_a_conversion_without_revenue_and_is_said(goals, spec, by_arm):
    user, other = goals.arm("carts", "target")[:2]
    goals.charge(user, DAY, amount=None)
    goals.charge(other, DAY, amount=float("inf"))
    report = goals.report(spec)
    assert (by_arm(report)["target"].converters, by_arm(report)["target"].revenue) == (2, 0)
    assert "2 conversions have no `amount` and add no revenue" in report.notes


def test_without_a_control_group_there_is_advice_and_no_number(goals):
    goals.carts(300)
    spec = goals.campaign(percent=0)
    goals.shop.run(spec)
    (comparison,) = goals.report(spec).comparisons
    assert comparison.conversions is None
    assert "no control group" in comparison.words[0]
    assert "control_group: {percent: 10}" in comparison.words[0]


def test_a_control_group_that_is_too_small_is_not_compared(goals):
    goals.carts(300)
    spec = goals.campaign(percent=10)
    goals.shop.run(spec)
    charged(goals, "campaign", 5)
    (comparison,) = goals.report(spec).comparisons
    assert comparison.conversions is None
    assert "too few users to compare" in comparison.words[0]
    assert "needs 100" in comparison.words[0]


def test_a_control_group_without_conversions_gives_no_boost(goals, spec):
    charged(goals, "target", 50)
    (comparison,) = goals.report(spec).comparisons
    assert (comparison.conversions, comparison.revenue) == (None, None)
    assert "nobody in the control group converted" in comparison.words[0]


def test_few_converters_give_a_rate_and_words_about_revenue(goals, spec):
    charged(goals, "target", 60)
    charged(goals, "campaign", 29)
    (comparison,) = goals.report(spec).comparisons
    assert comparison.conversions is not None
    assert comparison.revenue is None
    assert comparison.words == (
        "revenue is not compared: one side has 29 converters, and with fewer than 30 single purchases decide the result",
    )


def test_users_whose_window_is_open_are_counted_and_not_yet_compared(goals, spec, by_arm):
    charged(goals, "target", 60)
    charged(goals, "campaign", 40)
    early = goals.report(spec, 2 * DAY)
    assert (by_arm(early)["target"].converters, by_arm(early)["campaign"].converters) == (60, 40)
    assert early.comparisons[0].conversions is None
    assert "windows still open" in early.comparisons[0].words[0]
    assert "2026-11-28 12:00 UTC" in early.comparisons[0].words[0]
    goals.carts(400, first=1001)
    goals.shop.run(spec, at=goals.at(3 * DAY))
    later = goals.report(spec, 6 * DAY)
    assert later.users == 1000
    assert later.comparisons[0].targets + later.comparisons[0].controls == 600
    assert "windows still open: 400 users may still convert and are not compared yet" in later.comparisons[0].words
    assert "windows still open for 400 of 1,000 users, the last until 2026-12-01 12:00 UTC" in later.notes[0]


def test_users_assigned_under_another_percentage_are_compared_among_themselves(goals):
    """The early are mostly held out and convert seldom, the late are mostly targeted and convert often: no effect in either."""
    goals.carts(1000)
    early = goals.campaign(percent=80)
    goals.shop.run(early)
    goals.carts(1000, first=1001)
    late = goals.campaign(percent=20)
    goals.shop.run(late, at=goals.at(DAY))
    for arm in ("target", "campaign"):
        users = goals.arm("carts", arm)
        for chosen, every in (
            ([user for user in users if user <= 1000], 20),
            ([user for user in users if user > 1000], 3),
        ):
            for user in chosen[::every]:
                goals.charge(user, 2 * DAY)
    report = goals.report(late, 9 * DAY)
    rates = {arm.arm: arm.rate for arm in report.arms}
    (comparison,) = report.comparisons
    assert rates["target"] - rates["campaign"] > 0.1
    assert abs(comparison.conversions.difference) < 0.01
    assert not comparison.conversions.significant
    assert not comparison.revenue.significant
    assert "assigned under another percentage" in comparison.words[0]
    assert comparison.targets + comparison.controls == 2000


def test_users_from_before_there_was_a_control_group_are_left_out(goals):
    goals.carts(300)
    goals.shop.run(goals.campaign(percent=0))
    goals.carts(600, first=1001)
    spec = goals.campaign(percent=50)
    goals.shop.run(spec, at=goals.at(DAY))
    charged(goals, "campaign", 40, after=2 * DAY)
    report = goals.report(spec, 9 * DAY)
    (comparison,) = report.comparisons
    assert report.users == 900
    assert comparison.targets + comparison.controls == 600
    assert any(
        "300 users were assigned under another percentage (no control group)" in word for word in comparison.words
    )


def test_each_control_group_is_compared_on_its_own(goals):
    goals.carts(1500)
    spec = goals.campaign(percent=20).model_copy(update={"control_groups": _groups(system=15)})
    goals.shop.run(spec)
    for arm, users in (("target", 100), ("campaign", 20), ("system", 10)):
        charged(goals, arm, users)
    report = goals.report(spec)
    assert [arm.arm for arm in report.arms] == ["target", "campaign", "system"]
    assert [comparison.control for comparison in report.comparisons] == ["campaign", "system"]
    assert all(comparison.conversions is not None for comparison in report.comparisons)


def _groups(system):
    from audiences.campaign.settings import ControlGroups

    return ControlGroups.model_validate({"system": system})


def test_users_who_are_never_held_out_are_no_part_of_the_experiment(goals, by_arm):
    goals.carts(600)
    spec = goals.campaign(never_hold_out=[1, "002", " +3"])
    goals.shop.run(spec)
    for user in (1, 2, 3):
        goals.charge(user, DAY)
    report = goals.report(spec)
    assert by_arm(report)["target"].users == len(goals.arm("carts", "target")) - 3
    assert by_arm(report)["target"].converters == 0
    assert "3 users under `never_hold_out` are left out: they are targets by name, not by chance" in report.notes


def test_a_cap_is_pointed_out(goals):
    goals.carts(300)
    spec = goals.campaign(target_cap=200)
    goals.shop.run(spec)
    assert any("target_cap" in note for note in goals.report(spec).notes)


def test_nobody_assigned_is_a_report_in_words_that_is_not_kept(goals, spec):
    report = goals.report(goals.campaign("never_ran"))
    assert (report.users, report.comparisons, report.notes) == (0, (), ("nobody has been assigned yet",))
    assert report.in_words() == "0 users assigned; nobody has been assigned yet"
    assert results(goals) == []


def test_a_campaign_without_a_goal_says_how_to_give_it_one(goals):
    spec = goals.shop.campaign()
    with pytest.raises(NoGoalError, match="`carts` has no goal"), goals.shop.resources(spec) as resources:
        measure(resources, goals.noon)


def test_another_goal_is_another_result_and_the_earlier_one_is_kept(goals, spec):
    first = goals.report(spec)
    longer = goals.campaign(goal={"within": "30 days"})
    second = goals.report(longer)
    assert first.goal_digest != second.goal_digest
    assert [digest for digest, _ in results(goals)] == [first.goal_digest, second.goal_digest]
    with Ledger(goals.shop.connections["ledger"]) as ledger:
        campaign = campaigns.number(ledger, "carts")
        known = ledger_goals.current(ledger, campaign, first.goal_digest, first.as_of)
    assert type(first).model_validate(known.report) == first
    assert known.config_digest == spec.digest


def test_the_current_result_is_that_of_the_newest_as_of_time(goals, spec):
    late = goals.report(spec, 6 * DAY)
    goals.report(spec, 2 * DAY)
    with Ledger(goals.shop.connections["ledger"]) as ledger:
        known = ledger_goals.current(ledger, campaigns.number(ledger, "carts"), late.goal_digest, late.as_of)
    assert known.as_of == late.as_of


def test_the_launch_is_the_first_run_even_if_it_found_nobody_or_only_persons_who_were_erased(goals, by_arm):
    spec = goals.campaign(percent=0, goal={"of": "launch"})
    goals.shop.run(spec, allow=frozenset({"allow_empty"}))
    for user, after in ((1, DAY), (2, 2 * DAY)):
        goals.carts(1, first=user)
        goals.shop.run(spec, at=goals.at(after))
        goals.charge(user, timedelta(hours=1))
    assert by_arm(goals.report(spec))["target"].converters == 2
    goals.shop.sql("delete from audiences.assignment where user_id = '1'", on="ledger")  # as an erasure does
    report = goals.report(spec)
    assert (by_arm(report)["target"].users, by_arm(report)["target"].converters) == (1, 1)
    assert report.data.last_window_ends == goals.at(5 * DAY)


def test_who_is_assigned_long_after_the_launch_is_counted_and_said(goals):
    goals.carts(1)
    spec = goals.campaign(percent=0, goal={"of": "launch"})
    goals.shop.run(spec)
    for first, after in ((2, DAY), (10, 5 * DAY)):
        goals.carts(2, first=first)
        goals.shop.run(spec, at=goals.at(after))
    said = "4 users were assigned after the launch, in the middle of their window, of whom 2 had none of it left"
    assert any(note.startswith(said) for note in goals.report(spec).notes)
    assert goals.report(goals.campaign(percent=0), 20 * DAY).notes == ()


@pytest.mark.parametrize("of", ["launch", "first_assignment"])
def test_windows_begin_when_a_run_assigned_by_the_clock_whatever_time_it_looked_at(goals, of):
    goals.carts(1)
    spec = goals.campaign(percent=0, goal={"of": "launch"} if of == "launch" else None)
    with goals.shop.resources(spec) as resources:
        earlier = RunRequest(external_id="rehearsal", at=goals.at(-DAY / 2), allow=frozenset({"past"}))
        assert run_campaign(resources, earlier).state == "success"
    assert goals.report(spec).data.last_window_ends == goals.at(5 * DAY)


def test_a_run_that_a_guard_stopped_is_no_launch(goals):
    spec = goals.campaign(percent=0, goal={"of": "launch"})
    assert goals.shop.run(spec).state == "stopped"
    goals.carts(1)
    goals.shop.run(spec, at=goals.at(DAY))
    assert goals.report(spec).data.last_window_ends == goals.at(6 * DAY)


def test_a_result_of_a_time_to_come_ends_no_daily_measuring(goals, spec):
    goals.report(spec, 30 * DAY)
    with goals.shop.resources(spec) as resources:
        assert is_due(resources, goals.at(DAY))


def test_the_same_data_give_the_same_report(goals, spec):
    charged(goals, "target", 70, amount=0.1)
    charged(goals, "campaign", 40, amount=0.7)
    assert goals.report(spec) == goals.report(spec)


def test_a_goal_is_due_while_windows_are_open_and_a_little_longer(goals, spec):
    def due(after, asked=spec):
        with goals.shop.resources(asked) as resources:
            return is_due(resources, goals.at(after))

    assert not due(-DAY)
    assert due(DAY)
    assert not due(DAY, goals.shop.campaign())
    assert not due(DAY, goals.campaign("never_ran"))
    goals.report(spec, 4 * DAY)
    assert due(5 * DAY)
    goals.report(spec, 5 * DAY)
    assert due(5 * DAY + LATE)
    goals.report(spec, 5 * DAY + LATE)
    assert not due(9 * DAY)
    assert due(9 * DAY, goals.campaign(goal={"within": "6 days"}))


def test_an_account_that_may_only_read_is_enough_for_the_warehouse(goals, spec, by_arm):
    """As on a read replica: no table of its own, not even a temporary one."""
    charged(goals, "target", 7)
    warehouse = goals.shop.connections["warehouse"]
    goals.shop.sql(
        f"drop role if exists goal_reader; create role goal_reader login; grant select on events to goal_reader;"
        f" revoke temporary on database {warehouse.schema} from public"
    )
    goals.shop.connections["warehouse"] = replace(warehouse, login="goal_reader")
    assert by_arm(goals.report(spec))["target"].converters == 7


def test_a_warehouse_that_refuses_the_query_is_named_as_the_cause(goals, spec):
    goals.shop.sql("alter table events rename column amount to price")
    with pytest.raises(WarehouseQueryError, match="amount"):
        goals.report(spec)


@pytest.mark.parametrize("taken_over", [False, True])
def test_a_renamed_campaign_is_measured_with_the_users_of_its_old_name(goals, taken_over):
    goals.carts(20)
    old = goals.campaign(percent=50)
    goals.shop.run(old)
    goals.charge(1, DAY)
    renamed = old.model_copy(
        update={"id": "left", "campaign": old.campaign.model_copy(update={"formerly": ("carts",)})}
    )
    if taken_over:
        goals.shop.run(renamed, at=goals.noon + TICK)
    report = goals.report(renamed, 9 * DAY)
    assert sum(arm.users for arm in report.arms) == 20
    assert sum(arm.converters for arm in report.arms) == 1

"""Reports from counts: what is compared, and from how many converters on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from tests.who.conftest import a_spec

from audiences.goal.counting import Count, Windows
from audiences.goal.report import Data, report
from audiences.goal.report_words import p_text

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def reported():
    """The report of a campaign with a control group over these counts."""

    def make(*counts, revenue=True):
        goal = {"event": "Charged", "within": "5 days", **({"revenue": "amount"} if revenue else {})}
        spec = a_spec(
            {},
            campaign={
                "name": "Carts",
                "who": {"did": {"event": "Added To Cart"}, "control_group": {"percent": 50}},
                "what": {"audience": {"create": {"name": "Carts"}}},
                "when": {"now": True},
                "goal": goal,
            },
        )
        windows = Windows(AT, AT, AT, AT + 5 * DAY, AT + 5 * DAY, spared=0, begun=0, missed=0)
        data = Data(
            warehouse="warehouse",
            events=0,
            newest_event=None,
            first_assigned=AT,
            last_assigned=AT,
            last_window_ends=None,
        )
        return report(spec, spec.campaign.goal, at=AT + 6 * DAY, counts=counts, windows=windows, data=data)

    return make


def arm(name, users, converters, *, terms="50 %", ended=True):
    return Count(
        name, terms, ended, users, converters, converters, converters, Decimal(10 * converters), 100.0 * converters
    )


@pytest.mark.parametrize(("converters", "compared"), [(29, False), (30, True)])
@pytest.mark.parametrize("few", ["target", "campaign"])
def test_revenue_is_compared_from_thirty_converters_on_each_side(reported, converters, compared, few):
    sides = {"target": 60, "campaign": 60, few: converters}
    (comparison,) = reported(*(arm(name, 500, number) for name, number in sides.items())).comparisons
    assert comparison.conversions is not None
    assert (comparison.revenue is not None) is compared
    assert comparison.words == () if compared else "29 converters" in comparison.words[0]


@pytest.mark.parametrize(("users", "compared"), [(99, False), (100, True)])
@pytest.mark.parametrize("few", ["target", "campaign"])
def test_arms_are_compared_from_a_hundred_users_on_each_side(reported, users, compared, few):
    sides = {"target": 500, "campaign": 500, few: users}
    (comparison,) = reported(*(arm(name, number, 40) for name, number in sides.items())).comparisons
    assert (comparison.conversions is not None) is compared
    if not compared:
        assert "too few users to compare" in comparison.words[0]


def test_users_whose_window_is_open_are_counted_and_not_compared(reported):
    found = reported(arm("target", 500, 60), arm("campaign", 500, 50), arm("target", 70, 7, ended=False))
    target = found.arms[0]
    assert (found.users, target.users, target.open_windows, target.converters) == (1070, 570, 70, 67)
    (comparison,) = found.comparisons
    assert (comparison.targets, comparison.controls) == (500, 500)
    assert comparison.words == ("windows still open: 70 users may still convert and are not compared yet",)


def test_figures_of_an_arm_are_per_user_and_revenue_is_left_out_where_none_is_named(reported):
    target = reported(arm("target", 200, 50), arm("campaign", 200, 40)).arms[0]
    assert (target.rate, target.revenue, target.revenue_per_user) == (0.25, 500.0, 2.5)
    found = reported(arm("target", 200, 50), arm("campaign", 200, 40), revenue=False)
    assert (found.arms[0].revenue, found.arms[0].revenue_per_user) == (None, None)
    assert found.comparisons[0].revenue is None


def test_a_boost_is_of_the_control_groups_rate_and_what_it_added_of_all_targets(reported):
    (comparison,) = reported(arm("target", 1000, 300), arm("campaign", 500, 100)).comparisons
    found = comparison.conversions
    assert (found.target, found.control, found.difference) == (0.3, 0.2, pytest.approx(0.1))
    assert (found.boost_percent, found.incremental) == (pytest.approx(50), pytest.approx(100))
    assert found.low < found.difference < found.high
    assert found.significant
    assert found.incremental_low == pytest.approx(1000 * found.low)


def test_users_assigned_under_other_percentages_are_compared_among_themselves(reported):
    found = reported(
        arm("target", 200, 20, terms="20 %"),
        arm("campaign", 800, 80, terms="20 %"),
        arm("target", 800, 400, terms="80 %"),
        arm("campaign", 200, 100, terms="80 %"),
        arm("target", 50, 50, terms="few"),
    )
    (comparison,) = found.comparisons
    assert comparison.conversions.difference == pytest.approx(0)
    assert (comparison.targets, comparison.controls) == (1000, 1000)
    assert any("50 users were assigned under another percentage (few)" in word for word in comparison.words)


def test_a_result_is_put_into_words_by_the_side_of_zero_its_interval_is_on(reported):
    def said(targets, controls):
        return reported(arm("target", 1000, targets), arm("campaign", 1000, controls)).in_words()

    assert said(300, 200).startswith("targets converted more: +10.00 points")
    assert said(200, 300).startswith("targets converted less: -10.00 points")
    assert said(200, 205).startswith("no difference shown: -0.50 points")


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "p < 0.0001"), (0.00009, "p < 0.0001"), (0.0001, "p = 0.0001"), (0.0009, "p = 0.0009")]
)
def test_a_p_value_is_told_to_four_digits_and_never_as_zero(value, text):
    assert p_text(value) == text


def test_conversions_without_an_amount_are_counted_and_said(reported):
    without = Count("target", "50 %", True, 500, 60, 60, 55, Decimal(550), 5500.0)
    found = reported(without, arm("campaign", 500, 60))
    assert "5 conversions have no `amount` and add no revenue" in found.notes

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.goal.simulated import Law, counted, measured

from audiences.goal.lift import ArmSample, Stratum, of_rates, of_revenue


def of_statsmodels():
    """SciPy and it take two seconds to import: not in each process that collects this file."""
    from statsmodels.stats import proportion

    return proportion


def sample(users: int, converters: int, amount: float = 10.0) -> ArmSample:
    return ArmSample(users, converters, converters * amount, converters * amount**2)


@st.composite
def samples(draw) -> ArmSample:
    users = draw(st.integers(100, 1_000_000))
    converters = draw(st.integers(0, users))
    amounts = [draw(st.floats(0.01, 1000)) for _ in range(2)]
    half = converters // 2
    return ArmSample(
        users,
        converters,
        half * amounts[0] + (converters - half) * amounts[1],
        half * amounts[0] ** 2 + (converters - half) * amounts[1] ** 2,
    )


strata = st.lists(st.builds(Stratum, samples(), samples()), min_size=1, max_size=3)


@settings(deadline=None)
@given(samples(), samples())
def test_the_interval_of_rates_is_that_of_statsmodels(target, control):
    found = of_rates([Stratum(target, control)])
    low, high = of_statsmodels().confint_proportions_2indep(
        target.converters, target.users, control.converters, control.users, method="newcomb"
    )
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


def all_or_none(users: int) -> list[int]:
    return sorted({0, 1, users // 2, users - 1, users})


@pytest.mark.parametrize("users", [1, 2, 5, 10_000])
@pytest.mark.parametrize("others", [1, 3, 500])
def test_the_interval_holds_where_nobody_or_everybody_converted_and_for_a_handful_of_users(users, others):
    for converters in all_or_none(users):
        for other in all_or_none(others):
            found = of_rates([Stratum(sample(users, converters), sample(others, other))])
            expected = of_statsmodels().confint_proportions_2indep(converters, users, other, others, method="newcomb")
            assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
            assert found.low - 1e-12 <= converters / users - other / others <= found.high + 1e-12
            assert 0 <= found.p_value <= 1


def test_the_test_of_rates_says_about_what_the_score_test_says():
    for target, control in ((sample(9000, 600), sample(1000, 50)), (sample(5000, 260), sample(5000, 250))):
        expected = (
            of_statsmodels()
            .test_proportions_2indep(target.converters, target.users, control.converters, control.users, method="score")
            .pvalue
        )
        assert of_rates([Stratum(target, control)]).p_value == pytest.approx(expected, abs=0.01)


@settings(deadline=None)
@given(samples(), samples())
def test_the_test_of_revenue_is_welchs(target, control):
    def spread(side: ArmSample) -> float:
        return float(np.sqrt(side.variance_of_mean * side.users))

    found = of_revenue([Stratum(target, control)])
    if not target.variance_of_mean or not control.variance_of_mean:
        return
    from scipy.stats import ttest_ind_from_stats  # as late as that of statsmodels

    expected = ttest_ind_from_stats(
        *(target.mean, spread(target), target.users),
        *(control.mean, spread(control), control.users),
        equal_var=False,
    ).pvalue
    assert found.p_value == pytest.approx(expected, rel=1e-6, abs=1e-300)


@settings(deadline=None)
@given(strata)
def test_significance_and_interval_never_contradict_each_other(given_strata):
    for found in (of_rates(given_strata), of_revenue(given_strata)):
        assert found.low <= found.estimate <= found.high
        assert 0 <= found.p_value <= 1
        if abs(found.p_value - 0.05) > 1e-9:
            assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_users_in_two_equal_strata_tell_as_much_as_in_one():
    once = Stratum(sample(8000, 480), sample(2000, 80))
    half = Stratum(sample(4000, 240), sample(1000, 40))
    for difference in (of_rates, of_revenue):
        whole, parts = difference([once]), difference([half, half])
        assert parts.estimate == pytest.approx(whole.estimate)
        assert (parts.low, parts.high) == pytest.approx((whole.low, whole.high), rel=0.05)


def test_a_changed_percentage_is_no_effect():
    early = Stratum(sample(200, 10), sample(800, 40))
    late = Stratum(sample(800, 240), sample(200, 60))
    for found in (of_rates([early, late]), of_revenue([early, late])):
        assert found.estimate == pytest.approx(0)
        assert found.p_value == pytest.approx(1)


def test_the_difference_is_weighted_by_targets():
    found = of_rates([Stratum(sample(3000, 300), sample(1000, 50)), Stratum(sample(1000, 100), sample(9000, 900))])
    assert found.estimate == pytest.approx(0.75 * 0.05 + 0.25 * 0)
    assert found.target == pytest.approx(400 / 4000)


@pytest.mark.parametrize(("one", "other"), [(0, 0), (100, 100), (0, 100), (100, 0), (1, 0)])
def test_extreme_rates_give_finite_answers(one, other):
    found = of_rates([Stratum(sample(100, one), sample(100, other))])
    assert np.isfinite([found.low, found.high, found.p_value]).all()
    assert (found.p_value < 0.05) == (abs(one - other) > 50)


def test_equal_revenue_of_all_is_certain():
    same = ArmSample(100, 100, 1000.0, 10_000.0)
    assert of_revenue([Stratum(same, same)]).p_value == 1
    assert of_revenue([Stratum(same, ArmSample(100, 100, 500.0, 2500.0))]).p_value == 0


def test_a_simulated_campaign_counts_the_same_with_and_without_events(tmp_path):
    """What the long simulation takes as the counts of a campaign has the law of what is counted from events."""
    law = Law(lift=0.02, users=(40_000, 40_000))
    direct = counted(law, np.random.default_rng(1))
    by_events = measured(law, np.random.default_rng(2), tmp_path)
    for arm, rate in (("target", 0.08), ("campaign", 0.06)):
        for counts in (direct, by_events):
            users = sum(count.users for count in counts if count.arm == arm)
            assert sum(count.converters for count in counts if count.arm == arm) / users == pytest.approx(rate, rel=0.1)
            paid = sum((count.revenue for count in counts if count.arm == arm), Decimal(0))
            assert float(paid) / users == pytest.approx(rate * 20 * np.exp(0.18) * 1.5, rel=0.1)

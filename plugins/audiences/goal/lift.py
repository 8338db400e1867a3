"""What the targets did beyond the control group: differences with a 95 % interval and the test that belongs to it.

Users who were assigned under the same terms form a stratum. Targets and control group are compared within each, and the
differences averaged with the number of targets as weight: the effect on those who were targeted. Compared in one heap,
a changed percentage would show as an effect, because the arms would differ in when their users came.

Rates: Newcombe's hybrid score interval (method 10 of Newcombe 1998, "Interval estimation for the difference between
independent proportions"), over strata as in Yan and Su 2010. Revenue: Welch's t, with the degrees of freedom of
Satterthwaite. The p-value is in both cases the level at which the interval would just touch zero, so that test and
interval never contradict each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.05
FEWEST_USERS = 100
"""Arms with fewer users than this under the same terms are not compared."""
FEWEST_CONVERTERS = 30
"""With fewer converters than this in either arm revenue is not compared: Welch's interval comes out too narrow."""
_CERTAIN = 37.5  # standard deviations: beyond them a p-value is zero in double precision


@dataclass(frozen=True, slots=True)
class ArmSample:
    """Users of one arm and what they did; `revenue_squared` is the sum of the squares of each user's revenue."""

    users: int
    converters: int
    revenue: float
    revenue_squared: float

    @property
    def rate(self) -> float:
        """Converters per user."""
        return self.converters / self.users

    @property
    def mean(self) -> float:
        """Revenue per user."""
        return self.revenue / self.users

    @property
    def variance_of_mean(self) -> float:
        """The squared standard error of the revenue per user; needs two users."""
        spread = max(self.revenue_squared - self.revenue * self.mean, 0.0)
        return spread / (self.users - 1) / self.users


@dataclass(frozen=True, slots=True)
class Stratum:
    """Targets and control group that were assigned under the same terms."""

    target: ArmSample
    control: ArmSample


@dataclass(frozen=True, slots=True)
class Lift:
    """Target minus control, per user: both sides, the 95 % interval of the difference, the p-value of "no difference"."""

    target: float
    control: float
    low: float
    high: float
    p_value: float

    @property
    def estimate(self) -> float:
        """The difference itself."""
        return self.target - self.control


def of_rates(strata: Sequence[Stratum]) -> Lift:
    """The difference of the conversion rates."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    target, control = _averages(strata, [(each.target.rate, each.control.rate) for each in strata])
    estimate = target - control

    def bounds(deviations: float) -> tuple[float, float]:
        return _newcombe(strata, estimate, level=2 * norm.sf(deviations))

    low, high = bounds(norm.isf(LEVEL / 2))

    def nearest_to_zero(deviations: float) -> float:
        inner, outer = bounds(deviations)
        return inner if estimate > 0 else -outer

    p_value = 1.0
    if nearest_to_zero(_CERTAIN) > 0:
        p_value = 0.0
    elif estimate:
        p_value = float(2 * norm.sf(brentq(nearest_to_zero, 0, _CERTAIN)))
    return Lift(target, control, low, high, p_value)


def of_revenue(strata: Sequence[Stratum]) -> Lift:
    """The difference of the revenue per user; each side of a stratum needs two users."""
    from scipy.stats import t

    target, control = _averages(strata, [(each.target.mean, each.control.mean) for each in strata])
    estimate = target - control
    parts = [
        (weight**2 * side.variance_of_mean, side.users - 1)
        for weight, each in zip(_weights(strata), strata, strict=True)
        for side in (each.target, each.control)
    ]
    variance = sum(part for part, _ in parts)
    if not variance:  # nobody paid, or everybody the same
        return Lift(target, control, estimate, estimate, 0.0 if estimate else 1.0)
    freedom = variance**2 / sum(part**2 / others for part, others in parts)
    error = math.sqrt(variance)
    margin = float(t.isf(LEVEL / 2, freedom)) * error
    return Lift(target, control, estimate - margin, estimate + margin, float(2 * t.sf(abs(estimate) / error, freedom)))


def _newcombe(strata: Sequence[Stratum], estimate: float, *, level: float) -> tuple[float, float]:
    """The interval from the Wilson intervals of all rates: each side's distance to its own bound, squared and added."""
    from statsmodels.stats.proportion import proportion_confint

    down = up = 0.0
    for weight, each in zip(_weights(strata), strata, strict=True):
        one, other = each.target, each.control
        low, high = proportion_confint(one.converters, one.users, alpha=level, method="wilson")
        other_low, other_high = proportion_confint(other.converters, other.users, alpha=level, method="wilson")
        down += weight**2 * ((one.rate - low) ** 2 + (other_high - other.rate) ** 2)
        up += weight**2 * ((high - one.rate) ** 2 + (other.rate - other_low) ** 2)
    return estimate - math.sqrt(down), estimate + math.sqrt(up)


def _weights(strata: Sequence[Stratum]) -> list[float]:
    targets = sum(each.target.users for each in strata)
    return [each.target.users / targets for each in strata]


def _averages(strata: Sequence[Stratum], sides: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Target and control side of all strata."""
    weights = _weights(strata)
    target = math.fsum(weight * one for weight, (one, _) in zip(weights, sides, strict=True))
    return target, math.fsum(weight * other for weight, (_, other) in zip(weights, sides, strict=True))

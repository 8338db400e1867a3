"""A goal's report: figures of each arm, comparisons with the control groups, and words where a figure would mislead."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from audiences.goal import report_words
from audiences.goal.lift import (
    FEWEST_CONVERTERS,
    FEWEST_USERS,
    LEVEL,
    ArmSample,
    Lift,
    Stratum,
    of_rates,
    of_revenue,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from audiences.campaign.goal import Goal
    from audiences.campaign.spec import CampaignSpec
    from audiences.goal.counting import Count, Windows

ArmName = Literal["target", "campaign", "custom", "system"]
CONTROLS: tuple[ArmName, ...] = ("campaign", "custom", "system")


class ReportPart(BaseModel):
    """A frozen part of a report; JSON in, JSON out."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ArmFigures(ReportPart):
    """Everyone assigned to one arm up to the report's time, and what they did in their windows so far.

    `open_windows`: users who may still convert. A user is one converter however often they convert, and `revenue` sums
    all their conversions. Figures per user are None without users, those of revenue where the goal names none.
    """

    arm: ArmName
    users: int
    open_windows: int
    converters: int
    conversions: int
    rate: float | None
    revenue: float | None
    revenue_per_user: float | None


class Estimate(ReportPart):
    """Targets against a control group: per user on both sides, the difference with its 95 % interval and p-value.

    `incremental` is what all the targets compared did beyond what they would have done, with its interval;
    `boost_percent` is the difference in percent of the control side.
    """

    target: float
    control: float
    difference: float
    low: float
    high: float
    p_value: float
    significant: bool
    boost_percent: float | None
    incremental: float
    incremental_low: float
    incremental_high: float


class ControlComparison(ReportPart):
    """The targets and one control group, over users whose window has ended.

    `targets` and `controls` are the users compared; an estimate is None where it would mislead, and `words` say why.
    """

    control: ArmName
    targets: int
    controls: int
    conversions: Estimate | None
    revenue: Estimate | None
    words: tuple[str, ...]


class Data(ReportPart):
    """What the figures were made from: the goal's events that were read, of whatever user, and when users were assigned."""

    warehouse: str
    events: int
    newest_event: AwareDatetime | None
    first_assigned: AwareDatetime | None
    last_assigned: AwareDatetime | None
    last_window_ends: AwareDatetime | None


class Report(ReportPart):
    """A campaign's goal as measured once; equal data give an equal report. `notes` concern all of it."""

    campaign: str
    as_of: AwareDatetime
    goal: dict[str, Any]
    goal_digest: str
    config_digest: str
    data: Data
    arms: tuple[ArmFigures, ...]
    comparisons: tuple[ControlComparison, ...]
    notes: tuple[str, ...]

    @property
    def users(self) -> int:
        """Everyone assigned."""
        return sum(arm.users for arm in self.arms)

    def in_words(self) -> str:
        """One line for a log or a note."""
        for comparison in self.comparisons:
            if (found := comparison.conversions) is not None:
                return report_words.verdict(comparison.control, found.difference, found.low, found.high, found.p_value)
        said = [*self.notes, *(word for comparison in self.comparisons for word in comparison.words)]
        return f"{self.users:,} users assigned; {'; '.join(said)}"


def goal_digest(goal: Goal) -> str:
    """SHA-256 over the goal's canonical JSON: two equal digests mean the same question."""
    canonical = json.dumps(goal.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def report(
    spec: CampaignSpec, goal: Goal, *, at: datetime, counts: Sequence[Count], windows: Windows | None, data: Data
) -> Report:
    """Put the counts of a campaign into a report as of `at`; without `windows` nobody was assigned."""
    arms = [_arm(arm, counts, goal) for arm in ("target", *CONTROLS)]
    present = {arm.arm for arm in arms if arm.users}
    return Report(
        campaign=spec.id,
        as_of=at,
        goal=goal.model_dump(mode="json", by_alias=True, exclude_none=True),
        goal_digest=goal_digest(goal),
        config_digest=spec.digest,
        data=data,
        arms=tuple(arm for arm in arms if arm.arm in present | {"target", "campaign"}),
        comparisons=tuple(
            _compare(spec, goal, control, counts, windows)
            for control in CONTROLS
            if windows is not None and control in present | {"campaign"}
        ),
        notes=tuple(report_words.notes(spec, counts, windows)),
    )


def _arm(arm: ArmName, counts: Iterable[Count], goal: Goal) -> ArmFigures:
    of_arm = [count for count in counts if count.arm == arm]
    users, converters = sum(count.users for count in of_arm), sum(count.converters for count in of_arm)
    revenue = _figure(sum(count.revenue for count in of_arm)) if goal.revenue else None
    return ArmFigures(
        arm=arm,
        users=users,
        open_windows=sum(count.users for count in of_arm if not count.ended),
        converters=converters,
        conversions=sum(count.conversions for count in of_arm),
        rate=_figure(converters / users) if users else None,
        revenue=revenue,
        revenue_per_user=_figure(revenue / users) if revenue is not None and users else None,
    )


def _compare(
    spec: CampaignSpec, goal: Goal, control: ArmName, counts: Sequence[Count], windows: Windows | None
) -> ControlComparison:
    both = [count for count in counts if count.arm in ("target", control)]
    ended = [count for count in both if count.ended]
    by_terms = {terms: _stratum(terms, control, ended) for terms in sorted({count.terms for count in ended})}
    strata = {
        terms: each for terms, each in by_terms.items() if min(each.target.users, each.control.users) >= FEWEST_USERS
    }
    compared = list(strata.values())
    if obstacle := report_words.obstacle(spec, control, both, ended, compared, windows):
        return ControlComparison(
            control=control, targets=0, controls=0, conversions=None, revenue=None, words=(obstacle,)
        )
    said = list(report_words.left_out(control, both, ended, by_terms, strata))
    conversions = _estimate(of_rates(compared), compared)
    revenue = None
    if goal.revenue is not None:
        fewest = min(
            sum(each.target.converters for each in compared), sum(each.control.converters for each in compared)
        )
        if fewest < FEWEST_CONVERTERS:
            said.append(report_words.few_converters(fewest))
        else:
            revenue = _estimate(of_revenue(compared), compared)
    return ControlComparison(
        control=control,
        targets=sum(each.target.users for each in compared),
        controls=sum(each.control.users for each in compared),
        conversions=conversions,
        revenue=revenue,
        words=tuple(said),
    )


def _stratum(terms: str, control: ArmName, ended: Iterable[Count]) -> Stratum:
    def side(arm: ArmName) -> ArmSample:
        found = [count for count in ended if count.terms == terms and count.arm == arm]
        return ArmSample(
            users=sum(count.users for count in found),
            converters=sum(count.converters for count in found),
            revenue=float(sum(count.revenue for count in found)),
            revenue_squared=sum(count.revenue_squared for count in found),
        )

    return Stratum(side("target"), side(control))


def _estimate(found: Lift, strata: Sequence[Stratum]) -> Estimate:
    targets = sum(each.target.users for each in strata)
    return Estimate(
        target=_figure(found.target),
        control=_figure(found.control),
        difference=_figure(found.estimate),
        low=_figure(found.low),
        high=_figure(found.high),
        p_value=_figure(found.p_value),
        significant=found.p_value < LEVEL,
        boost_percent=_figure(100 * found.estimate / found.control) if found.control > 0 else None,
        incremental=_figure(targets * found.estimate),
        incremental_low=_figure(targets * found.low),
        incremental_high=_figure(targets * found.high),
    )


def _figure(value: Any) -> float:
    """Twelve digits, so that no report differs from another in what rounding left behind."""
    return float(f"{float(value):.12g}")

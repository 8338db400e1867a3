"""What a goal's report says in words: why something is not compared, what is left out, what to be careful about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.goal.lift import FEWEST_CONVERTERS, FEWEST_USERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.goal.counting import Count, Windows
    from audiences.goal.lift import Stratum

NAMES = {
    "target": "targets",
    "campaign": "control group",
    "custom": "custom control group",
    "system": "system control group",
}
"""The arms as people call them."""


def obstacle(
    spec: CampaignSpec,
    control: str,
    both: Sequence[Count],
    ended: Sequence[Count],
    compared: Sequence[Stratum],
    windows: Windows | None,
) -> str | None:
    """Why the targets cannot be compared with this control group at all; None when they can.

    `both` are the counts of the two arms, `ended` those whose windows have ended, `compared` the strata large enough.
    """
    name = NAMES[control]
    targets, controls = _users(both, "target"), _users(both, control)
    if not controls:
        return _no_control(spec, control, targets)
    if not targets:
        return "nobody has been targeted yet, so there is nothing to compare"
    if not _users(ended, "target") or not _users(ended, control):
        first = f"; the first window ends {_time(spec, windows.first_end)}" if windows is not None and not ended else ""
        return f"windows still open: all users of the targets or of the {name} may still convert{first}"
    if not compared:
        return (
            f"too few users to compare: {_users(ended, 'target'):,} targets and {_users(ended, control):,} users of the "
            f"{name} have had their window, and each side needs {FEWEST_USERS} under the same percentages; what fewer do "
            "says more about chance than about the campaign"
        )
    if not sum(each.control.converters for each in compared):
        return (
            f"nobody in the {name} converted, out of {sum(each.control.users for each in compared):,}; a boost over zero "
            "is no number, so none is given"
        )
    return None


def left_out(
    control: str,
    both: Sequence[Count],
    ended: Sequence[Count],
    by_terms: Mapping[str, Stratum],
    strata: Mapping[str, Stratum],
) -> Iterator[str]:
    """Who is not in a comparison that could be made, and how it was made where the percentages had changed."""
    still_open = sum(count.users for count in both) - sum(count.users for count in ended)
    if still_open:
        yield f"windows still open: {still_open:,} users may still convert and are not compared yet"
    if len(strata) > 1:
        yield (
            f"the control groups' percentages were changed: users assigned under another percentage are compared among "
            f"themselves, and the {len(strata)} differences averaged by targets ({'; '.join(strata)})"
        )
    for terms, each in by_terms.items():
        if terms not in strata:
            yield (
                f"{each.target.users + each.control.users:,} users were assigned under another percentage "
                f"({terms or 'no control group'}), too few of them as targets or in the {NAMES[control]}, and are not compared"
            )


def few_converters(fewest: int) -> str:
    """Why there is a comparison of conversions and none of revenue."""
    return (
        f"revenue is not compared: one side has {fewest:,} converters, and with fewer than {FEWEST_CONVERTERS} single purchases "
        "decide the result"
    )


def notes(spec: CampaignSpec, counts: Sequence[Count], windows: Windows | None) -> Iterator[str]:
    """What concerns the report as a whole."""
    if windows is None:
        yield "nobody has been assigned yet"
        return
    still_open = sum(count.users for count in counts if not count.ended)
    if still_open:
        users = sum(count.users for count in counts)
        yield (
            f"windows still open for {still_open:,} of {users:,} users, the last until {_time(spec, windows.last_end)}: "
            "rates and revenue can still grow"
        )
    if windows.spared:
        yield (f"{windows.spared:,} users under `never_hold_out` are left out: they are targets by name, not by chance")
    if windows.begun:
        missed = f", of whom {windows.missed:,} had none of it left" if windows.missed else ""
        yield (
            f"{windows.begun:,} users were assigned after the launch, in the middle of their window{missed}: "
            "what they did before counts as well, in all groups alike, and makes lift look smaller"
        )
    if spec.campaign.goal is not None and spec.campaign.goal.revenue is not None:
        missing = sum(count.conversions - count.amounts for count in counts)
        if missing:
            yield f"{missing:,} conversions have no `{spec.campaign.goal.revenue}` and add no revenue"
    if spec.campaign.who.target_cap is not None:
        yield (
            "the campaign has a `target_cap`: users who wait for a place are assigned later than the control group, "
            "so the two are not quite alike"
        )


def verdict(control: str, difference: float, low: float, high: float, p_value: float) -> str:
    """The result about conversions in one sentence."""
    name = NAMES[control]
    span = f"{100 * difference:+.2f} points against the {name}, 95 % interval {100 * low:+.2f} to {100 * high:+.2f}"
    if low > 0:
        return f"targets converted more: {span}, {p_text(p_value)}"
    if high < 0:
        return f"targets converted less: {span}, {p_text(p_value)}"
    return f"no difference shown: {span}, {p_text(p_value)}"


def p_text(p_value: float) -> str:
    """A p-value as people read it."""
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.4f}"


def _no_control(spec: CampaignSpec, control: str, targets: int) -> str:
    if control == "campaign" and not spec.campaign.who.control_group.percent:
        return (
            "no control group: nobody knows what the targets would have done without the campaign; "
            "`who: {control_group: {percent: 10}}` holds out a tenth of those who come from then on"
        )
    return f"no control group: none of {targets:,} users was assigned to the {NAMES[control]} yet"


def _users(counts: Sequence[Count], arm: str) -> int:
    return sum(count.users for count in counts if count.arm == arm)


def _time(spec: CampaignSpec, moment: datetime) -> str:
    return moment.astimezone(spec.zone).strftime("%Y-%m-%d %H:%M %Z")

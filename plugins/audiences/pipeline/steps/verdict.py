"""The verdict on a run, by its record: its state, why it failed, and what a person should look at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from audiences.campaign.wording import counted
from audiences.ledger.runs import RunState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audiences.ledger.request_counts import Totals
    from audiences.ledger.runs import EndedState, Noted

# The share of the rows sent that Facebook could not use. We send well-formed hashes only, so there should be none; a few
# may be its own business, one in ten means that the data or the encoding is wrong. A small upload reaches any share with a
# few rows, which alone are no failure.
WARNS_ABOVE = 0.01
FAILS_ABOVE = 0.10
FEW_ROWS = 10

_FROM_OUTSIDE = "the run was ended from outside"
_PARTLY_CLEARED = (
    "only some tasks of a run that had ended were cleared, and what they were to send was planned then; nothing was sent. "
    "Clear the whole run: then it is run as of now"
)
_SEE_COUNTS = (
    "See the counts of rejected values in the run's summary, and whether the catalog maps the right columns to the "
    "identifiers and says `pre_hashed` of those that hold hashes."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`error` is None for a success; `warnings` are sentences for people.

    `uploaded`: everything that was planned is acknowledged, which alone makes no success.
    """

    state: EndedState
    error: str | None
    warnings: tuple[str, ...]
    uploaded: bool = False

    def with_ad_sets(self, wrong: Sequence[str]) -> Verdict:
        """That of a run that has uploaded everything and was about ad sets too, by what is `wrong` with them, in sentences."""
        if not wrong:
            return self
        error = f"the upload is complete, but not the ad sets: {'; '.join(wrong)}"
        return replace(self, state=RunState.FAILED, error=error)


def judge(
    totals: Totals, noted: Noted, *, planned: bool, partly_cleared: bool = False, quarantined: int = 0
) -> Verdict:
    """From the run's totals and what is noted of it; `planned` is False when it did not get to a plan.

    `partly_cleared`: its tasks had one, but it is of before some of them were cleared. `quarantined` users were not sent, because
    Facebook refused their rows lately.
    """
    rejected = sum(totals.rejected.values())
    unusable, share = _unusable(totals.invalid + rejected, totals.taken + rejected)
    warnings = tuple(_warnings(totals, rejected, quarantined, unusable if share > WARNS_ABOVE else ""))
    if not planned or totals.unsent:
        return Verdict(
            RunState.STOPPED if noted.stopped else RunState.FAILED,
            noted.error or (_PARTLY_CLEARED if partly_cleared else _FROM_OUTSIDE),
            warnings,
        )
    if totals.refused:
        return Verdict(
            RunState.FAILED,
            f"Facebook did not take {totals.refused} of {totals.requests} requests: {totals.error}",
            warnings,
        )
    if totals.dropped:
        error = (
            f"{totals.dropped} requests were not sent: another run changed the audience while this one waited. "
            "The next run computes anew what is to change"
        )
        return Verdict(RunState.FAILED, error, warnings)
    if totals.nothing_added or (rejected and not totals.taken):
        return Verdict(
            RunState.FAILED, f"Facebook refused all rows, {_reasons(totals.rejected)}. {_SEE_COUNTS}", warnings
        )
    if share > FAILS_ABOVE and totals.invalid + rejected > FEW_ROWS:
        error = f"{unusable}, more than {FAILS_ABOVE:.0%}. What Facebook took stays in the audience. {_SEE_COUNTS}"
        return Verdict(RunState.FAILED, error, warnings)
    return Verdict(RunState.SUCCESS, None, warnings, uploaded=True)


def _unusable(rows: int, sent: int) -> tuple[str, float]:
    share = rows / sent if sent else 0.0
    return f"Facebook could not use {rows:,} of the {sent:,} rows sent ({share:.1%})", share


def _warnings(totals: Totals, rejected: int, quarantined: int, unusable: str) -> list[str]:
    said: list[str] = []
    if totals.invalid and unusable:
        said.append(f"{unusable}; it counts {totals.invalid:,} as invalid and does not say which. {_SEE_COUNTS}")
    if rejected:
        said.append(f"Facebook refused {rejected:,} of the rows: {_reasons(totals.rejected)}")
    if quarantined:
        said.append(
            f"{quarantined:,} users were not sent, since Facebook refused their rows in the last 30 days; they are tried "
            "again after that, or as soon as their identifiers change"
        )
    if totals.postponed:
        said.append(
            f"Facebook did not remove {totals.postponed:,} rows, since too few people would be left in the audience; "
            "the next run tries again"
        )
    if totals.unreceived > 0:
        # Its answers are counted against the plan: whoever was erased or opted out since is not in the requests any more.
        said.append(f"Facebook says that it received {counted(totals.unreceived, 'row')} less than planned")
    return said


def _reasons(rejected: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} because {reason.rstrip('.')}" for reason, count in rejected.items())

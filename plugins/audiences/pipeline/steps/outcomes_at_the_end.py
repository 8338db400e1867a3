"""The outcomes of a run at its end: what was planned, held against what was acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.ledger import members, rejected_rows
from audiences.pipeline.results import LEFT_OUT
from audiences.who.outcomes import DECIDED, Outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.ledger.request_counts import Totals
    from audiences.ledger.runs import Noted
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Plan, RunRef


def outcomes_at_the_end(
    resources: CampaignResources, run: RunRef, planned: Plan | None, totals: Totals, noted: Noted
) -> tuple[Outcomes, int]:
    """The outcomes, and how many of the kept are re-keyed; `planned` is None for a run that sent nothing of a plan.

    Raises UnreconciledError when they do not add up.
    """
    if planned is None:
        return outcomes_unsent(noted.planned, totals), 0
    rekeyed = _rekeyed(resources, run, totals, noted)
    return _after_upload(resources, run, planned, totals, noted, rekeyed=rekeyed), rekeyed


def _after_upload(
    resources: CampaignResources, run: RunRef, planned: Plan, totals: Totals, noted: Noted, *, rekeyed: int
) -> Outcomes:
    """Those of a run that was `planned`: what began is `added` where acknowledged and `failed` elsewhere.

    Of those who began, `rekeyed` were members before, under other identifiers, and are `kept`.

    `failed` are as well those whom a replace had to leave out, since Facebook refused their rows, or they have opted out since.
    """
    on_record = noted.planned
    added = _begun(totals, on_record)
    # A difference never sends those who are in already, so that it cannot lose one.
    lost = rejected_rows.lost(resources.ledger, run.run, run.campaign) if totals.rejected and run.full_refresh else 0
    # Members whom the campaign does not want, and was not to take out, are `removed`.
    lost = min(lost + on_record.get(LEFT_OUT, 0), planned.outcomes["kept"])
    outcomes = Outcomes(
        **{**planned.outcomes, "kept": planned.outcomes["kept"] + rekeyed - lost},
        added=added - rekeyed,
        failed=planned.begun - added + lost,
        removed=totals.gone + on_record["gone_unsent"] - lost,
    )
    outcomes.check()
    return outcomes


def _rekeyed(resources: CampaignResources, run: RunRef, totals: Totals, noted: Noted) -> int:
    """Of those who began, the members whose identifiers had changed; looked for only where the plan had found some."""
    if not noted.planned.get("rekeyed"):
        return 0
    found = members.rekeyed(resources.ledger, run.audience, run.campaign, run.run)
    return min(found, _begun(totals, noted.planned))


def outcomes_unsent(counted: Mapping[str, int], totals: Totals) -> Outcomes:
    """The outcomes of a run that counted and went no further: whom it would have added are `failed`.

    What an earlier attempt of the same run had sent is `added` and `removed` all the same. All zero when nothing was counted.
    """
    if "leaving" not in counted:
        return Outcomes()
    decided = {name: counted[name] for name in (*DECIDED, "qualified") if name in counted}
    added = min(totals.begun + counted.get("begun_unsent", 0), counted["kept"])
    outcomes = Outcomes(
        **decided,
        added=added,
        kept=counted["kept"] - added,
        failed=counted["begun"],
        removed=totals.gone + counted.get("gone_unsent", 0),
    )
    outcomes.check()
    return outcomes


def _begun(totals: Totals, on_record: Mapping[str, int]) -> int:
    """Users whose membership under what was sent began with the run, as acknowledged."""
    return int(totals.begun + on_record["begun_unsent"] - on_record["begun_and_gone"])

"""Compare the staged candidates, under the cap and as long as members are kept, with whom the ledger holds; writes nothing."""

from __future__ import annotations

import tempfile
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.campaign.windows import local_midnight
from audiences.ledger import (
    assignments,
    audience_revisions,
    expiry,
    members,
    rejected_rows,
)
from audiences.pipeline.staging import Staging, candidates_file, opted_out_file
from audiences.user_ids import USERS
from audiences.what.difference import CANDIDATES, Counts, Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audiences.campaign.what import Action
    from audiences.ledger.audience_revisions import Holding
    from audiences.ledger.database import Ledger
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef, Selected


@contextmanager
def compared(
    resources: CampaignResources,
    run: RunRef,
    selected: Sequence[Selected],
    *,
    action: Action | None = None,
    now: datetime | None = None,
    opted_out_since: Sequence[str] = (),
) -> Iterator[tuple[Difference, Counts]]:
    """The difference between the staged candidates under the cap and what the ledger holds; writes nothing.

    `action` is the campaign's unless another one is given. `now` is the clock's, except for a preview of another time:
    `keep_for`, a cap per day and quarantined rows go by it. `opted_out_since`: staged files of users (`user_id`) who have opted
    out since they were staged as candidates.
    """
    now = now or resources.now()
    with (
        tempfile.TemporaryDirectory(prefix="audiences-") as spill,
        closing(
            Difference(
                campaign=run.campaign,
                action=action or resources.spec.campaign.what.audience.action,
                spill=Path(spill),
                anew=run.in_doubt is not None,
            )
        ) as difference,
    ):
        _hold(resources, run, difference)
        staging = Staging(run.staging)
        candidates = staging.rows(*(candidates_file(part.number) for part in selected))
        difference.want(pa.RecordBatchReader.from_batches(CANDIDATES, candidates))
        if opted_out_since:
            difference.withdraw(pa.RecordBatchReader.from_batches(USERS, staging.rows(*opted_out_since)))
        if run.full_refresh:
            opted_out = staging.rows(*(opted_out_file(part.number) for part in selected), *opted_out_since)
            difference.leave_out(pa.RecordBatchReader.from_batches(USERS, opted_out))
        difference.quarantine(rejected_rows.quarantined(resources.ledger, run.audience, now))
        _apply_cap(resources, run, difference, now)
        _apply_expiry(resources, run, difference, now)
        yield difference, difference.compute()


class _OfOthers:
    """What other campaigns hold in an audience, which is looked at only for rows that come or go."""

    def __init__(self, ledger: Ledger, audience: int, *, campaign: int, holding: Holding) -> None:
        self._ledger, self._audience, self._campaign = ledger, audience, campaign
        self.memberships, self.rows = holding.memberships, holding.rows

    @contextmanager
    def with_rows(self, identifiers: Sequence[bytes] | None) -> Iterator[pa.RecordBatchReader]:
        """As in `what.difference.OthersOnRecord`."""
        if identifiers is None:
            with members.held(self._ledger, self._audience, but_by=self._campaign) as held:
                yield held
        else:
            found = members.held_with(self._ledger, self._audience, but_by=self._campaign, rows=identifiers)
            yield found.to_reader()


def _hold(resources: CampaignResources, run: RunRef, difference: Difference) -> None:
    """Say whom the audience holds: of a large one that others fill, what the campaign itself holds, where that is enough."""
    ledger = resources.ledger
    difference.revision = audience_revisions.newest(ledger, run.audience)
    holding = audience_revisions.counted(ledger, run.audience)
    if holding is None or not difference.compares_own or run.full_refresh:
        with members.held(ledger, run.audience) as held:
            difference.hold(held)
        return
    others = _OfOthers(ledger, run.audience, campaign=run.campaign, holding=holding)
    with members.held(ledger, run.audience, by=run.campaign) as own:
        difference.hold(own, others=others)


def _apply_cap(resources: CampaignResources, run: RunRef, difference: Difference, now: datetime) -> None:
    cap = resources.spec.campaign.who.target_cap
    if cap is None:
        return
    exempt = USERS.empty_table()
    if cap.per == "total":
        exempt = assignments.ever_targeted(resources.ledger, run.campaign)
    elif cap.per == "day":
        today = now.astimezone(resources.spec.zone).date()
        first, after = (local_midnight(today + timedelta(days=days), resources.spec.zone) for days in (0, 1))
        exempt = assignments.added_between(resources.ledger, run.campaign, first, after)
    difference.cap(cap.users - exempt.num_rows, exempt)


def _apply_expiry(resources: CampaignResources, run: RunRef, difference: Difference, now: datetime) -> None:
    campaign = resources.spec.campaign
    if campaign.what.keep_for is None:
        return
    since = now - campaign.what.keep_for.delta
    difference.expire(
        expiry.expiring(resources.ledger, audience=run.audience, campaign=run.campaign, since=since),
        expiry.expired(resources.ledger, audience=run.audience, campaign=run.campaign),
        # To a live campaign every event is a qualification of its own.
        again=campaign.qualification == "live",
    )

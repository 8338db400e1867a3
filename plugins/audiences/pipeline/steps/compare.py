"""Compare the staged candidates, under the cap and as long as members are kept, with whom the ledger holds; writes nothing."""

from __future__ import annotations

import tempfile
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from audiences.campaign.windows import local_midnight
from audiences.ledger import (
    assignments,
    audience_revisions,
    expiry,
    members,
    rejected_rows,
)
from audiences.pipeline.staging import Staging, candidates_file, opted_out_file, remembered_file
from audiences.pipeline.steps.known.besides import Besides
from audiences.pipeline.steps.known.changed import MembersChangedError
from audiences.pipeline.steps.known.kept_users import looked_up, who_are_kept
from audiences.user_ids import USERS
from audiences.what.changes import CANDIDATES
from audiences.what.difference import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audiences.campaign.what import Action
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import KeptUsers, RunRef, Selected
    from audiences.what.changes import Counts

_AT_A_TIME: Final = 16_384
"""Candidates. Each column of so many takes less memory than a block that is taken from the system, and given back, by itself:
of four times as many that took half of the time of reading them."""


@contextmanager
def compared(
    resources: CampaignResources,
    run: RunRef,
    selected: Sequence[Selected],
    *,
    kept: KeptUsers | None = None,
    action: Action | None = None,
    now: datetime | None = None,
    opted_out_since: Sequence[str] = (),
) -> Iterator[tuple[Difference, Counts]]:
    """The difference between the staged candidates under the cap and what the ledger holds; writes nothing.

    `kept` are the members who stay as they are, as the extraction found them. `action` is the campaign's unless another one is
    given. `now` is the clock's, except for a preview of another time: `keep_for`, a cap per day and quarantined rows go by it.
    `opted_out_since`: staged files of users (`user_id`) who have opted out since they were staged as candidates. Raises
    MembersChangedError.
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
        _hold(resources, run, difference, kept)
        _want(resources, run, difference, selected, kept)
        staging = Staging(run.staging)
        if opted_out_since:
            difference.withdraw(pa.RecordBatchReader.from_batches(USERS, staging.rows(*opted_out_since)))
        if run.full_refresh:
            opted_out = staging.rows(*(opted_out_file(part.number) for part in selected), *opted_out_since)
            difference.leave_out(pa.RecordBatchReader.from_batches(USERS, opted_out))
        difference.quarantine(rejected_rows.quarantined(resources.ledger, run.audience, now))
        _apply_cap(resources, run, difference, now)
        _apply_expiry(resources, run, difference, now)
        yield difference, difference.compute()


def _hold(resources: CampaignResources, run: RunRef, difference: Difference, kept: KeptUsers | None) -> None:
    """Say whom the audience holds, as much of it as is needed: not what others hold, nor members who stay as they are."""
    ledger, audience, staging = resources.ledger, run.audience, Staging(run.staging)
    difference.revision = audience_revisions.newest(ledger, audience)
    holding = audience_revisions.counted(ledger, audience)
    if holding is None or not difference.compares_own or run.full_refresh:
        with members.held(ledger, audience) as held:
            difference.hold(held)
    elif kept is not None and kept.revision == difference.revision:
        besides = Besides(ledger, run, holding, staging=staging)
        held = members.held_of(ledger, audience, by=run.campaign, users=looked_up(staging))
        difference.hold(held.to_reader(), others=besides, kept=kept.rows)
    else:
        with members.held(ledger, audience, by=run.campaign) as own:
            difference.hold(own, others=Besides(ledger, run, holding))


def _want(
    resources: CampaignResources,
    run: RunRef,
    difference: Difference,
    selected: Sequence[Selected],
    kept: KeptUsers | None,
) -> None:
    """Say who is wanted: the candidates, and the members who stay as they are, unless they count as held without a look."""
    staging = Staging(run.staging)
    candidates = staging.rows(*(candidates_file(part.number) for part in selected), at_a_time=_AT_A_TIME)
    difference.want(pa.RecordBatchReader.from_batches(CANDIDATES, candidates), hashes=_hashes(staging, selected))
    if kept is None or difference.kept:
        return
    with who_are_kept(staging) as rows:
        unknown = difference.want_held(rows)
    if unknown:
        raise MembersChangedError(campaign=resources.spec.id, users=unknown)


def _hashes(staging: Staging, selected: Sequence[Selected]) -> Iterator[pa.Array]:
    """The hashes of the candidates' rows, which are staged for the next run, in the order of the candidates.

    They end before those that a worker has made in another version, where DuckDB hashes otherwise.
    """
    for part in selected:
        known = _first_hash(staging, candidates_file(part.number))
        for batch in staging.rows(remembered_file(part.number), columns=["row_hash", "settled"]):
            hashes = batch.column("row_hash").filter(batch.column("settled"))
            if known is not None and len(hashes):
                if hashes[0] != known:
                    return
                known = None
            yield hashes


def _first_hash(staging: Staging, candidates: str) -> pa.Scalar | None:
    """The hash of the first row of a file of candidates, made here."""
    from audiences.digests.by_duckdb import row_hashes  # only where nobody is held, or nobody comes or goes

    with closing(staging.rows(candidates, columns=["identifiers"], at_a_time=1)) as rows:
        first = next(rows, None)
    return None if first is None else row_hashes(first.column("identifiers"))[0]


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

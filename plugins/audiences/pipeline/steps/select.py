"""Select: property filters, reachability and control groups over one staged shard, in pandas on Arrow-backed frames."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from audiences.concurrency import map_concurrently, prefetch
from audiences.ledger import assignments, erasures, snapshots
from audiences.pipeline.results import RunRef, Selected, Shard
from audiences.pipeline.staging import (
    HELD_OUT,
    SNAPSHOT,
    Staging,
    candidates_file,
    held_out_file,
    never_held_out_file,
    opted_out_file,
    remembered_file,
    shard_file,
)
from audiences.pipeline.steps.known.changed import MembersChangedError
from audiences.pipeline.steps.known.stage_snapshot import remembered as to_remember
from audiences.query.columns import columns_of
from audiences.user_ids import USERS
from audiences.what.difference import CANDIDATES
from audiences.what.erased import Erased
from audiences.who.cap import rank_keys
from audiences.who.control import Arm, assign
from audiences.who.filters import matches

if TYPE_CHECKING:
    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources
    from audiences.query.columns import Columns

DECIDE_CONCURRENCY = 2  # batches


def select(resources: CampaignResources, run: RunRef, shard: Shard) -> Selected:
    """Decide the outcome of every user of the shard up to the control groups; stage candidates and held-out users."""
    recorded = assignments.not_by_formula(resources.ledger, run.campaign, resources.spec.control_terms(run.salt))
    erased = Erased(*erasures.known(resources.ledger))
    staging = Staging(run.staging)
    outcomes: Counter[str] = Counter()

    def decided_on(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pd.Series[str], pa.Array]:
        of_erased = erased.among(batch.column("user_id"), batch.column("identifiers"))
        return batch, _decide(resources.spec, run, batch, recorded, of_erased), of_erased

    with (
        staging.writer(candidates_file(shard.number), CANDIDATES) as candidates,
        staging.writer(held_out_file(shard.number), HELD_OUT) as held_out,
        staging.writer(opted_out_file(shard.number), USERS) as opted_out,
        staging.writer(never_held_out_file(shard.number), USERS) as never_held_out,
        staging.writer(remembered_file(shard.number), SNAPSHOT) as remembered,
    ):
        batches = prefetch(staging.rows(shard_file(shard.number)))
        for batch, decided, of_erased in map_concurrently(decided_on, batches, max_concurrency=DECIDE_CONCURRENCY):
            outcomes.update({str(name): int(count) for name, count in decided.value_counts().items()})
            try:
                candidates.write_table(_candidates(resources.spec, run, batch, decided))
            except MembersChangedError:
                snapshots.forget(resources.ledger, run.campaign)
                raise
            held_out.write_table(_held_out(batch, decided))
            if "fingerprint" in batch.schema.names:
                remembered.write_batch(to_remember(batch, decided, of_erased))
            opted_out.write_table(_users(batch, decided == "opted_out"))
            never_held_out.write_table(_users(batch, (decided == "candidate") & _never_held_out(resources.spec, batch)))
    return Selected(number=shard.number, outcomes=dict(outcomes))


def decide(
    spec: CampaignSpec, run: RunRef, batch: pa.RecordBatch, recorded: pa.Table, erased: Erased
) -> pd.Series[str]:
    """The outcome of each user of a batch, in the fixed order: filters, opt-out, identifiers, control groups.

    `candidate` marks those who are targeted if the cap lets them. Who was erased counts as opted out. The index is that of
    the batch's rows.
    """
    return _decide(
        spec, run, batch, recorded, erased.among(batch.column("user_id"), batch.column("identifiers"))
    )  # fmt: skip


def _decide(
    spec: CampaignSpec, run: RunRef, batch: pa.RecordBatch, recorded: pa.Table, of_erased: pa.Array
) -> pd.Series[str]:
    columns = columns_of(spec)
    frame = batch.select([columns.opted_out, *_looked_at(columns, batch)]).to_pandas(types_mapper=pd.ArrowDtype)
    decided = pd.Series("candidate", index=frame.index, dtype="str")
    decided[~_reachable(batch)] = "no_identifier"
    decided[frame[columns.opted_out].astype(bool)] = "opted_out"
    tree = spec.campaign.who.with_properties
    if tree is not None:
        if "passes" in frame:
            passed = frame["passes"].astype(bool)
        else:
            passed = matches(tree, frame, columns=columns.properties, catalog=spec.catalog, at=run.at, zone=spec.zone)
        decided[~passed] = "filtered_out"
    decided[_series(of_erased) & (decided == "candidate")] = "opted_out"
    left = (decided == "candidate").to_numpy()
    chosen, spared = pa.array(left), pa.array(_never_held_out(spec, batch)[left].to_numpy(dtype=bool))
    assigned = assign(
        batch.column(columns.user_id).filter(chosen), spec, recorded, salt=run.salt, spared=spared
    ).to_numpy()
    arms = pd.Series(assigned, index=frame.index[left])
    for arm in Arm:
        if arm is not Arm.TARGET:
            decided[arms.index[arms == arm.value]] = arm.outcome
    return decided


def _looked_at(columns: Columns, batch: pa.RecordBatch) -> list[str]:
    """The columns that say whether the property filters let a user through: already, or by what the user is."""
    return ["passes"] if "passes" in batch.schema.names else list(columns.properties.values())


def _series(truth: pa.Array) -> pd.Series[bool]:
    return pd.Series(truth.to_numpy(zero_copy_only=False), dtype=bool)


def _reachable(batch: pa.RecordBatch) -> pd.Series[bool]:
    """Whether there is a row to send; of members who are known and no targets any more there is a hash of it."""
    there = pc.is_valid(batch.column("identifiers"))
    if "row_hash" in batch.schema.names:
        there = pc.or_(there, pc.is_valid(batch.column("row_hash")))
    return _series(there)


def _candidates(spec: CampaignSpec, run: RunRef, batch: pa.RecordBatch, decided: pd.Series[str]) -> pa.Table:
    chosen = pa.array((decided == "candidate").to_numpy())
    users = batch.column("user_id").filter(chosen)
    identifiers = batch.column("identifiers").filter(chosen)
    if identifiers.null_count:
        raise MembersChangedError(campaign=spec.id, users=identifiers.null_count)
    capped = spec.campaign.who.target_cap is not None
    ranks = rank_keys(users, run.salt).cast(pa.binary()) if capped else pa.nulls(len(users), pa.binary())
    return pa.table([users, identifiers, ranks], schema=CANDIDATES)


def _held_out(batch: pa.RecordBatch, decided: pd.Series[str]) -> pa.Table:
    held = decided.str.startswith("control_")
    if "arm" in batch.schema.names:  # these are on record already
        held &= _series(pc.is_null(batch.column("arm")))
    arms = decided[held].str.removeprefix("control_")
    return pa.table([batch.column("user_id").filter(pa.array(held.to_numpy())), pa.array(arms)], schema=HELD_OUT)


def _never_held_out(spec: CampaignSpec, batch: pa.RecordBatch) -> pd.Series[bool]:
    name = columns_of(spec).never_held_out
    return pd.Series(batch.column(name).to_numpy(zero_copy_only=False) if name else False, index=range(len(batch)))


def _users(batch: pa.RecordBatch, which: pd.Series[bool]) -> pa.Table:
    chosen = pa.array(which.to_numpy(dtype=bool))
    return pa.table([batch.column("user_id").filter(chosen)], schema=USERS)

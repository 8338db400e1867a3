"""Select: property filters, reachability and control groups, in pandas on Arrow-backed frames; who is left is a candidate."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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
from audiences.pipeline.steps.decisions import arms, counts, decide, never_held_out
from audiences.pipeline.steps.known.changed import MembersChangedError
from audiences.pipeline.steps.known.stage_snapshot import remembered
from audiences.user_ids import USERS
from audiences.what.changes import CANDIDATES
from audiences.what.erased import Erased
from audiences.who.cap import rank_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.resources import CampaignResources

DECIDE_CONCURRENCY = 2  # batches
_FILES: Final[Sequence[tuple[Callable[[int], str], pa.Schema]]] = (
    (candidates_file, CANDIDATES),
    (held_out_file, HELD_OUT),
    (opted_out_file, USERS),
    (never_held_out_file, USERS),
    (remembered_file, SNAPSHOT),
)


def select(resources: CampaignResources, run: RunRef, shard: Shard) -> Selected:
    """Decide the outcome of every user of a staged shard up to the control groups; stage candidates and held-out users."""
    staging, deciding = Staging(run.staging), _Deciding(resources, run)
    batches = prefetch(staging.rows(shard_file(shard.number)))
    outcomes: Counter[str] = Counter()
    with ExitStack() as opened:  # the files take their names at the end
        writers = [opened.enter_context(staging.writer(name(shard.number), schema)) for name, schema in _FILES]
        try:
            for decided in map_concurrently(deciding.look, batches, max_concurrency=DECIDE_CONCURRENCY):
                outcomes.update(decided.outcomes)
                # Without fingerprints there are no rows for the last file.
                for writer, rows in zip(writers, decided.rows, strict=False):
                    if rows.num_rows:
                        writer.write_batch(rows)
        except MembersChangedError:
            snapshots.forget(resources.ledger, run.campaign)
            raise
    return Selected(number=shard.number, outcomes=dict(outcomes))


@dataclass(frozen=True, slots=True)
class _Decided:
    """What came of a batch of users: how many by their outcomes, and the rows for each of the staged files."""

    outcomes: Mapping[str, int]
    rows: Sequence[pa.RecordBatch]


class _Deciding:
    """Decides on users, a batch at a time."""

    def __init__(self, resources: CampaignResources, run: RunRef) -> None:
        self._spec, self._run = resources.spec, run
        self._recorded = assignments.not_by_formula(
            resources.ledger, run.campaign, resources.spec.control_terms(run.salt)
        )
        self._erased = Erased(*erasures.known(resources.ledger))

    def look(self, batch: pa.RecordBatch) -> _Decided:
        """Decide on the users of a batch, in any thread. Raises MembersChangedError."""
        spec = self._spec
        of_erased = self._erased.among(batch.column("user_id"), batch.column("identifiers"))
        decided = decide(spec, self._run, batch, self._recorded, of_erased)
        candidate, held_out = pa.array(decided == "candidate"), arms(decided)
        known = remembered(batch, candidate, held_out, of_erased) if "fingerprint" in batch.schema.names else None
        return _Decided(
            counts(decided),
            (
                _candidates(spec, self._run, batch, candidate),
                _held_out(batch, held_out),
                _users(batch, pa.array(decided == "opted_out")),
                _users(batch, pc.and_(candidate, never_held_out(spec, batch))),
                *([known] if known is not None else []),
            ),
        )


def _candidates(spec: CampaignSpec, run: RunRef, batch: pa.RecordBatch, chosen: pa.Array) -> pa.RecordBatch:
    users = batch.column("user_id").filter(chosen)
    identifiers = batch.column("identifiers").filter(chosen)
    if identifiers.null_count:
        raise MembersChangedError(campaign=spec.id, users=identifiers.null_count)
    capped = spec.campaign.who.target_cap is not None
    ranks = rank_keys(users, run.salt).cast(pa.binary()) if capped else pa.nulls(len(users), pa.binary())
    return pa.RecordBatch.from_arrays([users, identifiers, ranks], schema=CANDIDATES)


def _held_out(batch: pa.RecordBatch, arms: pa.Array) -> pa.RecordBatch:
    chosen = arms.is_valid()
    if "arm" in batch.schema.names:  # these are on record already
        chosen = pc.and_not(chosen, batch.column("arm").is_valid())
    return pa.RecordBatch.from_arrays([batch.column("user_id").filter(chosen), arms.filter(chosen)], schema=HELD_OUT)


def _users(batch: pa.RecordBatch, chosen: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.column("user_id").filter(chosen)], schema=USERS)

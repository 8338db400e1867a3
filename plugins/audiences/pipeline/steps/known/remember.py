"""Remember for the next run what this one has found of its users: staged with the plan, on record once all of it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.ledger import audience_revisions, snapshots
from audiences.pipeline.results import Remembered
from audiences.pipeline.staging import (
    HELD_OUT,
    KEPT_FILE,
    SNAPSHOT_FILE,
    Staging,
    erased_file,
    held_out_file,
    shard_file,
)
from audiences.pipeline.steps.known.lookup import SNAPSHOT
from audiences.user_ids import USERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Extracted, Plan, RunRef, Selected
    from audiences.what.difference import Counts, Difference

LOOKED_AT = pa.schema([field for field in SNAPSHOT if field.name not in ("settled",)]).append(
    pa.field("identifiers", pa.binary())
)


def stage(
    run: RunRef, extracted: Extracted, selected: Sequence[Selected], difference: Difference, counts: Counts
) -> Remembered | None:
    """Stage what is to be remembered; None where nothing may be, or what is on record stays as it is."""
    kept = extracted.kept
    as_before = kept is not None and kept.unchanged and not (counts.begun or counts.gone or counts.add or counts.remove)
    if extracted.terms is None or as_before:
        return None
    staging, users = Staging(run.staging), 0
    numbers = [part.number for part in selected]
    looked_at = pa.RecordBatchReader.from_batches(LOOKED_AT, _looked_at(staging, extracted))
    held_out = pa.RecordBatchReader.from_batches(HELD_OUT, staging.rows(*map(held_out_file, numbers)))
    erased = pa.RecordBatchReader.from_batches(USERS, staging.rows(*map(erased_file, numbers)))
    with staging.writer(SNAPSHOT_FILE, SNAPSHOT) as writer:
        for batch in difference.snapshot(looked_at, held_out, erased):
            writer.write_batch(batch.cast(SNAPSHOT))
            users += batch.num_rows - batch.column("settled").null_count
        for batch in staging.rows(KEPT_FILE) if kept else ():
            writer.write_batch(_as_remembered(batch))
            users += batch.num_rows
    return Remembered(terms=extracted.terms, users=users)


def _looked_at(staging: Staging, extracted: Extracted) -> Iterator[pa.RecordBatch]:
    """The staged users, with what was known of them before."""
    for batch in staging.rows(*(shard_file(shard.number) for shard in extracted.shards)):
        missing = {"row_hash": pa.nulls(len(batch), pa.uint64()), "held_out": pa.repeat(False, len(batch))}
        columns = {**missing, **dict(zip(batch.schema.names, batch.columns, strict=True))}
        yield pa.RecordBatch.from_arrays(
            [columns[field.name].cast(field.type) for field in LOOKED_AT], schema=LOOKED_AT
        )


def _as_remembered(kept: pa.RecordBatch) -> pa.RecordBatch:
    columns = {
        **dict(zip(kept.schema.names, kept.columns, strict=True)),
        "settled": pa.repeat(True, len(kept)),
        "held_out": pa.repeat(False, len(kept)),
    }
    return pa.RecordBatch.from_arrays([columns[field.name] for field in SNAPSHOT], schema=SNAPSHOT)


def put_on_record(resources: CampaignResources, run: RunRef, planned: Plan) -> None:
    """Put on record what was staged, once all that was planned is done; unless others have changed the audience."""
    remembered, ledger = planned.remembered, resources.ledger
    if remembered is None or planned.revision is None:
        return
    revision = audience_revisions.only_by(ledger, run.audience, run=run.run, since=planned.revision)
    staging = Staging(run.staging)
    if revision is None or not staging.exists(SNAPSHOT_FILE):
        return
    with staging.reading(SNAPSHOT_FILE) as content:
        snapshots.save(
            ledger,
            content,
            campaign=run.campaign,
            audience=run.audience,
            scope=bytes.fromhex(remembered.terms),
            revision=revision,
            users=remembered.users,
        )

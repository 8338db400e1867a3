"""Stage what the next run is to know of the users of this one; `put_on_record` in `remember.py` comes once all of it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from audiences.pipeline.results import Remembered
from audiences.pipeline.staging import KEPT_FILE, SNAPSHOT, SNAPSHOT_FILE, Staging, remembered_file
from audiences.pipeline.steps.known.changed import most_changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from audiences.pipeline.results import Extracted, RunRef, Selected
    from audiences.what.difference import Counts, Difference


def remembered(batch: pa.RecordBatch, decided: pd.Series[str], erased: pa.Array) -> pa.RecordBatch:
    """What may be remembered of a shard's users, if all that is planned is done; nothing of those who were erased."""
    from audiences.digests.by_duckdb import row_hashes  # who looks at one user needs none of it

    names = batch.schema.names
    hashes = row_hashes(batch.column("identifiers"))
    columns = {
        "user_id": batch.column("user_id"),
        "fingerprint": batch.column("fingerprint"),
        "row_hash": pc.coalesce(hashes, batch.column("row_hash")) if "row_hash" in names else hashes,
        "rejected": batch.column("rejected"),
        "settled": pa.array((decided == "candidate").to_numpy(dtype=bool)),
        "held_out": pa.array(decided.str.startswith("control_").to_numpy(dtype=bool)),
    }
    if "held_out" in names:
        columns["held_out"] = pc.or_(columns["held_out"], batch.column("held_out"))
    known = pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in SNAPSHOT], schema=SNAPSHOT)
    return known.filter(pc.invert(erased))


def stage(
    run: RunRef, extracted: Extracted, selected: Sequence[Selected], difference: Difference, counts: Counts
) -> Remembered | None:
    """Stage what is to be remembered; None where nothing may be, or what is on record stays as it is."""
    kept = extracted.kept
    as_before = kept is not None and kept.unchanged and not (counts.begun or counts.gone or counts.add or counts.remove)
    if extracted.terms is None or as_before:
        return None
    otherwise = difference.held_otherwise().column("user_id").combine_chunks()
    if len(otherwise) > most_changed(extracted.rows):  # the next run would have to look up all of them
        return None
    unsettled = pa.concat_arrays([otherwise, difference.not_sent().column("user_id").combine_chunks()])
    staging, users = Staging(run.staging), 0
    with staging.writer(SNAPSHOT_FILE, SNAPSHOT) as writer:
        for batch in staging.rows(*(remembered_file(part.number) for part in selected)):
            writer.write_batch(_but(batch, unsettled))
            users += batch.num_rows
        for batch in staging.rows(KEPT_FILE) if kept else ():
            writer.write_batch(_as_remembered(batch))
            users += batch.num_rows
        writer.write_table(_otherwise(otherwise))
    return Remembered(terms=extracted.terms, users=users)


def _but(batch: pa.RecordBatch, unsettled: pa.Array) -> pa.RecordBatch:
    """With those users as not settled."""
    if not len(unsettled):
        return batch
    settled = pc.and_not(batch.column("settled"), pc.is_in(batch.column("user_id"), value_set=unsettled))
    return batch.set_column(SNAPSHOT.get_field_index("settled"), SNAPSHOT.field("settled"), settled)


def _otherwise(users: pa.Array) -> pa.Table:
    """Users of whom only that is remembered: the campaign holds them in another way than as settled."""
    columns = [users if field.name == "user_id" else pa.nulls(len(users), field.type) for field in SNAPSHOT]
    return pa.table(columns, schema=SNAPSHOT)


def _as_remembered(kept: pa.RecordBatch) -> pa.RecordBatch:
    columns = {
        **dict(zip(kept.schema.names, kept.columns, strict=True)),
        "settled": pa.repeat(True, len(kept)),
        "held_out": pa.repeat(False, len(kept)),
    }
    return pa.RecordBatch.from_arrays([columns[field.name] for field in SNAPSHOT], schema=SNAPSHOT)

"""Stage what the next run is to know of the users of this one; `put_on_record` in `remember.py` comes once all of it is done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.pipeline.results import Remembered
from audiences.pipeline.staging import KNOWN_FILES, SNAPSHOT, SNAPSHOT_FILES, Staging, remembered_file
from audiences.pipeline.steps.known.changed import most_changed
from audiences.pipeline.steps.known.kept_users import opened
from audiences.pipeline.steps.known.snapshot_rows import NUMBERED, numbered
from audiences.sql import statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from audiences.pipeline.results import Extracted, RunRef, Selected
    from audiences.what.changes import Counts
    from audiences.what.difference import Difference

_MOST_CHANGED: Final = 8
"""Of so many users of a snapshot's first file one may have changed since; then it is written anew."""
_ROWS: Final = 65_536


def remembered(batch: pa.RecordBatch, candidates: pa.Array, held_out: pa.Array, erased: pa.Array) -> pa.RecordBatch:
    """What may be remembered of a shard's users, if all that is planned is done; nothing of those who were erased.

    Of each user: whether they are a candidate, the control group that holds them out (text or null), whether they were erased.
    """
    from audiences.digests.by_duckdb import row_hashes  # who looks at one user needs none of it

    names = batch.schema.names
    hashes = row_hashes(batch.column("identifiers"))
    columns = {
        "user_id": batch.column("user_id"),
        "fingerprint": batch.column("fingerprint"),
        "row_hash": pc.coalesce(hashes, batch.column("row_hash")) if "row_hash" in names else hashes,
        "rejected": batch.column("rejected"),
        "settled": candidates,
        # Once held out they are on record for good, whatever else comes first for a while.
        "arm": pc.coalesce(held_out, batch.column("arm")) if "arm" in names else held_out,
    }
    known = pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in SNAPSHOT], schema=SNAPSHOT)
    return known.filter(pc.invert(erased)) if pc.any(erased).as_py() else known


def prepare(
    run: RunRef, extracted: Extracted, selected: Sequence[Selected], difference: Difference, counts: Counts
) -> Callable[[], Remembered | None]:
    """Gives a function that stages what is to be remembered, and says what that is.

    It says None where nothing may be remembered, or what is on record stays as it is. The difference is asked at once, so that
    the function may be called in another thread while others read the difference.
    """
    kept = extracted.kept
    as_before = kept is not None and kept.unchanged and not (counts.begun or counts.gone or counts.add or counts.remove)
    if extracted.terms is None or as_before:
        return lambda: None
    otherwise = difference.held_otherwise().column("user_id").combine_chunks()
    if len(otherwise) > most_changed(extracted.rows):  # the next run would have to look up all of them
        return lambda: None
    unsettled = pa.concat_arrays([otherwise, difference.not_sent().column("user_id").combine_chunks()])
    return partial(_stage, run, extracted, selected, otherwise, unsettled, terms=extracted.terms)


def _stage(
    run: RunRef,
    extracted: Extracted,
    selected: Sequence[Selected],
    otherwise: pa.Array,
    unsettled: pa.Array,
    *,
    terms: str,
) -> Remembered:
    """Stage the users found, those `unsettled` not as settled, and whom the campaign holds `otherwise`."""
    staging, kept = Staging(run.staging), extracted.kept
    found = staging.rows(*(remembered_file(part.number) for part in selected))
    users = pa.RecordBatchReader.from_batches(SNAPSHOT, (_but(batch, unsettled) for batch in found))
    if kept is None:
        anew = _write(staging, SNAPSHOT_FILES[0], users)
        _write(staging, SNAPSHOT_FILES[1], _otherwise(otherwise).to_reader())
        return Remembered(terms=terms, users=anew)
    anew, whole = _merge(staging, users, otherwise)
    return Remembered(terms=terms, users=kept.users + anew, base=None if whole else kept.base)


def _merge(staging: Staging, users: pa.RecordBatchReader, otherwise: pa.Array) -> tuple[int, bool]:
    """Stage the last run's snapshot with these users in it; how many they are, and whether all of it was written anew."""
    with opened(staging) as database:
        database.register("given", users)
        database.execute("create temp table remembered as from given")
        database.execute(f"create temp table merged as {statement('snapshot/changes')}")
        database.execute("drop table changes")
        database.execute("alter table merged rename to changes")
        ((anew, changed),) = database.execute(
            "select (select count(*) from remembered), (select count(*) from changes)"
        ).fetchall()
        whole = changed > staging.length(KNOWN_FILES[0]) // _MOST_CHANGED
        if whole:
            _write(staging, SNAPSHOT_FILES[0], database.sql("from users").to_arrow_reader(_ROWS))
            _write(staging, SNAPSHOT_FILES[1], _otherwise(otherwise).to_reader())
        else:
            changes = database.sql("from changes").to_arrow_reader(_ROWS)
            _write(staging, SNAPSHOT_FILES[1], [*changes, *_otherwise(otherwise).to_batches()])
    return anew, whole


def _write(staging: Staging, name: str, batches: Iterable[pa.RecordBatch]) -> int:
    """Write a file of a snapshot; how many rows it has."""
    rows = 0
    with staging.writer(name, NUMBERED) as writer:
        for batch in batches:
            writer.write_batch(numbered(batch))
            rows += batch.num_rows
    return rows


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

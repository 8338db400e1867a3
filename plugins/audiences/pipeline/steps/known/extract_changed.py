"""Extract by difference: the users of the last run are known by their fingerprints, and identifiers are read of the others only.

What is staged is the same as if all of them had been read, but for users who are as they were, and members still or no targets
still: of them the next steps need the number and little else, and find that in the snapshot.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.logs import logger
from audiences.pipeline.results import KeptUsers, Shard
from audiences.pipeline.staging import (
    ANEW_SHARD,
    NOT_KEPT,
    NOT_KEPT_FILE,
    Staging,
    shard_file,
)
from audiences.pipeline.steps.known.changed import LookAtAllError, most_changed
from audiences.pipeline.steps.known.lookup import ANEW, FOUND, FOUND_NUMBERS, GONE, KEPT, KNOWN
from audiences.pipeline.steps.users_query import users_query
from audiences.query.columns import columns_of
from audiences.query.key import ensure_key
from audiences.query.render import render
from audiences.who.compile import identifiers_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow.parquet as pq

    from audiences.campaign.spec import CampaignSpec
    from audiences.pipeline.results import RunRef
    from audiences.pipeline.steps.known.lookup import KnownUsers
    from audiences.pipeline.steps.known.terms import Terms
    from audiences.warehouse.reader import Warehouse
    from audiences.what.encode import Encoder

_ASKED_AT_ONCE: Final = 20_000  # users; their keys stand in the text of the query
_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Changed:
    """What was staged: the shards of users, and who is as before beside them; None where everybody was read."""

    shards: tuple[Shard, ...]
    kept: KeptUsers | None


def extract_changed(
    warehouse: Warehouse, spec: CampaignSpec, run: RunRef, encoder: Encoder, known: KnownUsers, terms: Terms
) -> Changed:
    """Stage the users who qualify at `run.at`. Raises LookAtAllError, and then nothing of what is staged counts."""
    sorting = _Sorting(spec, run, encoder, known)
    query = users_query(warehouse, spec, run.at, secret=terms.secret, identifiers=False)
    staging = Staging(run.staging)
    with sorting.files(staging):
        # Closed before the warehouse is, of which more is being read.
        found = sorting.found(warehouse.stream(query.text), schema := FOUND_NUMBERS if query.numbers else FOUND)
        with closing(known.beside(found, staging, schema=schema)) as beside:
            for batch in beside:
                sorting.take(batch)
        sorting.ensure_each_once()
        otherwise = known.held_otherwise()
        sorting.not_kept(otherwise, pa.nulls(len(otherwise), pa.bool_()))
        for first in range(0, sorting.anew.num_rows, _ASKED_AT_ONCE):
            part = sorting.anew.slice(first, _ASKED_AT_ONCE).combine_chunks()
            sorting.stage_anew(part, _identifiers(warehouse, spec, part.column("user_id").combine_chunks()))
    kept = KeptUsers(
        rows=sorting.kept,
        revision=known.revision,
        unchanged=sorting.unchanged,
        outcomes=dict(sorting.outcomes),
        base=known.base.hex(),
    )
    return Changed((Shard(number=0, rows=sorting.staged),) if sorting.staged else (), kept)


def _identifiers(warehouse: Warehouse, spec: CampaignSpec, users: pa.Array) -> pa.RecordBatch:
    """The raw identifiers of these users, in their order."""
    query = render(identifiers_of(spec, users.to_pylist()))
    batches = [batch for batch in warehouse.stream(query) if batch.num_rows]
    if not batches:
        raise LookAtAllError
    found = pa.Table.from_batches(batches).combine_chunks()
    place = pc.index_in(users, value_set=found.column("user_id").combine_chunks())
    if place.null_count:  # a key that is not found by its own text
        raise LookAtAllError
    (batch,) = found.take(place).combine_chunks().to_batches()
    return batch


class _Sorting:
    """Sorts the users found into files, by what the snapshot says of them."""

    def __init__(self, spec: CampaignSpec, run: RunRef, encoder: Encoder, known: KnownUsers) -> None:
        self._spec, self._run, self._encoder = spec, run, encoder
        self._most = most_changed(known.users)
        self._columns = columns_of(spec)
        self._looked_up = 0
        self._anew: list[pa.RecordBatch] = []
        self._anew_rows = 0
        self._known_users = known.users
        self._found = 0
        self._otherwise_found = 0
        self._known_found_otherwise = 0
        self._gone = 0
        self.outcomes: Counter[str] = Counter()
        self.staged = 0

    @property
    def anew(self) -> pa.Table:
        """The users whose identifiers are to be read."""
        return pa.Table.from_batches(self._anew, FOUND)

    @property
    def kept(self) -> int:
        """The members who stay as they are: all found of whom the join says nothing else."""
        return self._found - self._otherwise_found

    @property
    def unchanged(self) -> bool:
        """Whether exactly the users of the snapshot were found, all of them as it has them."""
        return self.kept + self.outcomes.total() == self._found == self._known_users

    def ensure_each_once(self) -> None:
        """Raise LookAtAllError unless each user of the snapshot was found once or not at all, so that all can be counted."""
        if self.kept + self._known_found_otherwise + self._gone != self._known_users:
            raise LookAtAllError

    def files(self, staging: Staging) -> ExitStack:
        """Open the files, until the stack is closed."""
        files = ExitStack()
        self._shard: pq.ParquetWriter = files.enter_context(staging.writer(shard_file(0), ANEW_SHARD))
        self._not_kept: pq.ParquetWriter = files.enter_context(staging.writer(NOT_KEPT_FILE, NOT_KEPT))
        return files

    def found(self, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The query's answer as it is joined: the property filters looked at, and what could not be read counted."""
        for batch in batches:
            if not batch.num_rows:
                continue
            self._found += batch.num_rows
            self._encoder.count_misfits(batch)
            never = self._columns.never_held_out
            columns = [
                batch.column(self._columns.user_id),
                batch.column(self._columns.opted_out),
                self._passes(batch),
                batch.column(never) if never else pa.repeat(False, len(batch)),
                batch.column(self._columns.fingerprint),
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _passes(self, batch: pa.RecordBatch) -> pa.Array:
        tree = self._spec.campaign.who.with_properties
        if tree is None:
            return pa.repeat(True, len(batch))
        import pandas as pd

        from audiences.who.filters import matches  # most campaigns have no such filters, or few of them

        columns = self._columns.properties
        frame = batch.select(list(columns.values())).to_pandas(types_mapper=pd.ArrowDtype)
        catalog, at, zone = self._spec.catalog, self._run.at, self._spec.zone
        return pa.array(matches(tree, frame, columns=columns, catalog=catalog, at=at, zone=zone).to_numpy())

    def take(self, batch: pa.RecordBatch) -> None:
        """Sort a batch of users as `KnownUsers.beside` gives them."""
        what = batch.column("what")
        known = pc.equal(what, KNOWN)
        self._encoder.count_rejected(batch.column("rejected").filter(pc.or_(pc.equal(what, KEPT), known)))
        batch = batch.filter(pc.not_equal(what, KEPT))
        what, known = batch.column("what"), batch.column("known")
        self._gone += int(pc.sum(pc.equal(what, GONE)).as_py() or 0)
        found = batch.filter(pc.not_equal(what, GONE))
        self._otherwise_found += found.num_rows
        self._known_found_otherwise += int(pc.sum(found.column("known")).as_py() or 0)
        settled = pc.fill_null(batch.column("settled"), fill_value=False)
        no_targets = pc.and_not(pc.equal(what, KNOWN), settled)
        for each in pc.value_counts(batch.column("outcome").filter(no_targets)).to_pylist():
            self.outcomes[each["values"]] += each["counts"]
        leaving = batch.filter(pc.and_(pc.equal(what, KNOWN), settled))
        self._stage(leaving, pa.nulls(leaving.num_rows, pa.binary()))
        anew = batch.filter(pc.equal(what, ANEW))
        ensure_key(self._spec.catalog.users, anew.column("user_id"))
        self._anew.append(anew.select(FOUND.names).cast(FOUND))
        self._anew_rows += anew.num_rows
        not_kept = batch.filter(pc.and_not(known, no_targets))
        self.not_kept(not_kept.column("user_id"), not_kept.column("settled"))

    def not_kept(self, users: pa.Array, settled: pa.Array) -> None:
        """Note users of the snapshot who are not as it has them; those `settled`, or null, have to be looked up in the ledger."""
        self._not_kept.write_batch(pa.RecordBatch.from_arrays([users, settled], schema=NOT_KEPT))
        self._looked_up += int(pc.sum(pc.fill_null(settled, fill_value=True)).as_py() or 0)
        self._ensure_few()

    def _ensure_few(self) -> None:
        if max(self._anew_rows, self._looked_up) > self._most:
            raise LookAtAllError

    def stage_anew(self, users: pa.Table, raw: pa.RecordBatch) -> None:
        """Stage users with what their raw identifiers come to."""
        packed, rejected = self._encoder.identifiers(raw)
        self._encoder.count_rejected(rejected)
        (batch,) = users.to_batches()
        of_encoder = {"row_hash": pa.nulls(len(batch), pa.uint64()), "arm": pa.nulls(len(batch), pa.string())}
        columns = {name: batch.column(name) for name in FOUND.names} | {"rejected": rejected} | of_encoder
        self._stage(pa.RecordBatch.from_pydict(columns), packed)

    def _stage(self, users: pa.RecordBatch, identifiers: pa.Array) -> None:
        if not users.num_rows:
            return
        columns = {name: users.column(name) for name in ANEW_SHARD.names if name != "identifiers"}
        columns["identifiers"] = identifiers
        arrays = [columns[field.name].cast(field.type) for field in ANEW_SHARD]
        self._shard.write_batch(pa.RecordBatch.from_arrays(arrays, schema=ANEW_SHARD))
        self.staged += users.num_rows

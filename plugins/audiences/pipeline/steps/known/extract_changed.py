"""Extract by difference: the users of the last run are known by their fingerprints, and identifiers are read of the others only.

What is staged is the same as if all of them had been read, but for members who stay as they are: they go into files of their own,
of which the next steps need the number and little else.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from audiences.logs import logger
from audiences.pipeline.results import KeptUsers, Shard
from audiences.pipeline.staging import (
    ANEW_SHARD,
    KEPT_FILE,
    KEPT_SHARD,
    LOOK_UP_FILE,
    Staging,
    shard_file,
)
from audiences.pipeline.steps.known.changed import LookAtAllError, most_changed
from audiences.pipeline.steps.known.lookup import ANEW, FOUND, KEPT, KNOWN
from audiences.query.columns import columns_of
from audiences.query.key import ensure_key
from audiences.query.render import render
from audiences.user_ids import USERS
from audiences.who.compile import identifiers_of, qualified

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
    """What was staged: the shards of users, and who is kept beside them; None where everybody was read."""

    shards: tuple[Shard, ...]
    kept: KeptUsers | None


def extract_changed(
    warehouse: Warehouse, spec: CampaignSpec, run: RunRef, encoder: Encoder, known: KnownUsers, terms: Terms
) -> Changed:
    """Stage the users who qualify at `run.at`. Raises LookAtAllError, and then nothing of what is staged counts."""
    sorting = _Sorting(spec, run, encoder, known)
    query = render(qualified(spec, run.at, secret=terms.secret, identifiers=False))
    with sorting.files(Staging(run.staging)):
        # Closed before the warehouse is, of which more is being read.
        with closing(known.beside(sorting.found(warehouse.stream(query)))) as beside:
            for batch in beside:
                sorting.take(batch)
        sorting.look_up(known.held_otherwise())
        for first in range(0, sorting.anew.num_rows, _ASKED_AT_ONCE):
            part = sorting.anew.slice(first, _ASKED_AT_ONCE).combine_chunks()
            sorting.stage_anew(part, _identifiers(warehouse, spec, part.column("user_id").combine_chunks()))
    kept = KeptUsers(rows=sorting.kept, revision=known.revision, unchanged=sorting.unchanged)
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
        self._as_before = 0
        self.kept = 0
        self.staged = 0

    @property
    def anew(self) -> pa.Table:
        """The users whose identifiers are to be read."""
        return pa.Table.from_batches(self._anew, FOUND)

    @property
    def unchanged(self) -> bool:
        """Whether exactly the users of the snapshot were found, all of them as they were."""
        return not self._anew_rows and self._as_before == self._known_users

    def files(self, staging: Staging) -> ExitStack:
        """Open the files, until the stack is closed."""
        files = ExitStack()
        self._kept: pq.ParquetWriter = files.enter_context(staging.writer(KEPT_FILE, KEPT_SHARD))
        self._shard: pq.ParquetWriter = files.enter_context(staging.writer(shard_file(0), ANEW_SHARD))
        self._look_up: pq.ParquetWriter = files.enter_context(staging.writer(LOOK_UP_FILE, USERS))
        return files

    def found(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The query's answer as it is joined: the property filters looked at, and what could not be read counted."""
        for batch in batches:
            if not batch.num_rows:
                continue
            self._encoder.count_misfits(batch)
            never = self._columns.never_held_out
            columns = [
                batch.column(self._columns.user_id),
                batch.column(self._columns.opted_out),
                self._passes(batch),
                batch.column(never) if never else pa.repeat(False, len(batch)),
                batch.column(self._columns.fingerprint),
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=FOUND)

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
        kept = batch if _all(what, KEPT) else batch.filter(pc.equal(what, KEPT))
        if kept.num_rows:
            self._kept.write_batch(kept.select(KEPT_SHARD.names).cast(KEPT_SHARD))
            self._encoder.count_rejected(kept.column("rejected"))
            self.kept += kept.num_rows
            self._as_before += kept.num_rows
        if kept.num_rows == batch.num_rows:
            return
        known = batch.filter(pc.equal(what, KNOWN))
        self._encoder.count_rejected(known.column("rejected"))
        self._as_before += known.num_rows
        self._stage(known, pa.nulls(known.num_rows, pa.binary()))
        anew = batch.filter(pc.equal(what, ANEW))
        ensure_key(self._spec.catalog.users, anew.column("user_id"))
        self._anew.append(anew.select(FOUND.names).cast(FOUND))
        self._anew_rows += anew.num_rows
        self._ensure_few()
        # Whom the campaign holds, and who is not kept, has to be looked up in the ledger.
        held = pc.and_(pc.fill_null(batch.column("settled"), False), pc.not_equal(what, KEPT))
        self.look_up(batch.column("user_id").filter(held))

    def look_up(self, users: pa.Array) -> None:
        """Note users whose memberships the next steps have to look up."""
        self._look_up.write_batch(pa.RecordBatch.from_arrays([users], schema=USERS))
        self._looked_up += len(users)
        self._ensure_few()

    def _ensure_few(self) -> None:
        if max(self._anew_rows, self._looked_up) > self._most:
            raise LookAtAllError

    def stage_anew(self, users: pa.Table, raw: pa.RecordBatch) -> None:
        """Stage users with what their raw identifiers come to."""
        packed, rejected = self._encoder.identifiers(raw)
        self._encoder.count_rejected(rejected)
        (batch,) = users.to_batches()
        of_encoder = {"row_hash": pa.nulls(len(batch), pa.uint64()), "held_out": pa.repeat(False, len(batch))}
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


def _all(what: pa.Array, value: int) -> bool:
    found = pc.min_max(what)
    return bool(found["min"].as_py() == value == found["max"].as_py())

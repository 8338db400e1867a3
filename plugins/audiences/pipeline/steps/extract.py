"""Extract: the qualified users by SQL, their identifiers normalised and hashed on the way, staged as Parquet shards.

Raw e-mail addresses and phone numbers exist in this step's memory only, one batch at a time.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from audiences.campaign.wording import counted, shown
from audiences.concurrency import map_concurrently
from audiences.logs import logger
from audiences.pipeline.results import Extracted, Rejected, RunRef, Shard
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.pipeline.staging import Staging, shard_file
from audiences.pipeline.steps.ensure_unique import ensure_unique
from audiences.query.columns import OPT_OUT, columns_of
from audiences.query.key import ensure_key
from audiences.query.render import render
from audiences.what.encode import Encoder
from audiences.who.compile import qualified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow.parquet as pq

    from audiences.campaign.catalog import Catalog
    from audiences.pipeline.resources import CampaignResources

SHARD_ROWS = 1_000_000
ENCODE_CONCURRENCY = 2  # batches; while Postgres makes the next ones, there is seldom more than one core to spare
_log = logger(__name__)


def extract(resources: CampaignResources, run: RunRef, *, scope: Scope = EVERYBODY) -> Extracted:
    """Stage the users of the scope who qualify at `run.at`, in shards of about SHARD_ROWS."""
    spec = resources.spec
    query = render(qualified(spec, run.at, users=scope.users(resources.ledger)))
    shards: list[int] = []
    today = run.at.astimezone(spec.zone).date()
    encoder = Encoder(spec.campaign.what.identifiers, columns_of(spec), spec.catalog, today=today)
    with resources.warehouse() as warehouse, ExitStack() as open_files:
        writer: pq.ParquetWriter | None = None
        found = (batch for batch in warehouse.stream(query) if batch.num_rows)
        for batch in map_concurrently(encoder.encode, found, max_concurrency=ENCODE_CONCURRENCY):
            ensure_key(spec.catalog.users, batch.column("user_id"))
            if writer is None or shards[-1] >= SHARD_ROWS:
                open_files.close()
                writer = open_files.enter_context(Staging(run.staging).writer(shard_file(len(shards)), batch.schema))
                shards.append(0)
            writer.write_batch(batch)
            shards[-1] += batch.num_rows
            _log.info("extracted %s", counted(sum(shards), "user"))
        open_files.close()
        files = [shard_file(number) for number in range(len(shards))]
        if shards:
            ensure_unique(spec.catalog.users, warehouse, Staging(run.staging).dataset(*files))
    scope.qualified(resources.ledger, _users(Staging(run.staging), files))
    rejected: Rejected = {name: dict(reasons) for name, reasons in encoder.rejected.items() if reasons}
    misfits = tuple(_misfits(encoder, spec.catalog))
    for sentence in misfits:
        _log.warning("%s", sentence)
    return Extracted(
        shards=tuple(Shard(number=number, rows=rows) for number, rows in enumerate(shards)),
        rejected=rejected,
        misfits=misfits,
    )


def _users(staging: Staging, files: Sequence[str]) -> Iterator[str]:
    """The ids of all who were staged, read when they are asked for."""
    for batch in staging.rows(*files):
        yield from batch.column("user_id").to_pylist()


def _misfits(encoder: Encoder, catalog: Catalog) -> Iterator[str]:
    properties = catalog.user_properties()
    for name, count in sorted(encoder.misfits.items()):
        if count:
            kind = properties[name].type
            yield f"{shown(name)}: {counted(count, 'value')} of type {kind} could not be read and count as missing"
    for name, count in sorted(encoder.unread.items()):
        if count and name == OPT_OUT:
            yield f"`opt_out`: {counted(count, 'user')} with a value that is neither true nor false, taken for opted out"
        elif count:
            yield f"`{name}`: {counted(count, 'value')} in JSON could not be read and count as missing"

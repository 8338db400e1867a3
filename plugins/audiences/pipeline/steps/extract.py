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
from audiences.pipeline.steps.known.changed import LookAtAllError
from audiences.pipeline.steps.known.extract_changed import Changed, extract_changed
from audiences.pipeline.steps.known.lookup import known_users
from audiences.pipeline.steps.known.terms import terms_of
from audiences.pipeline.steps.users_query import users_query
from audiences.query.columns import OPT_OUT, columns_of
from audiences.query.key import ensure_key
from audiences.what.encode import Encoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow.parquet as pq

    from audiences.campaign.catalog import Catalog
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.steps.known.lookup import KnownUsers
    from audiences.pipeline.steps.known.terms import Terms
    from audiences.warehouse.reader import Warehouse

SHARD_ROWS = 1_000_000
ENCODE_CONCURRENCY = 2  # batches; while Postgres makes the next ones, there is seldom more than one core to spare
_log = logger(__name__)


def extract(resources: CampaignResources, run: RunRef, *, scope: Scope = EVERYBODY) -> Extracted:
    """Stage the users of the scope who qualify at `run.at`, in shards of about SHARD_ROWS.

    Of users whom the last run has found, and who are as they were, no identifier is read.
    """
    terms = terms_of(resources, run, scope)
    with known_users(resources, run, terms) as known:
        if known is not None and terms is not None:
            try:
                return _extracted(resources, run, scope, terms, known)
            except LookAtAllError:
                _log.info("what the last run has left is damaged, or too many users have changed since: looking at all")
    return _extracted(resources, run, scope, terms, None)


def _extracted(
    resources: CampaignResources, run: RunRef, scope: Scope, terms: Terms | None, known: KnownUsers | None
) -> Extracted:
    spec, staging = resources.spec, Staging(run.staging)
    today = run.at.astimezone(spec.zone).date()
    encoder = Encoder(spec.campaign.what.identifiers, columns_of(spec), spec.catalog, today=today)
    with resources.warehouse() as warehouse:
        if known is not None and terms is not None:
            staged = extract_changed(warehouse, spec, run, encoder, known, terms)
        else:
            staged = Changed(_all(warehouse, resources, run, scope, encoder, terms), None)
        files = [shard_file(shard.number) for shard in staged.shards]
        if files:  # the others are known, and each was found once
            ensure_unique(spec.catalog.users, warehouse, staging.dataset(*files))
    scope.qualified(resources.ledger, _users(staging, files))
    rejected: Rejected = {name: dict(reasons) for name, reasons in encoder.rejected.items() if reasons}
    misfits = tuple(_misfits(encoder, spec.catalog))
    for sentence in misfits:
        _log.warning("%s", sentence)
    return Extracted(
        shards=staged.shards,
        kept=staged.kept,
        terms=terms.digest.hex() if terms else None,
        rejected=rejected,
        misfits=misfits,
    )


def _all(
    warehouse: Warehouse,
    resources: CampaignResources,
    run: RunRef,
    scope: Scope,
    encoder: Encoder,
    terms: Terms | None,
) -> tuple[Shard, ...]:
    """Stage all users with their identifiers; with their fingerprints too, where they may be remembered."""
    spec, shards = resources.spec, list[int]()
    secret = terms.secret if terms else None
    query = users_query(warehouse, spec, run.at, users=scope.users(resources.ledger), secret=secret)
    with ExitStack() as open_files:
        writer: pq.ParquetWriter | None = None
        found = (batch for batch in warehouse.stream(query.text) if batch.num_rows)
        for batch in map_concurrently(encoder.encode, found, max_concurrency=ENCODE_CONCURRENCY):
            ensure_key(spec.catalog.users, batch.column("user_id"))
            if writer is None or shards[-1] >= SHARD_ROWS:
                open_files.close()
                writer = open_files.enter_context(Staging(run.staging).writer(shard_file(len(shards)), batch.schema))
                shards.append(0)
            writer.write_batch(batch)
            shards[-1] += batch.num_rows
            _log.info("extracted %s", counted(sum(shards), "user"))
    return tuple(Shard(number=number, rows=rows) for number, rows in enumerate(shards))


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

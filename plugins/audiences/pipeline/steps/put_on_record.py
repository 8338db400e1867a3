"""Put on record what a computed difference sends: change files in staging, requests and assignments in the ledger."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from math import ceil
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.campaign.wording import counted
from audiences.facebook import custom_audiences as facebook_audiences
from audiences.facebook.contract import MAX_ROWS
from audiences.ledger import (
    assignments,
    chunks,
    expiry,
    identifier_keys,
    known_audiences,
    request_counts,
    runs,
)
from audiences.ledger.chunk_states import PlannedRequest, RequestAction
from audiences.logs import logger
from audiences.pipeline.audience import in_doubt
from audiences.pipeline.results import AudienceHolding, Plan, Rejected, RunRef, Selected
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.pipeline.staging import ASSIGNED_FILE, HELD_OUT, Staging, change_file, held_out_file, never_held_out_file
from audiences.pipeline.upload import full_refresh
from audiences.user_ids import USERS
from audiences.what.difference import CHANGES, Counts, Difference
from audiences.what.rows import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from audiences.pipeline.resources import CampaignResources

MOST_ADD_TASKS = 16
FEWEST_PER_TASK = 20  # a task of its own is not worth fewer requests
_log = logger(__name__)


def put_on_record(
    resources: CampaignResources,
    run: RunRef,
    selected: Sequence[Selected],
    difference: Difference,
    counts: Counts,
    *,
    outcomes: dict[str, int],
    rejected: Rejected,
    found: bool = True,
    scope: Scope = EVERYBODY,
) -> Plan:
    """Stage what a computed difference sends, and put it on record with the assignments; raises ReplaceTooLongError.

    `found`: the candidates are all who qualify, so whoever is not among them does not.
    """
    ledger, staging = resources.ledger, Staging(run.staging)
    if scope.everybody:
        _look_before_sending(resources, run)
    rows, said = rows_to_replace(resources, run, difference)
    runs.warn(ledger, run.run, said)
    keys = keys_of(resources.spec.campaign.what.identifiers)
    earlier = (
        identifier_keys.begin(ledger, campaign=run.campaign, audience=run.audience, schema=keys) if found else None
    )
    with _assignments_under_way(resources, run, selected, difference):
        if rows:
            full_set = full_refresh.stage(resources, run, difference, rows)
        else:
            planned = _stage_changes(staging, difference, counts, keys=keys, earlier=earlier)
    unsent = pa.Table.from_batches(() if rows else difference.changes("none"), CHANGES)
    chunks.record_unsent(ledger, audience=run.audience, run=run.run, changes=unsent)
    _record_expired(resources, run, difference, found=found)
    known_audiences.remember_schema(ledger, run.audience, keys)
    if rows:
        full_refresh.record(resources, run, full_set)
    else:
        chunks.plan(ledger, run=run.run, audience=run.audience, planned=planned)
    expected = _with_earlier_attempts(
        resources, run, {**outcomes, "begun": counts.begun, "rekeyed": counts.rekeyed}, unsent
    )
    runs.plan(ledger, run.run, audience=run.audience, planned=expected, rejected=rejected, now=resources.now())
    requests, add_tasks = _requests_on_record(resources, run, one_task=bool(rows))
    _log.info(
        "to add: %s, to remove: %s, %s",
        counted(counts.add, "row"),
        counted(counts.remove, "row"),
        counted(requests, "request"),
    )
    return Plan(
        outcomes={name: expected[name] for name in outcomes},
        add_rows=counts.add,
        remove_rows=counts.remove,
        begun=expected["begun"],
        left=counts.left,
        quarantined=counts.quarantined,
        complete=found and scope.everybody,
        requests=requests,
        add_tasks=add_tasks,
        after=AudienceHolding(memberships=counts.memberships_after, rows=counts.rows_after),
        revision=difference.revision,
    )


def _requests_on_record(
    resources: CampaignResources, run: RunRef, *, one_task: bool
) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """How many requests the run has, and which of them are sent by which task of `add`."""
    on_record = chunks.of_run(resources.ledger, run.run)
    if one_task:  # a replace session, in which the order of the requests counts
        return len(on_record), (tuple(chunk.id for chunk in on_record),)
    return len(on_record), _add_tasks([chunk.id for chunk in on_record if chunk.action == "add"])


def rows_to_replace(resources: CampaignResources, run: RunRef, difference: Difference) -> tuple[int, list[str]]:
    """The rows of the whole set, if the run is to send that, else 0; and what is to be said of an audience in doubt.

    An empty set cannot replace anything, so that an audience is emptied by removals. Raises ReplaceTooLongError, unless the
    whole set was not asked for, and the difference is better than nothing.
    """
    rows, too_long = difference.full_set() if run.full_refresh else 0, None
    try:
        full_refresh.ensure_in_time(resources, rows)
    except full_refresh.ReplaceTooLongError as error:
        if run.in_doubt is None or resources.spec.campaign.what.refresh == "replace":
            raise
        rows, too_long = 0, error
    return rows, in_doubt.in_words(resources.spec, run, rows=rows, too_long=too_long)


def _look_before_sending(resources: CampaignResources, run: RunRef) -> None:
    """Check the content again: a run may have read the warehouse for an hour, and its requests would hide changes by others."""
    status = facebook_audiences.read(resources.facebook, run.facebook_id)
    if found := in_doubt.check_content(resources.ledger, run.audience, status):
        runs.warn(resources.ledger, run.run, [f"since the run began: {found}. The next run sees to it"])


def _record_expired(resources: CampaignResources, run: RunRef, difference: Difference, *, found: bool) -> None:
    """Record who has expired, and so is not added again as long as every run finds that they qualify."""
    campaign = resources.spec.campaign
    if campaign.what.keep_for is None or campaign.qualification == "live":
        users = USERS.empty_table()
    else:
        users = difference.expired_users(among_candidates=found)
    expiry.record(resources.ledger, audience=run.audience, campaign=run.campaign, users=users)


def _with_earlier_attempts(
    resources: CampaignResources, run: RunRef, expected: dict[str, int], unsent: pa.Table
) -> dict[str, int]:
    """What the run as a whole is expected to come to, when an interrupted attempt of it has added users already.

    To the difference they are members; of this run they are `added`, not `kept`. Those who are no longer wanted by now
    are set aside.
    """
    begun, gone = chunks.count(unsent)
    noted = runs.noted(resources.ledger, run.run).planned
    earlier = request_counts.totals(resources.ledger, run.run).begun + noted.get("begun_unsent", 0)
    still = min(earlier, expected["kept"])
    return {
        **expected,
        "kept": expected["kept"] - still,
        "begun": expected["begun"] + still,
        "begun_unsent": begun + noted.get("begun_unsent", 0),
        "begun_and_gone": earlier - still,
        "rekeyed": expected["rekeyed"] + noted.get("rekeyed", 0),
        "gone_unsent": gone + noted.get("gone_unsent", 0),
    }


@contextmanager
def _assignments_under_way(
    resources: CampaignResources, run: RunRef, selected: Sequence[Selected], difference: Difference
) -> Iterator[None]:
    """Record assignments while the body works: Postgres is busy with them for as long as we are with the change files.

    First assignment wins: the ledger keeps the one it has. On record before any upload, so that no crash can lose one.
    """
    staging = Staging(run.staging)
    held_out = staging.rows(*(held_out_file(part.number) for part in selected))
    with staging.writer(ASSIGNED_FILE, HELD_OUT) as writer:
        for batch in difference.assigned(pa.RecordBatchReader.from_batches(HELD_OUT, held_out)):
            writer.write_batch(batch)
    if resources.spec.campaign.who.never_hold_out:
        by_name = staging.rows(*(never_held_out_file(part.number) for part in selected))
        users = [user for batch in by_name for user in batch.column("user_id").to_pylist()]
        assignments.never_held_out(resources.ledger, run.campaign, users)
    assigned = pa.RecordBatchReader.from_batches(HELD_OUT, staging.rows(ASSIGNED_FILE))
    record = partial(assignments.record, resources.ledger, campaign=run.campaign, run=run.run, assigned=assigned)
    with ThreadPoolExecutor(1, thread_name_prefix="assignments") as pool:
        recorded = pool.submit(record)
        yield
        recorded.result()


def _stage_changes(
    staging: Staging, difference: Difference, counts: Counts, *, keys: tuple[str, ...], earlier: tuple[str, ...] | None
) -> list[PlannedRequest]:
    """The requests of a difference. Removals of rows under `earlier` keys are deferred until the additions are in."""
    deferred = earlier is not None
    return [
        *_stage(staging, difference, "remove", counts.remove, schema=earlier or keys, deferred=deferred),
        *_stage(staging, difference, "add", counts.add, schema=keys),
    ]


def _stage(
    staging: Staging,
    difference: Difference,
    action: RequestAction,
    rows: int,
    *,
    schema: tuple[str, ...],
    deferred: bool = False,
) -> list[PlannedRequest]:
    """Write the change file of an action and cut it into requests."""
    if not rows:
        return []
    file = staging.unused(change_file(action))
    with staging.writer(file, CHANGES) as writer:
        for batch in difference.changes(action):
            writer.write_batch(batch, row_group_size=MAX_ROWS)  # each request reads its own rows only
    return [
        PlannedRequest(action, file, first, min(MAX_ROWS, rows - first), schema, deferred)
        for first in range(0, rows, MAX_ROWS)
    ]


def _add_tasks(numbers: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    size = max(FEWEST_PER_TASK, ceil(len(numbers) / MOST_ADD_TASKS))
    return tuple(tuple(numbers[first : first + size]) for first in range(0, len(numbers), size))

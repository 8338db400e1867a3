"""Put on record what a computed difference sends: change files in staging, requests and assignments in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.campaign.wording import counted
from audiences.concurrency import meanwhile
from audiences.facebook import custom_audiences as facebook_audiences
from audiences.ledger import (
    assignments,
    audience_revisions,
    chunks,
    expiry,
    identifier_keys,
    known_audiences,
    member_changes,
    request_counts,
    runs,
)
from audiences.ledger.audience_revisions import Holding
from audiences.ledger.chunk_states import PlannedRequest
from audiences.logs import logger
from audiences.pipeline.audience import in_doubt
from audiences.pipeline.results import AudienceHolding, Plan, Rejected, RunRef, Selected
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.pipeline.staging import HELD_OUT, Staging, held_out_file, never_held_out_file
from audiences.pipeline.steps.assigning import assigning
from audiences.pipeline.steps.stage_changes import stage_changes
from audiences.pipeline.upload import full_refresh
from audiences.user_ids import USERS
from audiences.what.changes import CHANGES, Counts
from audiences.what.rows import keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import Remembered
    from audiences.what.difference import Difference

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
    remember: Callable[[], Remembered | None] | None = None,
) -> Plan:
    """Stage what a computed difference sends, and put it on record with the assignments.

    Raises ReplaceTooLongError, and AudienceTakenError or ChangedSinceComparedError when somebody else has come to the audience.

    `found`: the candidates are all who qualify, so whoever is not among them does not. `remember` stages what the next run is to
    know; it is called in another thread, so it asks the difference nothing.
    """
    ledger = resources.ledger
    if scope.everybody and (counts.add or counts.remove or run.full_refresh):
        _look_before_sending(resources, run)
    if difference.nobody_held:  # from here on the ledger counts on
        audience_revisions.count(ledger, run.audience, at=difference.revision, holding=Holding(0, 0))
    rows, said = rows_to_replace(resources, run, difference)
    runs.warn(ledger, run.run, said)
    staged = _stage(resources, run, selected, difference, counts, rows=rows, found=found, remember=remember)
    _ensure_still_as_compared(resources, run, difference)
    unsent = pa.Table.from_batches(() if rows else difference.changes("none"), CHANGES)
    member_changes.record_unsent(ledger, audience=run.audience, run=run.run, changes=unsent)
    _record_expired(resources, run, difference, found=found)
    _record_requests(resources, run, staged)
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
        remembered=staged.remembered,
    )


@dataclass(frozen=True, slots=True)
class _Staged:
    """What is ready to be sent, a whole set or the requests of a difference; and what the next run is to know."""

    full_set: full_refresh.StagedSet | None
    planned: Sequence[PlannedRequest]
    remembered: Remembered | None


def _stage(
    resources: CampaignResources,
    run: RunRef,
    selected: Sequence[Selected],
    difference: Difference,
    counts: Counts,
    *,
    rows: int,
    found: bool,
    remember: Callable[[], Remembered | None] | None,
) -> _Staged:
    """Stage the `rows` of the whole set, or else the difference, while everybody is assigned to an arm."""
    keys = keys_of(resources.spec.campaign.what.identifiers)
    earlier = (
        identifier_keys.begin(resources.ledger, campaign=run.campaign, audience=run.audience, schema=keys)
        if found
        else None
    )
    full_set, planned = None, list[PlannedRequest]()
    with (
        assigning(resources.ledger, campaign=run.campaign, run=run.run) as assign,
        meanwhile(remember or (lambda: None)) as remembered,
    ):
        if rows:
            full_set = full_refresh.stage(resources, run, difference, rows)
        else:
            planned = stage_changes(Staging(run.staging), difference, counts, keys=keys, earlier=earlier, assign=assign)
        _assign_others(resources, run, selected, difference, assign, added=bool(counts.add and not rows))
    return _Staged(full_set, planned, remembered.result())


def _record_requests(resources: CampaignResources, run: RunRef, staged: _Staged) -> None:
    """Nothing is sent of them as yet."""
    keys = keys_of(resources.spec.campaign.what.identifiers)
    known_audiences.remember_schema(resources.ledger, run.audience, keys)
    if staged.full_set:
        full_refresh.record(resources, run, staged.full_set)
    else:
        chunks.plan(resources.ledger, run=run.run, audience=run.audience, planned=staged.planned)


def _ensure_still_as_compared(resources: CampaignResources, run: RunRef, difference: Difference) -> None:
    """Where comparing and staging took longer than a claim lasts, another campaign may be at work, or have been and gone."""
    known_audiences.claim(resources.ledger, run.audience, run.campaign)
    audience_revisions.ensure_newest(resources.ledger, run.audience, difference.revision)


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
    begun, gone = member_changes.count(unsent)
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


def _assign_others(
    resources: CampaignResources,
    run: RunRef,
    selected: Sequence[Selected],
    difference: Difference,
    assign: Callable[[pa.RecordBatch], None],
    *,
    added: bool,
) -> None:
    """Assign who is held out, and whose membership begins without a request to add; `added`: the others are assigned already."""
    staging = Staging(run.staging)
    held_out = staging.rows(*(held_out_file(part.number) for part in selected))
    for batch in difference.assigned(pa.RecordBatchReader.from_batches(HELD_OUT, held_out), added=added):
        assign(batch)
    if resources.spec.campaign.who.never_hold_out:
        by_name = staging.rows(*(never_held_out_file(part.number) for part in selected))
        users = [user for batch in by_name for user in batch.column("user_id").to_pylist()]
        assignments.never_held_out(resources.ledger, run.campaign, users)


def _add_tasks(numbers: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    size = max(FEWEST_PER_TASK, ceil(len(numbers) / MOST_ADD_TASKS))
    return tuple(tuple(numbers[first : first + size]) for first in range(0, len(numbers), size))

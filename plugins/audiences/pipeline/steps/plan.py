"""Plan: the cap, the difference to what is held, the guards; then the requests and the assignments go on record."""

from __future__ import annotations

import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from audiences.campaign.windows import local_midnight
from audiences.campaign.wording import counted
from audiences.errors import AudiencesError, StoppedError
from audiences.facebook import custom_audiences as facebook_audiences
from audiences.facebook.contract import MAX_ROWS
from audiences.ledger import (
    assignments,
    chunks,
    expiry,
    identifier_keys,
    known_audiences,
    members,
    rejected_rows,
    request_counts,
    runs,
)
from audiences.logs import logger
from audiences.pipeline.audience import in_doubt
from audiences.pipeline.preconditions.unmatched import advising
from audiences.pipeline.results import AudienceHolding, Extracted, Plan, Rejected, RunRef, Selected
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.pipeline.staging import Staging
from audiences.pipeline.steps.open_run import how_to_allow
from audiences.pipeline.steps.select import (
    HELD_OUT,
    candidates_file,
    held_out_file,
    never_held_out_file,
    opted_out_file,
)
from audiences.pipeline.upload import full_refresh
from audiences.user_ids import USERS
from audiences.what.difference import CANDIDATES, CHANGES, Counts, Difference
from audiences.what.rows import keys_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from audiences.campaign.spec import CampaignSpec
    from audiences.campaign.what import Action
    from audiences.pipeline.resources import CampaignResources

MOST_ADD_TASKS = 16
ASSIGNED_FILE = "assigned.parquet"
FEWEST_PER_TASK = 20  # a task of its own is not worth fewer requests
_log = logger(__name__)


def plan(
    resources: CampaignResources,
    run: RunRef,
    extracted: Extracted,
    selected: Sequence[Selected],
    *,
    scope: Scope = EVERYBODY,
) -> Plan:
    """Decide what the run sends and put it on record, all or nothing.

    Raises StoppedError for a guard, and ReplaceTooLongError for a full refresh that one session cannot carry.
    """
    runs.warn(resources.ledger, run.run, extracted.misfits)
    with compared(resources, run, selected) as (difference, counts):
        outcomes = outcomes_before_upload(selected, counts)
        try:
            with advising(resources):
                check_guards(resources.spec, run, extracted, counts)
            return put_on_record(
                resources,
                run,
                selected,
                difference,
                counts,
                outcomes=outcomes,
                rejected=extracted.rejected,
                scope=scope,
            )
        except AudiencesError:
            runs.counted(resources.ledger, run.run, {**outcomes, "begun": counts.begun, "leaving": counts.gone})
            raise


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
            planned = [
                *_stage(
                    staging, difference, "remove", counts.remove, schema=earlier or keys, deferred=earlier is not None
                ),
                *_stage(staging, difference, "add", counts.add, schema=keys),
            ]
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
    on_record = chunks.of_run(ledger, run.run)
    requests = len(on_record)
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
        # A session is one task, since the order of its requests counts.
        add_tasks=(tuple(chunk.id for chunk in on_record),)
        if rows
        else _add_tasks([chunk.id for chunk in on_record if chunk.action == "add"]),
        after=AudienceHolding(memberships=counts.memberships_after, rows=counts.rows_after),
    )


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
    """A run may have read the warehouse for an hour, and its own requests would hide what others did in that time."""
    status = facebook_audiences.read(resources.facebook, run.facebook_id)
    if found := in_doubt.check_content(resources.ledger, run.audience, status):
        runs.warn(resources.ledger, run.run, [f"since the run began: {found}. The next run sees to it"])


@contextmanager
def compared(
    resources: CampaignResources,
    run: RunRef,
    selected: Sequence[Selected],
    *,
    action: Action | None = None,
    now: datetime | None = None,
) -> Iterator[tuple[Difference, Counts]]:
    """The difference between the staged candidates under the cap and what the ledger holds; writes nothing.

    `action` is the campaign's unless another one is given. `now` is the clock's, except for a preview of another time:
    `keep_for`, a cap per day and rows that are kept back go by it.
    """
    now = now or resources.now()
    with (
        tempfile.TemporaryDirectory(prefix="audiences-") as spill,
        closing(
            Difference(
                campaign=run.campaign,
                action=action or resources.spec.campaign.what.audience.action,
                spill=Path(spill),
                anew=run.in_doubt is not None,
            )
        ) as difference,
    ):
        with members.held(resources.ledger, run.audience) as held:
            difference.hold(held)
        candidates = Staging(run.staging).rows(*(candidates_file(part.number) for part in selected))
        difference.want(pa.RecordBatchReader.from_batches(CANDIDATES, candidates))
        if run.full_refresh:
            opted_out = Staging(run.staging).rows(*(opted_out_file(part.number) for part in selected))
            difference.leave_out(pa.RecordBatchReader.from_batches(USERS, opted_out))
        difference.quarantine(rejected_rows.quarantined(resources.ledger, run.audience, now))
        _apply_cap(resources, run, difference, now)
        _apply_expiry(resources, run, difference, now)
        yield difference, difference.compute()


def check_guards(spec: CampaignSpec, run: RunRef, extracted: Extracted, counts: Counts) -> None:
    """Raise StoppedError for the first guard that forbids the upload and is not allowed this once."""
    guards, live = spec.campaign.what.guards, spec.campaign.qualification == "live"
    removal = 100 * counts.left / counts.held if counts.held else 0
    broken = {
        # Of the users of a few events everybody may have ceased to qualify.
        "allow_empty": (not guards.allow_empty and extracted.rows == 0 and not live, "the query found nobody"),
        "skip_run_above": (
            guards.skip_run_above is not None and counts.targeted > guards.skip_run_above,
            f"{counts.targeted:,} targets are more than {guards.skip_run_above or 0:,}",
        ),
        "max_removal": (
            removal > guards.max_removal,
            f"{counts.left:,} of {counts.held:,} members ({removal:.1f} %) would be removed; "
            f"at most {guards.max_removal} % are allowed",
        ),
    }
    for guard, (stops, found) in broken.items():
        if stops and guard not in run.allow:
            raise StoppedError(guard=guard, found=found, allow_once=how_to_allow(spec.id, guard))


def outcomes_before_upload(selected: Sequence[Selected], counts: Counts) -> dict[str, int]:
    """Users by outcome as far as it is decided before anything is sent; `begun` are still to be added."""
    decided: Counter[str] = Counter()
    for part in selected:
        decided.update(part.outcomes)
    qualified = decided.total()
    candidates = decided.pop("candidate", 0)
    return {
        **decided,
        "over_cap": candidates - counts.targeted,
        "targeted": counts.targeted,
        "kept": counts.targeted - counts.begun,
        "qualified": qualified,
    }


def _apply_cap(resources: CampaignResources, run: RunRef, difference: Difference, now: datetime) -> None:
    cap = resources.spec.campaign.who.target_cap
    if cap is None:
        return
    exempt = pa.table({"user_id": pa.array([], pa.string())})
    if cap.per == "total":
        exempt = assignments.ever_targeted(resources.ledger, run.campaign)
    elif cap.per == "day":
        today = now.astimezone(resources.spec.zone).date()
        first, after = (local_midnight(today + timedelta(days=days), resources.spec.zone) for days in (0, 1))
        exempt = assignments.added_between(resources.ledger, run.campaign, first, after)
    difference.cap(cap.users - exempt.num_rows, exempt)


def _apply_expiry(resources: CampaignResources, run: RunRef, difference: Difference, now: datetime) -> None:
    campaign = resources.spec.campaign
    if campaign.what.keep_for is None:
        return
    since = now - campaign.what.keep_for.delta
    difference.expire(
        expiry.expiring(resources.ledger, audience=run.audience, campaign=run.campaign, since=since),
        expiry.expired(resources.ledger, audience=run.audience, campaign=run.campaign),
        # To a live campaign every event is a qualification of its own.
        again=campaign.qualification == "live",
    )


def _record_expired(resources: CampaignResources, run: RunRef, difference: Difference, *, found: bool) -> None:
    """Remember who is not to be added again: those whose time is up, as long as every run finds that they qualify."""
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


def _stage(
    staging: Staging,
    difference: Difference,
    action: chunks.RequestAction,
    rows: int,
    *,
    schema: tuple[str, ...],
    deferred: bool = False,
) -> list[chunks.PlannedRequest]:
    """Write the change file of an action and cut it into requests."""
    if not rows:
        return []
    file = staging.unused(f"{action}.parquet")
    with staging.writer(file, CHANGES) as writer:
        for batch in difference.changes(action):
            writer.write_batch(batch, row_group_size=MAX_ROWS)  # each request reads its own rows only
    return [
        chunks.PlannedRequest(action, file, first, min(MAX_ROWS, rows - first), schema, deferred)
        for first in range(0, rows, MAX_ROWS)
    ]


def _add_tasks(numbers: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    size = max(FEWEST_PER_TASK, ceil(len(numbers) / MOST_ADD_TASKS))
    return tuple(tuple(numbers[first : first + size]) for first in range(0, len(numbers), size))

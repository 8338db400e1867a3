"""Export: send planned requests, several at a time, and record each answer with the memberships it changes.

A request is recorded as `sending` before it is sent and as acknowledged together with its memberships, so a crash leaves at
worst requests of unknown fate, which are sent again before anything else. Adding or removing
twice is harmless.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from audiences.campaign.wording import counted
from audiences.errors import AudiencesError, FailedError, RefusedError, RetryError, WaitError
from audiences.facebook import audience_members as facebook_members
from audiences.facebook.graph_errors import AudienceTooSmallError, RowsRefusedError
from audiences.ledger import chunks, erasures, known_audiences, receipts, request_counts, requests_in_doubt, runs
from audiences.ledger.chunk_states import Chunk, RequestState
from audiences.ledger.receipts import Acknowledged
from audiences.logs import logger
from audiences.pipeline.preconditions import export_windows
from audiences.pipeline.results import RunRef, Sent
from audiences.pipeline.staging import Footers
from audiences.pipeline.upload.bisect import halve
from audiences.pipeline.upload.opted_out_meanwhile import opted_out_meanwhile, without_users
from audiences.pipeline.upload.request_body import perhaps_carried_out, request_payload, staged
from audiences.what.erased import Erased

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from audiences.facebook.audience_members import Receipt
    from audiences.facebook.session import GraphSession
    from audiences.ledger.chunk_states import InDoubtState, RequestAction
    from audiences.ledger.request_counts import ActionCounts
    from audiences.pipeline.resources import CampaignResources

DEFERRED_REMOVALS_WAIT = (
    "the identifiers of the campaign changed and {}, so nothing was removed under the old ones; "
    "the next run tries again"
)
LONGEST_RETRY_SECONDS = 15 * 60  # between two tries of a step after a passing fault
_log = logger(__name__)


@dataclass(eq=False)
class AllRefusedError(FailedError):
    """Facebook acknowledged nothing of what was to be added or removed; the next run plans it anew."""

    action: str
    requests: int
    error: str

    def __str__(self) -> str:
        what = f"any of the {self.requests:,} requests" if self.requests > 1 else "the only request"
        return f"Facebook did not take {what} to {self.action} members: {self.error}"


def export(
    resources: CampaignResources,
    run: RunRef,
    action: RequestAction,
    requests: Sequence[int] | None = None,
    *,
    deferred: bool = False,
) -> Sent:
    """Send the requests of that action (those of these `requests`, or all) that are not acknowledged yet.

    Nobody is uploaded who has opted out while they waited.

    `deferred` removals come after the additions: those of a run with other identifiers than before. They wait for the next run
    when an addition was refused, or not sent, as where its task was marked as done by hand, so that nobody is out in between.
    A run that planned the whole set in place of additions sends that by `full_refresh.send`.
    Requests that are refused for good are recorded and the rest goes on; AllRefusedError is raised when nothing was left.
    Whatever needs a wait, a retry or a person is raised, after the requests under way have been recorded; calling again
    resumes. Raises OutsideWindowsError when the campaign's windows have closed in the meantime.
    """
    planned = chunks.of_run(resources.ledger, run.run, action=action, deferred=deferred)
    todo = [chunk for chunk in planned if chunk.unsent and (requests is None or chunk.origin in requests)]
    if deferred and todo and (why := _not_under_the_new(request_counts.standing(resources.ledger, run.run, "add"))):
        runs.warn(resources.ledger, run.run, [DEFERRED_REMOVALS_WAIT.format(why)])
        chunks.drop_deferred(resources.ledger, run.run)
        return Sent(requests=0)
    if todo:
        export_windows.ensure_open(resources, run.allow)
    known_audiences.claim(resources.ledger, run.audience, run.campaign)
    sent = send_all(resources, run.facebook_id, todo, but=opted_out_meanwhile(resources, run, todo))
    _ensure_something_was_taken(resources, run, action)
    return sent


def _not_under_the_new(additions: ActionCounts) -> str | None:
    """Why somebody may not be in yet under the identifiers of now, in a clause; None where all are."""
    if additions.refused:
        return "Facebook refused additions under the new ones"
    return "additions under the new ones were not sent" if additions.unsent else None


def send_all(
    resources: CampaignResources, facebook_id: str, todo: Iterable[Chunk], *, but: frozenset[str] = frozenset()
) -> Sent:
    """Send these requests, but not these users of additions, and record what comes of each; raises as `export` does.

    Several requests are under way at a time.
    """
    max_concurrency = resources.spec.account.requests_at_once
    with ThreadPoolExecutor(max_concurrency, thread_name_prefix="upload") as pool:
        upload = _Upload(resources, facebook_id, todo, pool, max_concurrency, but)
        upload.work()
    if upload.trouble is not None:
        raise upload.trouble
    return Sent(requests=upload.sent, refused=upload.refused)


class _Upload:
    """Sends requests in threads of the pool, and records in this one what comes of them.

    What has been answered meanwhile is recorded together: it is the same to the ledger, and a fifth cheaper than one by one.
    """

    def __init__(
        self,
        resources: CampaignResources,
        facebook_id: str,
        todo: Iterable[Chunk],
        pool: ThreadPoolExecutor,
        max_concurrency: int,
        but: frozenset[str],
    ) -> None:
        self.sent = self.refused = 0
        self.trouble: AudiencesError | None = None
        self._resources, self._ledger = resources, resources.ledger
        self._facebook_id, self._but = facebook_id, but
        self._erased, self._footers = Erased(*erasures.known(resources.ledger)), Footers()
        self._waiting, self._under_way = deque(todo), dict[Future[Acknowledged], Chunk]()
        self._pool, self._max_concurrency = pool, max_concurrency

    def work(self) -> None:
        """Go on until all is answered, or until nothing more is to be sent, because of `trouble`, or under way."""
        self._fill()
        while self._under_way:
            self._record(self._answered())

    def _answered(self) -> list[Acknowledged]:
        """Wait for some answers; the next requests are on their way while the members of these are recorded."""
        answered = []
        for done in self._some_done():
            chunk = self._under_way.pop(done)
            self.sent += 1
            if done.exception() is None:
                answered.append(done.result())
            else:
                self._failed(chunk, done)
        self._fill()
        return answered

    def _some_done(self) -> list[Future[Acknowledged]]:
        """Requests that are over: of many only those of the lowest numbers, since the rows of all are in memory.

        In the order of their rows, which are then in that of an index.
        """
        done = wait(self._under_way, return_when=FIRST_COMPLETED).done
        return sorted(done, key=lambda future: self._under_way[future].number)[: ceil(self._max_concurrency / 2)]

    def _fill(self) -> None:
        room = min(self._max_concurrency - len(self._under_way), len(self._waiting))
        if self.trouble is not None or room <= 0:
            return
        next_ones = [self._waiting.popleft() for _ in range(room)]
        chunks.sending(self._ledger, *next_ones)
        for chunk in next_ones:
            self._under_way[self._pool.submit(self._send, chunk)] = chunk

    def _send(self, chunk: Chunk) -> Acknowledged:
        """Runs in a thread of its own."""
        changes = staged(chunk, self._erased, footers=self._footers)
        uploaded = without_users(changes, self._but) if chunk.action == "add" else changes
        left_before = chunk.state is RequestState.SENDING
        changed = perhaps_carried_out(chunk, self._erased) if left_before else uploaded
        if not uploaded.num_rows and (changes.num_rows or left_before):
            return Acknowledged(chunk, 0, 0, changed)  # nobody is left to be sent, which is no fault of the request
        receipt = send(self._resources.facebook, self._facebook_id, chunk, uploaded)
        return Acknowledged(chunk, receipt.received, receipt.invalid, changed)

    def _record(self, answered: Sequence[Acknowledged]) -> None:
        if not answered:
            return
        try:
            receipts.acknowledge(self._ledger, *answered)
        except AudiencesError as error:
            self._stop(answered[0].chunk, error)
            return
        known_audiences.renew(self._ledger, answered[0].chunk.audience)
        for each in answered:
            chunk = each.chunk
            _log.info("%s: request %s, %s acknowledged", chunk.action, chunk.number, counted(chunk.rows, "row"))

    def _failed(self, chunk: Chunk, done: Future[Acknowledged]) -> None:
        """Record what came of a request that was not acknowledged. Raises what is none of our errors."""
        try:
            done.result()
        except RowsRefusedError as error:
            halves = halve(self._ledger, chunk, error, self._erased)
            self.refused += not halves
            self._waiting.extend(halves)
        except RefusedError as error:
            self.refused += _refuse(self._resources, chunk, error, self._erased)
        except AudiencesError as error:
            self._stop(chunk, error)

    def _stop(self, chunk: Chunk, error: AudiencesError) -> None:
        self.trouble = self.trouble or error
        _keep_claim(self._resources, chunk, error)


def send(session: GraphSession, facebook_id: str, chunk: Chunk, changes: pa.Table) -> Receipt:
    """Send the rows of these changes, which hang on the request."""
    ready = request_payload(changes, chunk.schema)
    call = facebook_members.add if chunk.action == "add" else facebook_members.remove
    return call(session, facebook_id, ready.schema, ready.rows, body=ready.body)


def _refuse(resources: CampaignResources, chunk: Chunk, error: RefusedError, erased: Erased) -> bool:
    """Record that the request as a whole was refused; True if for good, False if it is put off to the next run."""
    put_off = isinstance(error, AudienceTooSmallError)
    outcome = "put off to the next run" if put_off else "refused"
    _log.warning("request %s (%s) is %s: %s", chunk.number, chunk.action, outcome, error)
    if error.after_unknown or chunk.state is RequestState.SENDING:
        # An earlier try got no answer and may have been carried out, unlike a request whose rows are at fault.
        state: InDoubtState = RequestState.POSTPONED if put_off else RequestState.REFUSED
        requests_in_doubt.begin(
            resources.ledger, chunk, state=state, error=str(error), changes=perhaps_carried_out(chunk, erased)
        )
    elif put_off:
        chunks.postpone(resources.ledger, chunk, error=str(error))
    else:
        chunks.refuse(resources.ledger, chunk, error=str(error))
    return not put_off


def _keep_claim(resources: CampaignResources, chunk: Chunk, error: AudiencesError) -> None:
    """Renew the claim for the wait that is due: a plan must not go on after another campaign has changed the audience."""
    if isinstance(error, (WaitError, RetryError)):
        wait = error.seconds if isinstance(error, WaitError) else LONGEST_RETRY_SECONDS
        known_audiences.renew(resources.ledger, chunk.audience, after=wait)


def _ensure_something_was_taken(resources: CampaignResources, run: RunRef, action: RequestAction) -> None:
    """Raise AllRefusedError unless something was taken. Removals whose rows were at fault do not keep additions from going."""
    found = request_counts.standing(resources.ledger, run.run, action)
    if found.refused and not found.taken and not found.unsent and not (action == "remove" and found.only_rows):
        raise AllRefusedError(action, found.planned, found.error or "")

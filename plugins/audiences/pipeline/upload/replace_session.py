"""A replace session: the whole set of an audience in several requests, which becomes the audience when the last one is in.

The first batch opens the session alone and is never sent twice; the others follow several at a time; the last one goes
alone again and ends it. Members on record change only then, all at once. A session that a crash or a wait interrupted is
carried through, while Facebook keeps it open; one that broke is done again from its beginning under a new id.
"""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from audiences.errors import FacebookTransientError, FixAccessError, RefusedError, WaitError
from audiences.facebook import audience_members as facebook_members
from audiences.facebook.audience_members import BatchStep, counts_as_complete, session_id_for
from audiences.facebook.contract import REPLACE_ENDED, REPLACE_WINDOW_SECONDS
from audiences.facebook.graph_errors import AudienceBusyError, ReplaceBrokenError, RowsRefusedError
from audiences.ledger import chunks, erasures, known_audiences, receipts, rejected_rows, replace_sessions
from audiences.ledger.chunk_states import RequestState
from audiences.logs import logger
from audiences.pipeline.results import Sent
from audiences.pipeline.staging import Staging
from audiences.pipeline.upload.bisect import rows_at_fault
from audiences.pipeline.upload.ended_session import kept_till_left_out, perhaps_in, recorded
from audiences.pipeline.upload.opted_out_meanwhile import note_left_out, opted_out_among, without_users
from audiences.pipeline.upload.request_body import request_payload, staged
from audiences.what.erased import Erased

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from audiences.facebook.audience_members import Receipt
    from audiences.ledger.chunk_states import Chunk
    from audiences.ledger.database import Ledger
    from audiences.ledger.replace_sessions import ReplaceSession
    from audiences.pipeline.resources import CampaignResources

CLOCKS_APART_SECONDS = 60  # between Facebook's clock and the ledger's
_LEFT = (RequestState.SENDING, RequestState.ACKNOWLEDGED)
_log = logger(__name__)


def resolve_unknown(resources: CampaignResources, audience: int, facebook_id: str) -> None:
    """Complete the interrupted sessions of earlier runs; one that cannot be completed leaves the audience in doubt."""
    for session in replace_sessions.unfinished(resources.ledger, audience):
        files = {session.closing, *(chunk.file for chunk in chunks.of_session(resources.ledger, session.id))}
        staging = Staging(session.staging)
        try:
            if not all(staging.exists(file) for file in files):
                what = f"the staged rows of run {session.run} are gone"
                raise ReplaceBrokenError(what)
            _log.info("carrying the replace of run %s through, which was interrupted", session.run)
            but = opted_out_among(resources, chunks.of_session(resources.ledger, session.id))
            SessionUpload(resources, facebook_id, session, but=but).carry_through()
        except RowsRefusedError as error:
            _log.warning("the replace of run %s was refused: %s", session.run, error)
            replace_sessions.refused(
                resources.ledger, session, chunks.of_session(resources.ledger, session.id)[0], error=str(error)
            )
        except ReplaceBrokenError as error:
            _log.warning("the replace of run %s cannot be carried through: %s", session.run, error)
            replace_sessions.broke(resources.ledger, session, error=str(error))


def ids(facebook_id: str, staging: str) -> Callable[[int], int]:
    """Makes the ids of a run's sessions: the folder of its rows tells the run from those of other ledgers."""
    return lambda attempt: session_id_for(facebook_id, staging, str(attempt))


def patient(ledger: Ledger, audience: int, error: AudienceBusyError) -> AudienceBusyError:
    """The error with the seconds for which Facebook may still keep open a session that we gave up: it ends then, not before."""
    left = replace_sessions.seconds_left(ledger, audience, window=REPLACE_WINDOW_SECONDS + CLOCKS_APART_SECONDS)
    return AudienceBusyError(error.what, max(error.seconds, left), error.code, error.subcode)


class SessionUpload:
    """One session on its way, from wherever the record says it has got to, without these users in what is sent from here on."""

    def __init__(
        self,
        resources: CampaignResources,
        facebook_id: str,
        session: ReplaceSession,
        *,
        but: frozenset[str] = frozenset(),
    ) -> None:
        self._ledger, self._graph = resources.ledger, resources.facebook
        self._facebook_id, self._session, self._but = facebook_id, session, but
        self._erased = Erased(*erasures.known(resources.ledger))
        self._max_concurrency = resources.spec.account.requests_at_once
        self._chunks = chunks.of_session(resources.ledger, session.id)
        self._total = sum(chunk.rows for chunk in self._chunks)
        self._bad = rejected_rows.of_run(resources.ledger, session.run)
        # The threads share a connection, on which only one transaction can be open.
        self._recording = Lock()
        # Batches that an earlier process has sent, or may have.
        self._left_before = [chunk for chunk in self._chunks if chunk.state in _LEFT]
        # Rows by request, those of an earlier process as they were planned.
        self._arrived = [chunk.rows for chunk in self._chunks if chunk.state is RequestState.ACKNOWLEDGED]
        # Members whom the campaign was to keep.
        self._left_out = set[str]()
        # Numbers for parts of batches, after those of the batches and the one that may have to end the session.
        self._numbers = count(len(self._chunks) + 2)

    def carry_through(self) -> Sent:
        """Send what has not been acknowledged, end the session, record the members.

        Raises ReplaceBrokenError when a new session is needed, and RowsRefusedError when the first batch was refused for
        what its rows hold: then none was opened.
        """
        first, *others = self._chunks
        ended: Receipt | None = None
        if first.unsent:
            try:
                ended = self._open(first)
            except (ReplaceBrokenError, RowsRefusedError):
                raise
            except RefusedError as error:
                _log.warning("the first batch of the replace was refused: %s", error)
                replace_sessions.refused(self._ledger, self._session, first, error=str(error))
                return Sent(requests=1, refused=1)
        if others:
            self._send_between(others[:-1])
            ended = self._end(others[-1])
        self._ensure_complete(ended)
        self._record(self._chunks[-1], ended)
        refused = sum(
            chunk.state is RequestState.REFUSED for chunk in chunks.of_session(self._ledger, self._session.id)
        )
        return Sent(requests=len(self._chunks), refused=refused)

    def _open(self, first: Chunk) -> Receipt | None:
        """Send the first batch, alone, unless it has arrived before."""
        alone = len(self._chunks) == 1
        if first.state is RequestState.SENDING:
            return self._found_open(first)
        replace_sessions.opened(self._ledger, self._session, first)
        try:
            receipt = self._send(first, 1, last=alone)
        except (WaitError, FixAccessError) as error:
            replace_sessions.not_opened(self._ledger, self._session, first)
            if isinstance(error, AudienceBusyError):
                raise patient(self._ledger, self._session.audience, error) from error
            raise
        except FacebookTransientError:
            return self._found_open(first)
        if not alone:
            receipts.receive(self._ledger, first, received=receipt.received, invalid=receipt.invalid)
        return receipt

    def _found_open(self, first: Chunk) -> Receipt | None:
        """Ask Facebook whether the first batch has arrived: it must not be sent twice."""
        number = self._session.facebook_id
        for found in facebook_members.upload_sessions(self._graph, self._facebook_id, number):
            if found.session_id == number:
                self._arrived.append(first.rows)
                if len(self._chunks) > 1:
                    receipts.receive(self._ledger, first, received=found.received or 0, invalid=found.invalid or 0)
                return None
        what = "Facebook does not know the session whose first batch was sent without an answer"
        raise ReplaceBrokenError(what)

    def _send_between(self, between: Sequence[Chunk]) -> None:
        """Send the batches between the first and the last, in any order; the first trouble is raised when all are back."""
        todo = [(chunk, number) for number, chunk in enumerate(between, 2) if chunk.unsent]
        with ThreadPoolExecutor(self._max_concurrency, thread_name_prefix="upload") as pool:
            sent = [pool.submit(self._send_one_between, chunk, number) for chunk, number in todo]
            wait(sent, return_when=FIRST_EXCEPTION)
            for future in sent:
                future.cancel()
        for future in sent:
            if not future.cancelled():
                future.result()

    def _send_one_between(self, chunk: Chunk, number: int) -> None:
        """Runs in a thread of its own."""
        with self._recording:
            chunks.sending(self._ledger, chunk)
        try:
            rows = self._rows(chunk)
            if not rows.num_rows:
                self._nobody_in(chunk)
                return
            receipt = self._send_rows(rows, number, last=False)
        except ReplaceBrokenError:
            raise
        except RowsRefusedError as error:
            self._send_good_rows(chunk, error)
            return
        except RefusedError as error:
            _log.warning("batch %s of the replace was refused: %s", number, error)
            with self._recording:
                chunks.refuse(self._ledger, chunk, error=str(error))
            return
        with self._recording:
            receipts.receive(self._ledger, chunk, received=receipt.received, invalid=receipt.invalid)
            known_audiences.renew(self._ledger, self._session.audience)

    def _nobody_in(self, chunk: Chunk) -> None:
        """Record that a batch has arrived of which nobody is left to be sent, which is no fault of it."""
        with self._recording:
            receipts.receive(self._ledger, chunk, received=0, invalid=0)

    def _end(self, last: Chunk) -> Receipt | None:
        """Send the last batch, alone. When it cannot be, the rows of another one end the session: twice is harmless."""
        number = len(self._chunks)
        try:
            if last.unsent:
                chunks.sending(self._ledger, last)
                try:
                    rows = self._rows(last)
                    if rows.num_rows:
                        return self._send_rows(rows, number, last=True)
                    self._nobody_in(last)
                except ReplaceBrokenError:
                    raise
                except RowsRefusedError as error:
                    self._send_good_rows(last, error)
                except RefusedError as error:
                    _log.warning("the last batch of the replace was refused: %s", error)
                    chunks.refuse(self._ledger, last, error=str(error))
            others = (chunk for chunk in self._chunks if self._rows(chunk).num_rows)
            return self._send(next(others, self._chunks[0]), number + 1, last=True)
        except ReplaceBrokenError as error:
            if error.subcode == REPLACE_ENDED:  # an earlier try had arrived, and its answer was lost
                return None
            raise

    def _ensure_complete(self, ended: Receipt | None) -> None:
        """Raise ReplaceBrokenError when Facebook counted far fewer rows than it was sent in the session."""
        rows = sum(self._arrived)
        received = ended.received if ended else self._listed_as_received()
        invalid = replace_sessions.invalid(self._ledger, self._session) + (ended.invalid if ended else 0)
        if received is not None and not counts_as_complete(received, invalid, rows):
            what = f"the replace of audience {self._facebook_id} ended with {received:,} of its {rows:,} rows received"
            raise ReplaceBrokenError(what, truncated=True)

    def _listed_as_received(self) -> int | None:
        """What Facebook lists as received in the session, where the answer to its last batch was lost."""
        number = self._session.facebook_id
        listed = facebook_members.upload_sessions(self._graph, self._facebook_id, number)
        return next((one.received for one in listed if one.session_id == number), None)

    def _send_good_rows(self, chunk: Chunk, error: RowsRefusedError) -> None:
        """Send a batch that was refused for its rows without those at fault, in the same session, where any number may follow."""
        _log.info("a batch of the replace was refused for what its rows hold; sending its halves: %s", error)
        try:
            bad = rows_at_fault(self._rows(chunk), lambda rows: self._send_rows(rows, next(self._numbers), last=False))
        except RowsRefusedError as hopeless:
            _log.warning("%s rows of the replace were refused: %s", f"{chunk.rows:,}", hopeless)
            with self._recording:
                chunks.refuse(self._ledger, chunk, error=str(hopeless))
            return
        with self._recording:
            rejected_rows.leave_out(self._ledger, chunk, bad)
            self._bad = rejected_rows.of_run(self._ledger, self._session.run)
            known_audiences.renew(self._ledger, self._session.audience)

    def _send(self, chunk: Chunk, number: int, *, last: bool) -> Receipt:
        return self._send_rows(self._rows(chunk), number, last=last)

    def _rows(self, chunk: Chunk) -> pa.Table:
        """The rows of the batch to send: nobody who was erased or is left out, and no row that was refused in this run before."""
        found = without_users(staged(chunk, self._erased), self._but)
        bad = pc.is_in(found.column("identifiers"), pa.array(self._bad, pa.binary()))
        return found.filter(pc.invert(bad))

    def _send_rows(self, rows: pa.Table, number: int, *, last: bool) -> Receipt:
        step = BatchStep(self._session.facebook_id, number, last, self._total)
        ready = request_payload(rows, self._session.schema, step=step)
        receipt = facebook_members.replace(
            self._graph, self._facebook_id, ready.schema, ready.rows, step=step, body=ready.body
        )
        self._arrived.append(receipt.rows)
        return receipt

    def _record(self, last: Chunk, receipt: Receipt | None) -> None:
        with self._ledger.sql.transaction():
            replace_sessions.end(
                self._ledger,
                self._session,
                last,
                received=receipt.received if receipt else self._total,
                invalid=receipt.invalid if receipt else 0,
                changes=self._changes(),
            )
            note_left_out(self._ledger, self._session.run, len(self._left_out))
        known_audiences.renew(self._ledger, self._session.audience)
        _log.info("the audience was replaced: %s rows in %s requests", f"{self._total:,}", len(self._chunks))

    def _changes(self) -> Iterator[pa.Table]:
        """What the ended session changes: closing memberships, those that rows began, and members whose rows were refused."""
        staging = Staging(self._session.staging)
        for batch in staging.dataset(self._session.closing).to_batches():
            yield pa.Table.from_batches([batch])
        now = chunks.of_session(self._ledger, self._session.id)
        refused = [chunk for chunk in now if chunk.state is RequestState.REFUSED]
        for batch in staging.dataset(now[0].file).to_batches():
            in_it = perhaps_in(pa.Table.from_batches([batch]), self._erased, left_before=self._left_before)
            self._left_out |= kept_till_left_out(
                in_it, campaign=self._session.campaign, left_before=self._left_before, but=self._but
            )
            yield recorded(in_it, left_before=self._left_before, refused=refused, bad=self._bad, but=self._but)

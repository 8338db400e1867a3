"""A full refresh: whether it is wanted, the whole set cut into the requests of one replace session, and sending that."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from audiences.errors import FixConfigError
from audiences.facebook.contract import (
    ASSUMED_REQUEST_SECONDS,
    MAX_ROWS,
    REPLACE_BUDGET_SECONDS,
    REPLACE_WINDOW_SECONDS,
)
from audiences.facebook.graph_errors import ReplaceBrokenError, RowsRefusedError
from audiences.ledger import chunks, erasures, known_audiences, replace_sessions
from audiences.ledger.replace_sessions import SessionState
from audiences.logs import logger
from audiences.pipeline.preconditions import export_windows
from audiences.pipeline.results import Sent
from audiences.pipeline.staging import CLOSING_FILE, Staging, change_file
from audiences.pipeline.upload.requests import requests_for, requests_of
from audiences.what.changes import CHANGES
from audiences.what.erased import Erased
from audiences.what.payload import keys_in
from audiences.what.rows import KEYS, keys_of

if TYPE_CHECKING:
    from audiences.ledger.chunk_states import PlannedRequest
    from audiences.ledger.known_audiences import KnownAudience
    from audiences.ledger.replace_sessions import ReplaceSession
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef, RunRequest
    from audiences.what.difference import Difference

SESSIONS_A_RUN = 3
_log = logger(__name__)


@dataclass(eq=False)
class ReplaceTooLongError(FixConfigError):
    """The whole set would take longer than one replace session may be planned to."""

    rows: int
    requests: int
    minutes: float
    seconds_each: float

    def __str__(self) -> str:
        window, budget = REPLACE_WINDOW_SECONDS // 60, REPLACE_BUDGET_SECONDS // 60
        return (
            f"replacing the audience would take about {self.minutes:.0f} minutes ({self.rows:,} rows in {self.requests:,} "
            f"requests of {self.seconds_each:.1f} s). Facebook ends a replace after {window} minutes and cuts the audience "
            f"off there, so at most {budget} are planned. Nothing was sent. Use `refresh: difference`"
        )


@dataclass(eq=False)
class ForeignMembersError(FixConfigError):
    """The whole set was to replace what is in an audience in which others may have put members."""

    facebook_id: str
    campaign: str

    def __str__(self) -> str:
        return (
            f"to replace what is in audience {self.facebook_id} would delete the members that others put there, since no "
            "campaign created it. Nothing was sent. Use `refresh: difference`; or, if they are to go and the audience to be "
            f"this campaign's alone, take it over first: `audiences adopt {self.campaign}`"
        )


@dataclass(frozen=True, slots=True)
class StagedSet:
    """A whole set on disk: the Facebook keys of its rows, its requests, the file of memberships that change at its end."""

    schema: tuple[str, ...]
    closing: str
    planned: tuple[PlannedRequest, ...]


def wanted(resources: CampaignResources, request: RunRequest, audience: KnownAudience, *, in_doubt: bool) -> bool:
    """Whether the run sends the whole set: by the file, by hand, or because it is not known what the audience holds.

    Raises ForeignMembersError as `ensure_ours`.
    """
    asked = resources.spec.campaign.what.refresh == "replace" or request.full_refresh
    if asked:
        ensure_ours(resources, audience.facebook_id, audience)
        return True
    if not audience.created:
        return False
    return in_doubt


def ensure_ours(resources: CampaignResources, facebook_id: str, audience: KnownAudience | None) -> None:
    """Raise ForeignMembersError for an audience that no campaign created or adopted: its members are not ours to replace."""
    if audience is None or not audience.created:
        raise ForeignMembersError(facebook_id, resources.spec.id)


def ensure_in_time(resources: CampaignResources, rows: int) -> None:
    """Raise ReplaceTooLongError when that many rows take too long, by the account's last requests or by assumption."""
    measured = replace_sessions.seconds_per_request(resources.ledger, resources.spec.account.id, rows=MAX_ROWS // 2)
    seconds, requests = measured or ASSUMED_REQUEST_SECONDS, requests_for(rows)
    # The first and the last batch go alone.
    turns = min(requests, 2) + ceil(max(0, requests - 2) / resources.spec.account.requests_at_once)
    if turns * seconds > REPLACE_BUDGET_SECONDS:
        raise ReplaceTooLongError(rows, requests, minutes=turns * seconds / 60, seconds_each=seconds)


def stage(resources: CampaignResources, run: RunRef, difference: Difference, rows: int) -> StagedSet:
    """Write the `rows` of the whole set, and what changes at its end; after `difference.full_set`."""
    staging = Staging(run.staging)
    file, closing = staging.unused(change_file("replace")), staging.unused(CLOSING_FILE)
    keys = set(keys_of(resources.spec.campaign.what.identifiers))
    with staging.writer(file, CHANGES) as writer:
        for batch in difference.lasting():
            writer.write_batch(batch, row_group_size=MAX_ROWS)  # each request reads its own rows only
            keys |= keys_in(batch.column("identifiers"))
    with staging.writer(closing, CHANGES) as writer:
        for batch in difference.closing():
            writer.write_batch(batch)
    return StagedSet(tuple(key for key in KEYS if key in keys), closing, requests_of(file, rows))


def record(resources: CampaignResources, run: RunRef, staged: StagedSet) -> None:
    """Put the session on record, nothing sent of it."""
    # Every run asks this module whether there is a set to send.
    from audiences.pipeline.upload.replace_session import ids

    replace_sessions.plan(
        resources.ledger,
        run=run.run,
        audience=run.audience,
        schema=staged.schema,
        closing=staged.closing,
        planned=staged.planned,
        id_of=ids(run.facebook_id, run.staging),
    )


def is_planned(resources: CampaignResources, run: RunRef) -> bool:
    """Whether the run still has a whole set to send, in place of additions; an empty one is planned as removals."""
    return run.full_refresh and replace_sessions.to_send(resources.ledger, run.run) is not None


def send(resources: CampaignResources, run: RunRef) -> Sent:
    """Send the run's whole set in one replace session, in a new one where a session broke; nothing when there is none to send.

    Nobody is uploaded who has opted out while it waited.

    Raises ReplaceBrokenError when SESSIONS_A_RUN broke, AudienceBusyError while another session is under way, and what
    needs a wait, a retry or a person; calling again resumes.
    """
    session = _claimed(resources, run)
    if session is None:
        return Sent(requests=0)
    # What sends a set, since every run asks this module whether there is one.
    from audiences.pipeline.upload.bisect import other_opening
    from audiences.pipeline.upload.opted_out_meanwhile import opted_out_meanwhile
    from audiences.pipeline.upload.opted_out_of_set import without_opted_out
    from audiences.pipeline.upload.replace_session import SessionUpload, ids

    but = frozenset[str]()
    if session.state is SessionState.PLANNED:
        session = without_opted_out(resources, run, session)
    else:
        but = opted_out_meanwhile(resources, run, chunks.of_session(resources.ledger, session.id))
    id_of = ids(run.facebook_id, session.staging)
    while True:
        try:
            return SessionUpload(resources, run.facebook_id, session, but=but).carry_through()
        except RowsRefusedError as error:
            planned = other_opening(resources.ledger, session, error, Erased(*erasures.known(resources.ledger)))
            if not planned:
                return Sent(requests=1, refused=1)
            session = replace_sessions.again(resources.ledger, session, id_of=id_of, planned=planned)
        except ReplaceBrokenError as error:
            replace_sessions.broke(resources.ledger, session, error=str(error))
            session = replace_sessions.again(resources.ledger, session, id_of=id_of)
            if replace_sessions.broken(resources.ledger, run.run) >= SESSIONS_A_RUN:
                raise
            _log.warning("%s; the whole set is sent again", error)
            session = without_opted_out(resources, run, session)


def _claimed(resources: CampaignResources, run: RunRef) -> ReplaceSession | None:
    """The session that the run still has to carry through, the audience being its own now; None where another run came before."""
    session = replace_sessions.to_send(resources.ledger, run.run)
    if session is None:
        return None
    if session.state is SessionState.PLANNED:
        export_windows.ensure_open(resources, run.allow)  # one that has begun is ended, whatever the time
    known_audiences.claim(resources.ledger, run.audience, run.campaign)
    return replace_sessions.to_send(resources.ledger, run.run)

"""Requests of unknown fate are sent again until the answer is known, before a new difference is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.campaign.wording import counted
from audiences.errors import RefusedError
from audiences.ledger import audiences_in_doubt, chunks, erasures, known_audiences, requests_in_doubt
from audiences.ledger.chunk_states import RequestState
from audiences.logs import logger
from audiences.pipeline.preconditions.staged_here import ensure_seen
from audiences.pipeline.staging import Staging
from audiences.pipeline.upload import export, replace_session
from audiences.pipeline.upload.opted_out_meanwhile import opted_out_among, without_users
from audiences.pipeline.upload.request_body import perhaps_carried_out, staged
from audiences.what.erased import Erased

if TYPE_CHECKING:
    from audiences.ledger.chunk_states import Chunk
    from audiences.ledger.known_audiences import KnownAudience
    from audiences.pipeline.resources import CampaignResources

STALE = "it is not known whom the audience holds, so the request is not sent again before the next difference"
_log = logger(__name__)


def resolve_unknown(resources: CampaignResources, audience: KnownAudience, *, anew: bool = False) -> list[str]:
    """Send again the requests of unknown fate, in their old order; returns warnings for people about what stays in doubt.

    Where the whole audience is in doubt, the ledger may be older than what has happened since, so that a request of its could
    bring back somebody who has left. It is taken as carried out then: this run's difference sends whoever is not wanted, a
    whole set ends it, and without one later runs send what is still meant. `anew`: the doubt came with this run.

    Who has opted out since is not sent again. They are on record all the same, as members who may be in, so that the run's
    difference takes them out.

    Raises what needs a wait, a retry or a person, StagedElsewhereError among that: rows on a disk that is not seen from here are
    not taken for gone.
    """
    replace_session.resolve_unknown(resources, audience.id, audience.facebook_id)
    stale = (anew or audience.created) and audiences_in_doubt.holds(resources.ledger, audience.id)
    warnings: list[str] = []
    for chunk in chunks.of_unknown_fate(resources.ledger, audience.id):
        name = f"request {chunk.number} of run {chunk.run} ({chunk.action} {counted(chunk.rows, 'row')})"
        staging = Staging(chunk.staging)
        if not staging.exists(chunk.file):
            ensure_seen(chunk.run, chunk.staging, chunk.staged_on)
        if not staging.intact(chunk.file):
            error = (
                f"the staged rows of run {chunk.run} are gone or were changed; a full refresh makes the audience right"
            )
            _log.error("%s cannot be settled: %s", name, error)
            chunks.lose(resources.ledger, chunk, error=error)
            continue
        if stale:
            if not chunk.in_doubt:
                rows = perhaps_carried_out(chunk, Erased(*erasures.known(resources.ledger)))
                requests_in_doubt.begin(
                    resources.ledger, chunk, state=RequestState.POSTPONED, error=STALE, changes=rows
                )
            continue
        _log.info("sending %s again: it is not known whether Facebook carried it out", name)
        but = opted_out_among(resources, [chunk])
        if not chunk.in_doubt:
            export.send_all(resources, audience.facebook_id, [chunk], but=but)
        elif error := _ask_again(resources, audience.facebook_id, chunk, but=but):
            warnings.append(f"it is still not known whether Facebook carried out {name}: {error}")
    return warnings


def _ask_again(resources: CampaignResources, facebook_id: str, chunk: Chunk, *, but: frozenset[str]) -> str:
    """Send what is still meant of a request in doubt, without these users; returns the reason when Facebook refuses it again."""
    ledger = resources.ledger
    meant = requests_in_doubt.still_meant(ledger, chunk, staged(chunk, Erased(*erasures.known(ledger))))
    changes = without_users(meant, but)
    if changes.num_rows:
        requests_in_doubt.sending_again(ledger, chunk)
        try:
            export.send(resources.facebook, facebook_id, chunk, changes)
        except RefusedError as error:
            return str(error)
        finally:
            known_audiences.renew(ledger, chunk.audience)
    requests_in_doubt.end(ledger, chunk, answered=changes.num_rows > 0)
    return ""

"""Audiences in doubt: may one hold others than the members on record?

Facebook says when its members last changed, and the ledger says when we changed them.

An audience in doubt that a campaign created is sent the whole set by its next run. One that is given by its id may hold
people of others, whom we do not replace: its runs warn until a person has acted.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audiences.errors import AudiencesError
from audiences.facebook import custom_audiences as facebook_audiences
from audiences.facebook.contract import (
    CONTENT_FILLS_SECONDS,
    CONTENT_SETTLES_SECONDS,
    REPLACE_WINDOW_SECONDS,
    UNANSWERED_SECONDS,
)
from audiences.ledger import content
from audiences.ledger.identity import RESTORED, restored
from audiences.logs import logger
from audiences.pipeline.results import DOUBT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.campaign.spec import CampaignSpec
    from audiences.facebook.session import GraphSession
    from audiences.facebook.status import AudienceStatus
    from audiences.ledger.content import Content
    from audiences.ledger.database import Ledger
    from audiences.ledger.known_audiences import KnownAudience
    from audiences.pipeline.results import RunRef
    from audiences.pipeline.upload.full_refresh import ReplaceTooLongError

_log = logger(__name__)


def check_content(ledger: Ledger, audience: int, status: AudienceStatus, *, under_way: bool = False) -> str | None:
    """Record what Facebook said of an audience's content; returns why that puts it in doubt, None if it does not or was before.

    `under_way`: a run or an erasure has sent requests, of which Facebook's time is known by this check.
    """
    before = content.why_in_doubt(ledger, audience)
    ahead = _ahead(ledger, status) if under_way else None
    reason = changed_by_others(status, content.known(ledger, audience, ahead=ahead))
    if reason:
        _log.warning("audience %s is in doubt: %s", status.id, reason)
    _saw(ledger, audience, status, reason)
    return None if before else reason


@contextmanager
def changing_all(ledger: Ledger, graph: GraphSession) -> Iterator[None]:
    """Around an erasure, which may change every audience of an ad account: what others changed before is still found.

    Raises what the calls to Facebook raise before the body; after it, an audience that cannot be asked about may come into doubt.
    """
    known = content.of_account(ledger, graph.credentials.account_id)
    found = facebook_audiences.contents(graph) if known else {}
    for facebook_id in known.keys() & found.keys():
        check_content(ledger, known[facebook_id], found[facebook_id])
    yield
    try:
        found = facebook_audiences.contents(graph) if known else {}
    except AudiencesError as error:
        _log.warning("it could not be read which audiences the erasure changed: %s", error)
        return
    for facebook_id in known.keys() & found.keys():
        _saw(ledger, known[facebook_id], found[facebook_id], None)


def rehearse(ledger: Ledger, run: RunRef, audience: KnownAudience, status: AudienceStatus) -> RunRef:
    """The run as it would be opened after a check of the content; nothing is put on record."""
    reason = content.why_in_doubt(ledger, audience.id) or (RESTORED if restored(ledger) else None)
    reason = reason or changed_by_others(status, content.known(ledger, audience.id))
    full_refresh = run.full_refresh or bool(reason and audience.created)
    return run.model_copy(update={"in_doubt": reason, "full_refresh": full_refresh})


def changed_by_others(status: AudienceStatus, known: Content) -> str | None:
    """Why the members must have been changed by somebody else, as a clause for people; None where they need not have been."""
    changed = status.content_updated
    if not changed:
        return None
    if known.seen is None and known.answered is None and known.unanswered is None and known.opened is None:
        return f"Facebook says that its members were changed on {_when(changed)}, and on record is no request to it"
    settles = CONTENT_FILLS_SECONDS if known.filling else CONTENT_SETTLES_SECONDS
    ours = [
        known.seen or 0,
        (known.answered or 0) + settles,
        (known.unanswered or 0) + UNANSWERED_SECONDS,
        (known.opened or 0) + REPLACE_WINDOW_SECONDS + settles,
    ]
    if changed <= max(ours):
        return None
    last = max(known.answered or 0, known.unanswered or 0, known.opened or 0)
    since = f"after our last request, of {_when(last)}" if last else "and on record is no request to it"
    return f"Facebook says that its members were changed on {_when(changed)}, {since}"


def in_words(spec: CampaignSpec, run: RunRef, *, rows: int, too_long: ReplaceTooLongError | None = None) -> list[str]:
    """What a run does about an audience in doubt, and what a person can do. `rows` is the whole set, where it is sent."""
    if run.in_doubt is None:
        return []
    unknown = f"it is not known whom audience {run.facebook_id} holds: {run.in_doubt}"
    confirm = (
        f"If it holds whom it should, say so once: `audiences run {spec.id} --allow {DOUBT}`, or trigger the DAG with `{DOUBT}` "
        "in its `allow` field"
    )
    if rows:
        return [f"the whole set is sent, since {unknown}"]
    if too_long:
        return [
            f"{unknown}. Sending the whole set would take about {too_long.minutes:.0f} minutes, longer than Facebook keeps a "
            "replace open, so only what changed is sent. Raise `requests_at_once` of the ad account, if its limits allow; or "
            f"let the campaign create a new audience. {confirm}"
        ]
    if run.full_refresh:
        return [
            f"{unknown}. Nobody is wanted in it and Facebook takes no empty set, so only members on record are removed. The "
            "next run that has somebody to send makes it right; before that, only deleting it in Ads Manager takes out others"
        ]
    if spec.campaign.what.audience.action == "remove_matching":
        return [f"everybody who matches is sent for removal again, since {unknown}"]
    return [
        f"{unknown}. No campaign created it, so only what changed is sent, and whoever else is in it stays. {confirm}. If it is "
        f"to hold the members of its campaigns and nobody else, take it over: `audiences adopt {spec.id}`"
    ]


def _saw(ledger: Ledger, audience: int, status: AudienceStatus, reason: str | None) -> None:
    content.saw(
        ledger,
        audience,
        changed=status.content_updated,
        asked_at=status.asked_at,
        filling=status.filling,
        why_in_doubt=reason,
    )


def _ahead(ledger: Ledger, status: AudienceStatus) -> float | None:
    if status.asked_at is None:
        return None
    return status.asked_at - ledger.clock()


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y at %H:%M:%S UTC}"

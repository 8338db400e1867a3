"""The audience of a campaign: its own, found by the record and by its mark at Facebook, or the one that it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiences.campaign.mark import marked
from audiences.campaign.wording import bare
from audiences.errors import FacebookAccessError, StoppedError
from audiences.facebook import custom_audiences as facebook_audiences
from audiences.facebook.graph_errors import AudienceBusyError, ObjectNotFoundError
from audiences.ledger import audiences_in_doubt, known_audiences, replace_sessions
from audiences.pipeline.audience.on_record import known_audience
from audiences.pipeline.audience.ownership import (
    WrongAccountError,
    ensure_name_free,
    ensure_nobody_elses,
    ensure_still_ours,
    own_mark,
    own_marks,
)
from audiences.pipeline.preconditions import approved
from audiences.pipeline.results import RECREATE

if TYPE_CHECKING:
    from audiences.campaign.mark import Mark
    from audiences.campaign.what import Create
    from audiences.facebook.status import AudienceStatus
    from audiences.ledger.known_audiences import KnownAudience
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRequest


@dataclass(eq=False)
class AudienceDeletedError(StoppedError):
    """The audience that the campaign created is no longer at Facebook; it is made anew when a person says so."""

    def __str__(self) -> str:
        return f"stopped: {self.found}. Nothing was sent. {self.allow_once}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the campaign's audience stands, in the ledger and at Facebook.

    `status` is None where the audience has yet to be created, `known` where it is not on record. `deleted` is on record and
    no longer at Facebook; then `known` and `status`, if they are there, are of what was made in its place.
    """

    known: KnownAudience | None = None
    status: AudienceStatus | None = None
    deleted: KnownAudience | None = None


def find_audience(resources: CampaignResources) -> Standing:
    """Find the campaign's audience and change nothing.

    Raises NotOursError for somebody else's, WrongAccountError for one of another ad account, and what asking Facebook raises.
    """
    wanted = resources.spec.campaign.what.audience
    if wanted.create is None:
        return _given(resources)
    known, status, deleted = known_audience(resources), None, None
    if known:
        try:
            status = facebook_audiences.read(resources.facebook, known.facebook_id)
        except ObjectNotFoundError:
            known, deleted = None, known
    if known and status:
        ensure_still_ours(resources, known, status)
        if known.name != wanted.create.name:
            listed = facebook_audiences.list_audiences(resources.facebook)
            ensure_name_free(resources, listed, wanted.create.name, but=known.facebook_id)
        return Standing(known, status)
    return _unknown(resources, wanted.create, deleted)


def find_or_create(
    resources: CampaignResources, campaign: int, *, run: int, request: RunRequest
) -> tuple[KnownAudience, AudienceStatus]:
    """The campaign's audience, on record, marked as ours and ready for members.

    Raises what `look` raises, AudienceDeletedError unless the request allows to make it anew, and what keeps members from
    being changed at the moment.
    """
    create, standing = resources.spec.campaign.what.audience.create, find_audience(resources)
    ensure_not_deleted(resources, standing, request.allow)
    if standing.status:
        _ensure_writable(resources, standing.known, standing.status)
    held = not approved.in_force(resources, campaign)
    status = _at_facebook(resources, create, standing, held=held) if create else standing.status
    if status is None:
        message = f"campaign `{resources.spec.id}` neither creates an audience nor is given one"
        raise RuntimeError(message)
    # All or nothing: one that is on record in place of a deleted one, without its members, would never get them.
    with resources.ledger.sql.transaction():
        name = create.name if create and not (held and standing.status) else status.name
        known = _on_record(resources, campaign, name, standing, status)
        if standing.deleted:
            what = resources.spec.campaign.what
            carried_by = campaign if what.audience.action == "add" or what.keep_for else None
            known_audiences.replaced(
                resources.ledger, standing.deleted.id, by=known.id, run=run, at=resources.now(), carried_by=carried_by
            )
    return known, status


def ensure_not_deleted(resources: CampaignResources, standing: Standing, allow: frozenset[str]) -> None:
    """Raise AudienceDeletedError for an audience that is gone, unless it may be made anew."""
    gone = standing.deleted
    if gone is None or RECREATE in allow:
        return
    found = (
        f"audience {gone.facebook_id} `{bare(gone.name)}` is no longer in ad account {gone.ad_account}: somebody deleted it in "
        "Ads Manager, or Facebook did, as no ad set had used it for two years"
    )
    campaign = resources.spec.id
    allow_once = (
        f"To make it anew, send everything to the new one and link its ad sets again: `audiences run {campaign} --allow "
        f"{RECREATE}`, or trigger the DAG with `{RECREATE}` in its `allow` field."
    )
    raise AudienceDeletedError(guard=RECREATE, found=found, allow_once=allow_once)


def _given(resources: CampaignResources) -> Standing:
    """The audience that `update` names."""
    update, account = resources.spec.campaign.what.audience.update, resources.spec.account.id
    facebook_id = update.id if update else ""
    known = known_audiences.find(resources.ledger, facebook_id)
    try:
        status = facebook_audiences.read(resources.facebook, facebook_id)
    except ObjectNotFoundError as error:
        if known is None:
            raise
        if known.ad_account != account:
            raise _wrong_account(resources, facebook_id, known.ad_account) from error
        what = f"audience {facebook_id} `{bare(known.name)}` (`update.id`) is no longer in ad account {account}"
        remedy = (
            "If it was deleted in Ads Manager, name another one under `what.audience.update.id`, or let the campaign `create` "
            "one; a deleted audience cannot be brought back."
        )
        raise FacebookAccessError(what, remedy, error.code, error.subcode, error.trace) from error
    if status.account and f"act_{status.account}" != account:
        raise _wrong_account(resources, facebook_id, f"act_{status.account}")
    ensure_nobody_elses(resources, status)
    return Standing(known, status)


def _wrong_account(resources: CampaignResources, facebook_id: str, belongs_to: str) -> WrongAccountError:
    spec = resources.spec
    return WrongAccountError(facebook_id, belongs_to, ad_account=spec.campaign.ad_account, named=spec.account.id)


def _unknown(resources: CampaignResources, create: Create, deleted: KnownAudience | None) -> Standing:
    """An audience of the campaign that the ledger does not know, or the place for a new one."""
    listed = facebook_audiences.list_audiences(resources.facebook)
    if deleted and any(one.id == deleted.facebook_id for one in listed):
        what = f"audience {deleted.facebook_id} is in the ad account's list, but cannot be read"
        remedy = "Give the token's system user access to it (Business settings, Accounts, Ad accounts)."
        raise FacebookAccessError(what, remedy)
    for mark in own_marks(resources):
        if found := facebook_audiences.of_mark(listed, mark):
            return Standing(None, facebook_audiences.read(resources.facebook, found[0]), deleted)
    ensure_name_free(resources, listed, create.name)
    return Standing(deleted=deleted)


def _at_facebook(
    resources: CampaignResources, create: Create, standing: Standing, *, held: bool
) -> AudienceStatus:  # fmt: skip
    """The campaign's own audience, created where there is none; name and description at Facebook are as the file says.

    `held`: what the file says is not approved yet, so they stay as they are; an audience without members is no harm.
    """
    graph, mark, status = resources.facebook, recorded_mark(resources), standing.status
    if status is None:
        facebook_id = facebook_audiences.create(graph, name=create.name, description=create.description, mark=mark)
        return facebook_audiences.read(graph, facebook_id)
    renamed = standing.known is not None and standing.known.name != create.name
    if held:
        return status
    if renamed or _words(status.description) != _words(marked(create.description, mark)):
        name = create.name if renamed else None
        facebook_audiences.remark(graph, status.id, description=create.description, mark=mark, name=name)
    return status


def _on_record(
    resources: CampaignResources, campaign: int, name: str, standing: Standing, status: AudienceStatus
) -> KnownAudience:
    """The audience on record: the campaign's own under that name, a given one as Facebook named it at first."""
    ledger, account = resources.ledger, resources.spec.account.id
    if resources.spec.campaign.what.audience.create is None:
        return standing.known or known_audiences.record(
            ledger, ad_account=account, facebook_id=status.id, name=status.name, created_for=None
        )
    known = known_audiences.record(
        ledger,
        ad_account=account,
        facebook_id=status.id,
        name=name,
        created_for=campaign,
        mark=str(recorded_mark(resources)),
    )
    if standing.status and standing.known is None:
        audiences_in_doubt.begin(ledger, known.id, "this ledger had no record of it, though it made it")
    return known


def recorded_mark(resources: CampaignResources) -> Mark:
    """The mark to put into a description; of a ledger that is written to."""
    mark = own_mark(resources)
    if mark is None:  # deleted by a hand on the database
        message = "the ledger has lost its identity: the table audiences.identity is empty"
        raise RuntimeError(message)
    return mark


def _words(text: str) -> list[str]:
    """What is compared of a description: Facebook may store its white space otherwise."""
    return text.split()


def _ensure_writable(resources: CampaignResources, known: KnownAudience | None, status: AudienceStatus) -> None:
    if known and replace_sessions.unfinished(
        resources.ledger, known.id
    ):  # a replace of our own is carried through first
        return
    try:
        status.ensure_writable(adds=resources.spec.campaign.what.audience.adds)
    except AudienceBusyError as error:
        from audiences.pipeline.upload.replace_session import patient  # it sends, which nobody does who only looks

        raise patient(resources.ledger, known.id, error) if known else error from error

"""Ad sets: the audience goes where the campaign file says, and out of where it no longer says so.

The file is the truth for the links that we made. One that a person had made before stays when the file drops it, and one
that another campaign wants as well stays until that one drops it too. An ad set that cannot be brought to what the file
says fails the run, though not the upload: the members are right, and the ads are aimed at somebody else.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from audiences.errors import FixAccessError, FixConfigError, RefusedError
from audiences.facebook import ad_set_hours, ad_set_targeting
from audiences.facebook.graph_errors import AdSetClosedError, ObjectNotFoundError
from audiences.ledger import ad_set_links, runs
from audiences.logs import logger
from audiences.pipeline.preconditions import approved
from audiences.pipeline.scope import EVERYBODY, Scope
from audiences.pipeline.steps.ad_set_schedule import wanted_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audiences.campaign.spec import CampaignSpec
    from audiences.ledger.ad_set_links import Inclusion, Link
    from audiences.pipeline.resources import CampaignResources
    from audiences.pipeline.results import RunRef

STANDS_FOR = timedelta(hours=1)
"""The runs of a live campaign, which come every few minutes, look at an ad set again after so long."""
_PLACES = {"included": ad_set_targeting.TargetingList.INCLUDED, "excluded": ad_set_targeting.TargetingList.EXCLUDED}
_FOR_A_PERSON = (FixAccessError, FixConfigError, RefusedError)
_log = logger(__name__)


def wanted(spec: CampaignSpec) -> dict[str, Inclusion]:
    """The ad sets that the campaign names, each with the place of the audience in it."""
    what = spec.campaign.what
    included: dict[str, Inclusion] = dict.fromkeys(what.ad_sets, "included")
    return included | dict.fromkeys(what.exclude_from_ad_sets, "excluded")


def link_ad_sets(resources: CampaignResources, run: RunRef, *, scope: Scope = EVERYBODY) -> int:
    """Bring every ad set that the campaign names to what it says; returns how many were changed.

    What a person must put right is put on record, for `close_run` to tell, and the other ad sets are seen to; what may
    pass is raised, and the next call takes up where this one ended. A run of a few users trusts what was seen lately.
    """
    if not approved.in_force(resources, run.campaign):
        found = "nobody has approved this version of the campaign, so its ad sets stay as they are"
        raise approved.not_approved(resources, found)
    known = {
        link.ad_set_id: link
        for link in ad_set_links.of_campaign(resources.ledger, run.campaign)
        if link.audience == run.audience
    }
    return sum(
        _see_to(resources, run, ad_set_id, place, known.get(ad_set_id))
        for ad_set_id, place in wanted(resources.spec).items()
        if not _seen_lately(resources, scope, place, known.get(ad_set_id))
    )


def take_back(resources: CampaignResources, *, campaign: int, keep: dict[tuple[int, str], Inclusion]) -> list[str]:
    """Take the campaign's audiences out of the ad sets in which it no longer wants them; returns what could not be done.

    `keep`: by audience and ad set, what it still wants. Raises what may pass.
    """
    failed = []
    for link in ad_set_links.of_campaign(resources.ledger, campaign):
        if (link.audience, link.ad_set_id) in keep:
            continue
        try:
            # Facebook changes nothing in an ad set while a deleted audience is in it, whoever had put it there.
            if link.deleted or (link.ours and not _others(resources, link)):
                ad_set_targeting.put(
                    resources.facebook, link.ad_set_id, link.audience_id, ad_set_targeting.TargetingList.NOWHERE
                )
                _log.info("took audience %s out of ad set %s", link.audience_id, link.ad_set_id)
        except (AdSetClosedError, ObjectNotFoundError) as error:  # it shows no ads any more
            _log.warning("%s", error)
        except _FOR_A_PERSON as error:
            failed.append(f"audience {link.audience_id} is still in ad set {link.ad_set_id}: {error}")
            ad_set_links.refuse(resources.ledger, link, str(error))
            continue
        ad_set_links.forget(resources.ledger, link)
    return failed


def take_back_dropped(resources: CampaignResources, *, campaign: int, audience: int) -> list[str]:
    """As `take_back`, of what the campaign file no longer names."""
    return take_back(
        resources,
        campaign=campaign,
        keep={(audience, ad_set): place for ad_set, place in wanted(resources.spec).items()},
    )


def not_as_wanted(resources: CampaignResources, run: RunRef) -> list[str]:
    """In sentences, every ad set that is not what the campaign file says; from the record."""
    links = ad_set_links.of_campaign(resources.ledger, run.campaign)
    failed = [f"ad set {link.ad_set_id}: {link.error}" for link in links if link.error]
    settled = {
        link.ad_set_id
        for link in links
        if link.audience == run.audience and (link.error or link.made_by_us is not None)
    }
    return failed + [f"ad set {ad_set} was not seen to" for ad_set in wanted(resources.spec) if ad_set not in settled]


def rehearse(resources: CampaignResources, run: RunRef) -> Iterator[str]:
    """In sentences, what a run would do to each ad set, as Facebook judges it; nothing is changed."""
    for ad_set_id, place in wanted(resources.spec).items():
        if not run.facebook_id:
            yield f"ad set {ad_set_id}: the audience would be {place} once it is created"
            continue
        try:
            change = ad_set_targeting.put(resources.facebook, ad_set_id, run.facebook_id, _PLACES[place], dry_run=True)
            scheduled = _push_schedule(resources, ad_set_id, place, dry_run=True)
        except _FOR_A_PERSON as error:
            yield f"ad set {ad_set_id}: {error}"
            continue
        yield f"ad set {ad_set_id}: the audience {'would be' if change.changed else 'is'} {place}" + (
            ", its schedule would change" if scheduled else ""
        )
        yield from change.warnings
    for link in ad_set_links.of_campaign(resources.ledger, run.campaign):
        if link.ours and (link.audience != run.audience or link.ad_set_id not in wanted(resources.spec)):
            yield f"ad set {link.ad_set_id}: audience {link.audience_id} would be taken out"


def _see_to(resources: CampaignResources, run: RunRef, ad_set_id: str, place: Inclusion, known: Link | None) -> bool:
    ours = known is not None and known.ours

    def record(made_by_us: bool | None, error: str | None = None) -> None:
        ad_set_links.record(
            resources.ledger,
            campaign=run.campaign,
            audience=run.audience,
            ad_set_id=ad_set_id,
            place=place,
            run=run.run,
            at=resources.now(),
            made_by_us=made_by_us,
            error=error,
        )

    if contrary := [link for link in _others_of(resources, run, ad_set_id) if link.place != place]:
        record(known.made_by_us if known else None, f"another campaign has this audience {contrary[0].place} in it")
        return False
    if not ours:
        record(None)  # a crash between the write and its record must not leave a link that nobody takes back
    try:
        change = ad_set_targeting.put(resources.facebook, ad_set_id, run.facebook_id, _PLACES[place])
    except _FOR_A_PERSON as error:
        record(known.made_by_us if known else None, str(error))
        return False
    runs.warn(resources.ledger, run.run, change.warnings)
    ours = ours or change.changed
    try:
        scheduled = _push_schedule(resources, ad_set_id, place)
    except _FOR_A_PERSON as error:
        record(ours, str(error))
        return change.changed
    record(ours)
    return change.changed or scheduled


def _push_schedule(resources: CampaignResources, ad_set_id: str, place: Inclusion, *, dry_run: bool = False) -> bool:
    """Whether the ad set's schedule had to be changed; without `schedule: campaign`, and for exclusions, it is left alone."""
    if resources.spec.campaign.what.schedule is None or place == "excluded":
        return False
    hours = wanted_schedule(resources)
    return ad_set_hours.push(resources.facebook, ad_set_id, hours, now=resources.now(), dry_run=dry_run).changed


def _seen_lately(resources: CampaignResources, scope: Scope, place: Inclusion, known: Link | None) -> bool:
    if scope.everybody or known is None or known.error or known.made_by_us is None:
        return False
    return known.place == place and resources.now() - known.seen_at < STANDS_FOR


def _others(resources: CampaignResources, link: Link) -> list[Link]:
    return ad_set_links.of_others(
        resources.ledger, campaign=link.campaign, audience=link.audience, ad_set_id=link.ad_set_id
    )


def _others_of(resources: CampaignResources, run: RunRef, ad_set_id: str) -> list[Link]:
    return ad_set_links.of_others(resources.ledger, campaign=run.campaign, audience=run.audience, ad_set_id=ad_set_id)

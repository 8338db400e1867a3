"""Lists of ids before a run: one that names nobody at all stops it, since whom it was to leave out would go out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.campaign.wording import shown
from audiences.errors import StoppedError
from audiences.logs import logger
from audiences.query.conditions import text_of
from audiences.warehouse.catalog.reflect import WarehouseUnreachableError

if TYPE_CHECKING:
    from audiences.pipeline.resources import CampaignResources
    from audiences.warehouse.catalog.unknown_ids import Unknown

SPARED = "`never_hold_out`"
LIFT = "unknown_ids"  # in a run's `allow`
_log = logger(__name__)


def unknown_ids(resources: CampaignResources) -> list[Unknown]:
    """The lists of the campaign that hold ids which no user has, the one under `never_hold_out` too."""
    segments = resources.spec.segments.items()
    listed = {f"the list of segment {shown(name)}": segment.users for name, segment in segments if segment.users}
    if spared := resources.spec.campaign.who.never_hold_out:
        listed[SPARED] = tuple(map(text_of, spared))
    if not listed:
        return []
    from audiences.warehouse.catalog.unknown_ids import unknown

    found = []
    try:
        with resources.glance() as glance:
            for place, users in listed.items():
                one = unknown(place, users, resources.spec.catalog, glance, only_told=place == SPARED)
                if one.refusal:
                    _log.warning("the ids in %s were not looked up: %s", place, one.refusal.words)
                elif one.ids:
                    found.append(one)
    except WarehouseUnreachableError as error:  # what follows meets it as well, and says so
        _log.warning("the listed ids were not looked up: %s", error)
    return found


def ensure_known(resources: CampaignResources, allow: frozenset[str]) -> list[str]:
    """What to warn of. Raises StoppedError for a list of which not one id is a user's, unless `allow` lifts it."""
    found = unknown_ids(resources)
    if LIFT not in allow and (nobody := next((each for each in found if each.stops), None)):
        raise stop(resources, nobody)
    return list(map(str, found))


def stop(resources: CampaignResources, nobody: Unknown) -> StoppedError:
    """The stop for a list that names nobody."""
    return StoppedError(
        guard=LIFT,
        found=str(nobody),
        allow_once=(
            "Correct the list. If it is right and none of them is a user any more, allow it once: "
            f"`audiences run {resources.spec.id} --allow {LIFT}`, or trigger the DAG with `{LIFT}` in its `allow` field."
        ),
    )

"""Lists of ids before a run: one that names nobody at all stops it, since whom it was to leave out would go out."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from audiences.campaign.segments import FOLDER
from audiences.errors import StoppedError
from audiences.warehouse.listed import Unknown, unknown
from audiences.warehouse.reflect import WarehouseUnreachableError

if TYPE_CHECKING:
    from audiences.pipeline.doors import Doors

LIFT = "unknown_ids"  # in a run's `allow`
_log = logging.getLogger(__name__)


def unknown_ids(doors: Doors) -> list[Unknown]:
    """The lists of the campaign that hold ids which no user has."""
    listed = {name: segment.users for name, segment in doors.spec.segments.items() if segment.users}
    if not listed:
        return []
    found = []
    try:
        with doors.glance() as glance:
            for name, users in listed.items():
                one = unknown(f"{FOLDER}/{name}.csv", users, doors.spec.catalog, glance)
                if one.refusal:
                    _log.warning("the ids of segment %s were not looked up: %s", name, one.refusal.words)
                elif one.ids:
                    found.append(one)
    except WarehouseUnreachableError as error:  # what follows meets it as well, and says so
        _log.warning("the ids of segments were not looked up: %s", error)
    return found


def ensure_known(doors: Doors, allow: frozenset[str]) -> list[str]:
    """What to warn of. Raises StoppedError for a list of which not one id is a user's, unless `allow` lifts it."""
    found = unknown_ids(doors)
    if LIFT not in allow and (nobody := next((each for each in found if each.all), None)):
        raise stop(doors, nobody)
    return list(map(str, found))


def stop(doors: Doors, nobody: Unknown) -> StoppedError:
    """The stop for a list that names nobody."""
    return StoppedError(
        guard=LIFT,
        found=str(nobody),
        allow_once=(
            "Correct the list. If it is right and none of them is a user any more, allow it once: "
            f"`audiences run {doors.spec.id} --allow {LIFT}`, or trigger the DAG with `{LIFT}` in its `allow` field."
        ),
    )

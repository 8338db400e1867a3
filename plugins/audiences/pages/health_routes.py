"""Routes about the installation as a whole: `api/health…`."""

from __future__ import annotations

from typing import TypeAlias

from fastapi import APIRouter

from audiences.connections import look_up
from audiences.pages.access import Asking
from audiences.pages.looking import files, looking, now
from audiences.reporting.health import CheckShown, Health, ask_facebook, ask_warehouse, health

router = APIRouter(prefix="/api/health")
Checks: TypeAlias = dict[str, tuple[CheckShown, ...]]


@router.get("")
def on_record(asking: Asking) -> Health:
    """What is on record; of campaigns and their audiences only what the caller may read."""
    with looking() as (project, resources):
        found = health(project, resources.ledger, now=now(), look_up=look_up)
        may_see = asking.reader(project.files)
    operates = asking.operates
    return found.model_copy(
        update={
            "accounts": found.accounts if operates else (),
            "without_file": tuple(each for each in found.without_file if may_see(each.campaign)),
            "in_doubt": tuple(
                each for each in found.in_doubt if (may_see(each.campaign) if each.campaign else operates)
            ),
            "live": tuple(each for each in found.live if may_see(each.campaign)),
        }
    )


@router.post("/accounts")
def preflight(asking: Asking) -> Checks:
    """Ask Facebook about every ad account."""
    asking.ensure_operates()
    return ask_facebook(files(), now=now(), look_up=look_up)


@router.post("/warehouse")
def catalog(asking: Asking) -> Checks:
    """Hold the catalog, the saved segments and the login against the warehouse."""
    asking.ensure_operates()
    return ask_warehouse(files(), look_up=look_up)

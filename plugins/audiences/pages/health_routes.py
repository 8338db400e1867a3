"""Routes about the installation as a whole: `api/health…`."""

from __future__ import annotations

from typing import TypeAlias

from fastapi import APIRouter, HTTPException

from audiences.airflow import endless_waits
from audiences.connections import look_up
from audiences.pages.access import Asking
from audiences.pages.given import Text
from audiences.pages.looking import files, looking, now
from audiences.reporting.health import CheckShown, Health, ask_facebook, ask_warehouse, health

router = APIRouter(prefix="/api/health")
Checks: TypeAlias = dict[str, tuple[CheckShown, ...]]


@router.get("")
def on_record(asking: Asking) -> Health:
    """What is on record; of campaigns and their audiences only what the caller may read."""
    with looking() as (project, resources):
        found = health(
            project,
            resources.ledger,
            now=now(),
            look_up=look_up,
            ask_airflow=lambda: endless_waits.checks(endless_waits.pools_in(project.specs.values())),
            may_see=asking.reader(project.files),
            operates=asking.operates,
        )
    return asking.shown(found)


@router.post("/accounts/{account}")
def preflight(asking: Asking, account: Text) -> tuple[CheckShown, ...]:
    """Ask Facebook about the ad account of that name, and no other: each takes its time."""
    asking.ensure_operates()
    found = ask_facebook(files(), account, now=now(), look_up=look_up)
    if found is None:
        raise HTTPException(404, f"The settings have no ad account `{account}`.")
    return found


@router.post("/warehouse")
def catalog(asking: Asking) -> Checks:
    """Hold the catalog, the saved segments and the login against the warehouse."""
    asking.ensure_operates()
    return ask_warehouse(files(), look_up=look_up)

"""Routes about campaigns and their runs: `api/campaigns/…`."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, HTTPException, Query

from audiences.connections import look_up
from audiences.pages.access import Asking
from audiences.pages.given import Limit, Offset, RunNumber, Search, Text
from audiences.pages.looking import looking, now
from audiences.reporting.campaign_page import CampaignPage, campaign_page
from audiences.reporting.names_on_record import name_on_record
from audiences.reporting.overview import Overview, overview
from audiences.reporting.run_detail import RunDetail, run_detail
from audiences.reporting.run_history import RunHistory, history
from audiences.reporting.sizes import Sizes, sizes

router = APIRouter(prefix="/api/campaigns")


@router.get("")
def listed(asking: Asking, search: Search = "", offset: Offset = 0, limit: Limit = 25) -> Overview:
    """A page of the campaigns that the caller may read, those with problems first."""
    with looking() as (files, resources):
        may_see = asking.reader(files.files)
        found = overview(files, resources.ledger, now=now(), search=search, offset=offset, limit=limit, may_see=may_see)
    return asking.shown(found)


@router.get("/{campaign}")
def page(asking: Asking, campaign: Text) -> CampaignPage:
    """One campaign in full; 404 for a DAG that is none."""
    asking.ensure_reads(campaign)
    with looking() as (files, resources):
        found = campaign_page(files, resources.ledger, campaign, now=now(), look_up=look_up)
    if found is None:
        raise HTTPException(404, f"The DAG `{campaign}` is no campaign.")
    return asking.shown(found)


@router.get("/{campaign}/sizes")
def size_by_day(asking: Asking, campaign: Text, days: Annotated[int, Query(ge=2, le=400)] = 30) -> Sizes:
    """The size of the campaign's audience, and how many came and went, by day in the campaign's time zone."""
    asking.ensure_reads(campaign)
    with looking() as (files, resources):
        spec = files.specs.get(campaign)
        zone = spec.zone if spec else ZoneInfo("UTC")
        return sizes(files, resources.ledger, campaign, now=now(), zone=zone, days=days)


@router.get("/{campaign}/runs")
def runs(asking: Asking, campaign: Text, offset: Offset = 0, limit: Limit = 25) -> RunHistory:
    """A page of the campaign's runs, the newest first."""
    asking.ensure_reads(campaign)
    with looking() as (files, resources):
        return asking.shown(history(files, resources.ledger, campaign, now=now(), offset=offset, limit=limit))


@router.get("/{campaign}/runs/{run}")
def run(asking: Asking, campaign: Text, run: RunNumber, offset: Offset = 0, limit: Limit = 50) -> RunDetail:
    """One run of the campaign with a page of its requests."""
    asking.ensure_reads(campaign)
    with looking() as (files, resources):
        on_record = name_on_record(files, resources.ledger, campaign)
        found = run_detail(resources.ledger, run, now=now(), offset=offset, limit=limit)
    if found is None or found.run.campaign != on_record:
        raise HTTPException(404, f"The campaign has no run {run}.")
    return asking.shown(found)

"""Under which id a campaign is on record: its own, or the former one of a file that was renamed and has not run since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audiences.ledger import run_records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from audiences.ledger.database import Ledger
    from audiences.ledger.run_records import RecordedCampaign
    from audiences.reporting.project_files import ProjectFiles


def ids_of(files: ProjectFiles, campaign: str) -> tuple[str, ...]:
    """The ids under which the campaign may be on record: its own, then those that its file names under `formerly`."""
    spec = files.specs.get(campaign)
    return (campaign, *(spec.campaign.formerly if spec else ()))


def record_of(files: ProjectFiles, campaign: str, recorded: Mapping[str, RecordedCampaign]) -> RecordedCampaign | None:
    """The campaign among those on record, under a former id where its next run has still to take it over."""
    found = [recorded[each] for each in ids_of(files, campaign) if each in recorded]
    return max(found, key=lambda each: each.last_run is not None, default=None)


def name_on_record(files: ProjectFiles, ledger: Ledger, campaign: str) -> str:
    """The id under which the ledger has the campaign now; its own where the ledger has none of its ids."""
    ids = ids_of(files, campaign)
    if len(ids) == 1:
        return campaign
    found = record_of(files, campaign, {each.name: each for each in run_records.campaigns(ledger, ids)})
    return found.name if found else campaign

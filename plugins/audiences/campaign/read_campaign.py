"""One campaign file: read, checked together with what it refers to, and made into the specification that a run needs."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain, islice
from typing import Any

from pydantic import ValidationError

from audiences.campaign.base import STEM, STEM_RULE
from audiences.campaign.catalog import Catalog
from audiences.campaign.checks.audience import created_findings
from audiences.campaign.checks.campaign import campaign_findings
from audiences.campaign.checks.together import LoadedCampaign, formerly_findings
from audiences.campaign.common_files import CommonFiles
from audiences.campaign.files import CampaignPath, CampaignPaths
from audiences.campaign.goal import Goal
from audiences.campaign.model import Campaign
from audiences.campaign.problems import MOST_FINDINGS, first_of, validate
from audiences.campaign.settings import Settings
from audiences.campaign.source import Document, fail
from audiences.campaign.spec import CampaignSpec, SavedSegment
from audiences.campaign.what import What
from audiences.campaign.when import When
from audiences.campaign.who import Who
from audiences.campaign.wording import shown
from audiences.campaign.yaml_reader import read_document
from audiences.errors import ConfigError, Problem

RESERVED = ("audiences_live", "audiences_upkeep")  # the ids of the project's own DAGs


def read_campaign(stem: str, folder: CampaignPaths, shared: CommonFiles) -> LoadedCampaign:
    """The campaign of that id, checked against what it refers to. Raises ConfigError with all that is wrong with its file."""
    found = folder[stem]
    if len(found) > 1:
        files = [each.name for each in found]
        message = (
            f"{' and '.join(files)} have one name, which is the campaign's id, in all brands; a campaign has one file"
        )
        raise ConfigError(tuple(Problem(file, 0, 0, "", "same-name", message) for file in files))
    file = found[0]
    _check_id(stem, file)
    document = read_document(file.path, file.name)
    campaign, problems = validate(document, Campaign)
    readable = campaign or _sections(document)
    used = readable.who.segments()
    segments = {name: shared.segments.obstacle(name) if name in used else "" for name in shared.segments.names}
    named_formerly = [old for old in readable.formerly if old in folder]
    others = {name: folder[name][0].name for name in named_formerly}
    findings = [
        *islice(
            chain(
                campaign_findings(readable, shared.catalog, shared.settings, segments),
                formerly_findings(stem, readable, others),
                created_findings(stem, readable),
            ),
            MOST_FINDINGS,
        )
    ]
    if campaign is None or problems or findings:
        raise ConfigError(first_of((*problems, *(found.in_file(document) for found in findings))))
    return LoadedCampaign(_spec(stem, file.brand, campaign, shared), document)


def _sections(document: Document) -> Campaign:
    """What can be checked further in a campaign with mistakes of shape: the sections that are right in themselves."""
    sections: dict[str, Any] = {"ad_account": document.data.get("ad_account", "main")}
    for key, model in (("who", Who), ("what", What), ("when", When), ("goal", Goal)):
        with suppress(ValidationError):
            sections[key] = model.model_validate(document.data.get(key))
    return Campaign.model_construct(**sections)


def _check_id(stem: str, file: CampaignPath) -> None:
    """The stem is the DAG's id, a part of task parameters and of file names; the brand is a tag."""
    brand = file.brand
    if not STEM.fullmatch(stem):
        fail(
            file.name, "bad-name", f"the file's name is the campaign's id and must be {STEM_RULE}; found {shown(stem)}"
        )
    if brand is not None and not STEM.fullmatch(brand):
        fail(file.name, "bad-name", f"the folder's name is the brand and must be {STEM_RULE}; found {shown(brand)}")
    if stem in RESERVED:
        fail(file.name, "bad-name", f"{shown(stem)} is the name of one of the project's own DAGs; rename the file")


def _spec(stem: str, brand: str | None, campaign: Campaign, shared: CommonFiles) -> CampaignSpec:
    segments = shared.segments.needed(campaign.who.segments())
    return assembled(stem, campaign, shared.catalog, shared.settings, segments, brand)


def assembled(
    stem: str,
    campaign: Campaign,
    catalog: Catalog,
    settings: Settings,
    segments: dict[str, SavedSegment],
    brand: str | None = None,
) -> CampaignSpec:
    """The campaign with all that a run needs to know: what it leaves open is as the settings have it."""
    approval = {"approval": campaign.approval.or_else(settings.approval)} if campaign.approval else {}
    return CampaignSpec(
        id=stem,
        brand=brand,
        pool=settings.pool_of(brand),
        campaign=campaign.model_copy(update={"owner": campaign.owner or settings.owner, **approval}),
        segments=segments,
        catalog=catalog,
        account=settings.ad_accounts[campaign.ad_account],
        control_groups=settings.control_groups,
        timezone=campaign.when.timezone or settings.timezone or catalog.timezone,
        warehouse=settings.warehouse,
        ledger=settings.ledger,
        staging=settings.staging,
        notify=settings.notify.overridden_by(campaign.notify),
        deadline=campaign.deadline or settings.deadline,
    )

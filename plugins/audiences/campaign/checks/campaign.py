"""Whether a campaign fits the catalog, the settings and the saved segments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

from audiences.campaign.catalog import Catalog
from audiences.campaign.checks.event_rules import CATALOG, event_findings, numeric_findings, rule_findings
from audiences.campaign.checks.finding import Finding, Findings, unknown
from audiences.campaign.checks.property_conditions import tree_findings
from audiences.campaign.checks.run_times import when_findings, whole_hour_findings, zone_findings
from audiences.campaign.model import Campaign
from audiences.campaign.settings import Settings
from audiences.campaign.what import What
from audiences.campaign.wording import shown

SETTINGS = "include/settings.yml"

_FLAGGED = re.compile(  # what Facebook's review reads as a hint at health or financial standing
    r"\b(health|medical|medicine|patient|disease|cancer|diabet\w*|hiv|aids|pregnan\w*|fertility|depress\w*|anxiety|"
    r"therapy|addict\w*|alcohol\w*|obes\w*|overweight|disab\w*|surgery|"
    r"income|salary|wealth\w*|rich|poor|debt\w*|loan\w*|credit|bankrupt\w*|insolven\w*|mortgage\w*|overdraft|net worth)\b"
)


def campaign_findings(
    campaign: Campaign, catalog: Catalog, settings: Settings, segments: Mapping[str, str]
) -> Findings:
    """Every mistake of a campaign whose shape is right, or of those of its sections that are (the others left out).

    `segments`: the names of the saved segments, each with the reason why it cannot be used, empty if it can.
    """
    if isinstance(campaign.ad_account, str) and campaign.ad_account not in settings.ad_accounts:
        yield Finding(
            ("ad_account",), "unknown-ad-account", unknown("ad account", campaign.ad_account, settings.ad_accounts)
        )
    yield from (found.under("who") for found in _who_findings(campaign, catalog, settings, segments))
    if "what" in campaign.model_fields_set:
        yield from (found.under("what") for found in _what_findings(campaign, catalog))
    if {"what", "when"} <= campaign.model_fields_set and campaign.what.schedule:
        yield from (found.under("when") for found in whole_hour_findings(campaign.when))
    if "when" in campaign.model_fields_set:
        yield from (found.under("when") for found in _when_findings(campaign, catalog, settings))
    if campaign.goal is not None:
        goal = campaign.goal
        yield from (found.under("goal") for found in event_findings(goal.event, goal.where, catalog))
        if goal.revenue is not None:
            yield from (found.under("goal", "revenue") for found in numeric_findings(goal.revenue, catalog))


def campaign_warnings(campaign: Campaign) -> Findings:
    """What is allowed and probably not meant."""
    create = campaign.what.audience.create
    for key, text in (("name", create.name), ("description", create.description)) if create else ():
        if found := _FLAGGED.search(re.sub(r"[\W_]+", " ", text.lower())):
            message = (
                f"{shown(found[0])} hints at health or money; Facebook may flag the audience and block its delivery"
            )
            yield Finding(("what", "audience", "create", key), "flagged-name", message)
    what = campaign.what
    if what.keep_for is not None and what.audience.action in ("remove", "remove_matching"):
        message = f"`action: {what.audience.action}` adds nobody whose time could be up"
        yield Finding(("what", "keep_for"), "no-effect", message)
    if campaign.qualification == "live" and what.keep_for is None:
        message = "a live campaign never removes anybody without `keep_for`, such as `keep_for: 30 days`"
        yield Finding(("what",), "keeps-for-ever", message, key=True)


def _who_findings(campaign: Campaign, catalog: Catalog, settings: Settings, segments: Mapping[str, str]) -> Findings:
    who = campaign.who
    yield from rule_findings(who, catalog, segments)
    if who.with_properties is not None:
        none = f"{CATALOG} lists no properties of users"
        found = tree_findings(who.with_properties, catalog.user_properties(), "property", none)
        yield from (each.under("with_properties") for each in found)
    custom = who.control_group.custom
    groups = settings.control_groups.custom
    if custom is not None and custom not in groups:
        message = unknown("control group", custom, groups, none=f"{SETTINGS} names none under `control_groups.custom`")
        yield Finding(("control_group", "custom"), "unknown-control-group", message)
        return
    held_out = [who.control_group.percent]
    if who.control_group.system and settings.control_groups.system is not None:
        held_out.append(settings.control_groups.system.percent)
    if custom is not None:
        held_out.append(groups[custom].percent)
    if sum(held_out, Decimal(0)) >= 100:
        message = (
            f"the control groups add up to {sum(held_out)} percent ({' + '.join(map(str, held_out))}); nobody is left"
        )
        yield Finding(("control_group",), "nobody-left", message, key=True)


def _what_findings(campaign: Campaign, catalog: Catalog) -> Findings:
    what = campaign.what
    for index, name in enumerate(what.identifiers):
        if catalog.users.identifier(name) is None:
            message = f"{CATALOG} does not map `{name}`; map it there, or write `identifiers` without it"
            yield Finding(("identifiers", index), "unmapped-identifier", message)
    if campaign.qualification == "live":
        yield from _live_findings(what)
    elif what.refresh == "replace" and what.audience.action != "mirror":
        message = (
            f"`replace` leaves only the users who qualify, which is `action: mirror`, not `{what.audience.action}`"
        )
        yield Finding(("refresh",), "not-allowed", message)
    if what.schedule is not None and not what.ad_sets:
        yield Finding(("schedule",), "missing-key", "there is no ad set to give the schedule to; add `ad_sets`")


def _live_findings(what: What) -> Findings:
    """A run of a live campaign knows the users of a few events; it must not take them for all who are to be in."""
    action = what.audience.action
    if action not in ("add", "remove_matching"):
        message = (
            f"a live campaign looks at the users of a few events at a time, and `{action}` would remove all others; "
            "write `add`, or `remove_matching` to take these users out"
        )
        yield Finding(("audience", "create" if what.audience.create else "update", "action"), "not-allowed", message)
    if what.refresh == "replace":
        yield Finding(("refresh",), "not-allowed", "would leave only the users of the last few events; leave it out")


def _when_findings(campaign: Campaign, catalog: Catalog, settings: Settings) -> Findings:
    when = campaign.when
    zone = when.timezone or settings.timezone or catalog.timezone
    wrong_zone = list(zone_findings(zone))
    yield from (found.under("timezone") for found in wrong_zone)
    if not wrong_zone:
        yield from when_findings(when, ZoneInfo(zone))
    for index, trigger in enumerate(when.on or ()):
        yield from (found.under("on", index) for found in event_findings(trigger.event, trigger.where, catalog))
    if when.unless is not None:
        yield from (found.under("unless") for found in event_findings(when.unless.event, when.unless.where, catalog))

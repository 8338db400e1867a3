"""Whether Facebook can take what a campaign says of the audience that it creates."""

from __future__ import annotations

from audiences.campaign.checks.finding import Finding, Findings
from audiences.campaign.mark import LONGEST_DESCRIPTION, START, room_for_description
from audiences.campaign.model import Campaign


def created_findings(campaign_id: str, campaign: Campaign) -> Findings:
    """The description shares its characters with the campaign's mark, and must not look like one."""
    create = campaign.what.audience.create if "what" in campaign.model_fields_set else None
    if create is None:
        return
    path = ("what", "audience", "create", "description")
    if START in create.description:
        message = f"holds `{START}`, which begins the mark that says whose an audience is; write it without"
        yield Finding(path, "not-allowed", message)
    length, room = len(create.description), room_for_description(campaign_id)
    if length > room:
        message = (
            f"has {length} characters, and {room} are left for it: Facebook takes {LONGEST_DESCRIPTION}, of which the mark "
            f"of the campaign `{campaign_id}` needs {LONGEST_DESCRIPTION - room}"
        )
        yield Finding(path, "wrong-length", message)

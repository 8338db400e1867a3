"""What is said of an audience of which it is not known whom it holds, and what ends that."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audiences.campaign.what import Action


def remedy(campaign: str, *, created: bool, action: Action | None) -> str:
    """What a person may do or wait for; `campaign` feeds the audience, which was `created` by one, or is given by its id."""
    confirm = f"`audiences run {campaign} --allow doubt` says that it holds whom it should."
    if created:
        return f"The next run sends the whole set, which ends the doubt. {confirm}"
    if action == "remove_matching":
        return f"The next run sends everybody who matches for removal again, which ends the doubt. {confirm}"
    return (
        f"Runs send only what changed until then, and whoever else is in it stays. {confirm} `audiences adopt {campaign}` takes "
        "the audience over."
    )


def remedy_without_campaign(*, created: bool) -> str:
    """The same of an audience that no file feeds any more."""
    made = " that made it" if created else ""
    return f"Bring back the file of the campaign{made}, or delete the audience in Ads Manager once no ad set needs it."

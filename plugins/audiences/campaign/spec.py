"""A campaign with everything it refers to, self-contained: what travels into the tasks of a run and is digested."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field

from audiences.campaign.base import Name, Strict
from audiences.campaign.catalog import Catalog
from audiences.campaign.model import Campaign
from audiences.campaign.notify import Notify
from audiences.campaign.rules import SavedRules
from audiences.campaign.settings import POOL, AdAccount, ControlGroups
from audiences.campaign.windows import Length


class SavedSegment(Strict):
    """A saved segment: rules, or the text of one SELECT that returns `user_id`, or a list of user ids."""

    rules: SavedRules | None = None
    sql: str | None = None
    users: tuple[str, ...] | None = None


class CampaignSpec(Strict):
    """One validated campaign; JSON in, JSON out, without loss."""

    id: Name
    brand: Name | None = None
    """The folder of `campaigns/` in which the campaign's file lies; None for one that lies right in it."""
    pool: Name = POOL
    campaign: Campaign
    segments: dict[str, SavedSegment]
    catalog: Catalog
    account: AdAccount
    control_groups: ControlGroups
    timezone: Name
    warehouse: Name = "warehouse"
    ledger: Name = "ledger"
    staging: str | None = None
    notify: Notify = Field(default_factory=Notify)
    deadline: Length | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which the campaign's days are cut."""
        return ZoneInfo(self.timezone)

    @property
    def asset_uri(self) -> str:
        """What the audience is called among Airflow's assets: by its name if the campaign creates it, else by Facebook's id."""
        audience = self.campaign.what.audience
        name = audience.create.name if audience.create else audience.update.id if audience.update else ""
        return f"facebook://{self.account.id}/{quote(name, safe='')}"

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON: two equal digests mean the same campaign.

        Whoever is told of it, by what tasks it is carried out, and to which brand it belongs makes it no other one.
        """
        telling, carrying_out = {"notify", "deadline"}, {"brand", "pool"}
        data = self.model_dump(
            mode="json",
            by_alias=True,
            exclude={**dict.fromkeys({*telling, *carrying_out}, True), "campaign": {*telling, "tasks"}},
        )
        canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def control_terms(self, salt: str) -> str:
        """Salts and percentages of the control groups: users assigned under equal terms need no look-up, only arithmetic.

        `salt` is that of the campaign, its first id, unless its file gives another one.
        """
        own, groups = self.campaign.who.control_group, self.control_groups
        terms = {
            "system": groups.system.percent if groups.system and own.system else 0,
            f"custom {own.custom}": groups.custom[own.custom].percent if own.custom else 0,
            f"campaign {own.salt or salt}": own.percent,
        }
        return ", ".join(f"{name}: {percent} %" for name, percent in terms.items() if percent)

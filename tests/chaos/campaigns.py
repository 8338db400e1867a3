"""The campaigns that the storm hits, each as a file and as rules of the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from tests.chaos.oracle import Rules
from tests.chaos.people import CATALOG

if TYPE_CHECKING:
    from pathlib import Path

SHARED, SUPPRESSED = "23850000000000001", "23850000000000002"
SYSTEM = ("control_system", "system", 2)


@dataclass(frozen=True)
class Plan:
    """A campaign: its file's `who` and `what`, and the same as rules. `audience` is None for one that it creates."""

    rules: Rules
    who: dict[str, Any]
    what: dict[str, Any]
    action: str
    audience: str | None = None

    @property
    def name(self) -> str:
        return self.rules.campaign

    @property
    def text(self) -> str:
        guards = {"max_removal": 100, "allow_empty": True}
        what = {**self.what, "guards": guards}
        return yaml.safe_dump(
            {"name": self.name, "status": "published", "who": self.who, "what": what, "when": "now"}, sort_keys=False
        )


def create(name: str, action: str = "mirror") -> dict[str, Any]:
    return {"audience": {"create": {"name": name, "action": action}}}


def update(identifier: str, action: str) -> dict[str, Any]:
    return {"audience": {"update": {"id": identifier, "action": action}}}


CARTS = Plan(
    Rules(
        "carts",
        lambda user, at: user.did("Added To Cart", days=30, at=at),
        lambda user: user.tier in ("gold", "silver") or (user.age or 0) >= 30,
        held_out=(SYSTEM, ("control_campaign", "carts", 10)),
    ),
    {
        "did": {"event": "Added To Cart", "within": "last 30 days"},
        "with_properties": {"any": [{"tier": {"in": ["gold", "silver"]}}, {"age": {"at_least": 30}}]},
        "control_group": {"percent": 10},
    },
    create("Carts"),
    "mirror",
)
BUYERS = Plan(
    Rules(
        "buyers",
        lambda user, at: user.did("Charged", days=10, at=at),
        keys=("EMAIL",),
        held_out=(SYSTEM, ("control_custom", "holiday", 5)),
    ),
    {"did": {"event": "Charged", "within": "last 10 days"}, "control_group": {"percent": 0, "custom": "holiday"}},
    {**create("Buyers", "add"), "identifiers": ["email"]},
    "add",
)
FEW = Plan(
    Rules("few", lambda user, at: user.did("Viewed", days=20, at=at), held_out=(SYSTEM,), cap=700),
    {"did": {"event": "Viewed", "within": "last 20 days"}, "target_cap": 700},
    create("Few"),
    "mirror",
)
FIRST = Plan(
    Rules("first", lambda user, at: user.did("Added To Cart", days=5, at=at), held_out=(SYSTEM,)),
    {"did": {"event": "Added To Cart", "within": "last 5 days"}},
    update(SHARED, "mirror"),
    "mirror",
    SHARED,
)
SECOND = Plan(
    Rules(
        "second",
        lambda user, at: user.did("Charged", "Viewed", days=15, at=at),
        lambda user: user.tier == "gold",
        held_out=(SYSTEM,),
    ),
    {
        "any": [
            {"did": {"event": "Charged", "within": "last 15 days"}},
            {"did": {"event": "Viewed", "within": "last 15 days"}},
        ],
        "with_properties": {"tier": "gold"},
    },
    update(SHARED, "mirror"),
    "mirror",
    SHARED,
)
WHOLE = Plan(
    Rules(
        "whole",
        lambda user, at: user.did("Added To Cart", "Viewed", days=40, at=at),
        lambda user: user.tier is None or user.tier != "gold",
        held_out=(SYSTEM, ("control_campaign", "whole", 5)),
    ),
    {
        "any": [
            {"did": {"event": "Added To Cart", "within": "last 40 days"}},
            {"did": {"event": "Viewed", "within": "last 40 days"}},
        ],
        "with_properties": {"tier": {"not_equals": "gold"}},
        "control_group": {"percent": 5},
    },
    {**create("Whole"), "refresh": "replace"},
    "mirror",
)
SUPPRESS = Plan(
    Rules("suppress", lambda user, at: user.did("Charged", days=20, at=at)),
    {"did": {"event": "Charged", "within": "last 20 days"}, "control_group": {"system": False}},
    update(SUPPRESSED, "remove_matching"),
    "remove_matching",
    SUPPRESSED,
)
ALL = (CARTS, BUYERS, FEW, FIRST, SECOND, WHOLE, SUPPRESS)
SENDS_ONLY_CHANGES = tuple(plan for plan in ALL if plan is not WHOLE)


def write_project(folder: Path, staging: Path, plans: tuple[Plan, ...] = ALL) -> None:
    """Campaigns, catalog and settings as files."""
    settings = {
        "ad_accounts": {"main": {"id": "act_1001", "connection": "facebook_main"}},
        "control_groups": {"system": {"percent": 2}, "custom": {"holiday": {"percent": 5}}},
        "staging": str(staging),
    }
    files = {
        "include/warehouse.yml": yaml.safe_dump(CATALOG),
        "include/settings.yml": yaml.safe_dump(settings),
        **{f"campaigns/{plan.name}.yml": plan.text for plan in plans},
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

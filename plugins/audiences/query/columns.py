"""The columns of an extraction: what the SQL selects and what the steps after it read, by one description."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from audiences.campaign.identifiers import FIELDS
from audiences.query.sources import can_misfit

if TYPE_CHECKING:
    from audiences.campaign.identifiers import Identifier
    from audiences.campaign.spec import CampaignSpec

OPT_OUT = "opt_out"


@dataclass(frozen=True, slots=True)
class Columns:
    """Column names by what they hold, in the order of the SELECT.

    `user_id` is text and `opted_out` boolean, neither ever null. Identifiers are raw text. Properties are typed as in
    the catalog: integer -> int8, number -> float8, string and version -> text, boolean, date, datetime -> timestamptz,
    list -> text[]; null where there is none and where the value does not fit, and `present` says of those that may not whether
    there is one. A property derived as an age is the date it derives from. Their columns are numbered, because
    Postgres cuts names at 63 bytes.
    """

    identifiers: dict[Identifier, str]
    properties: dict[str, str]
    present: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    """By identifier, and for OPT_OUT, the column that says whether there is something that could not be read; never null."""
    user_id: str = "user_id"
    opted_out: str = "opted_out"
    fingerprint: str = "fingerprint"
    """Only where it is asked for: that of the identifiers, a number of 64 bits that is never null."""
    never_held_out: str | None = None
    """Whether the user is under `never_hold_out`, boolean and never null; only where somebody is."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of the SELECT."""
        return (
            self.user_id,
            self.opted_out,
            *self.identifiers.values(),
            *self.properties.values(),
            *self.present.values(),
            *self.unread.values(),
            *filter(None, [self.never_held_out]),
        )


def columns_of(spec: CampaignSpec) -> Columns:
    """The columns that a campaign needs: its identifiers as far as the catalog maps them, and what it filters by.

    What is read in the light of the user's country (a phone number without country code, say) brings it along.
    """
    wanted = spec.campaign.what.identifiers
    if any(FIELDS[name].by_country for name in wanted) and "country" not in wanted:
        wanted = (*wanted, "country")
    tree = spec.campaign.who.with_properties
    properties = sorted(tree.properties()) if tree else []
    return Columns(
        identifiers={name: f"identifier_{name}" for name in wanted if spec.catalog.users.identifier(name)},
        properties={name: f"property_{number}" for number, name in enumerate(properties, start=1)},
        present={
            name: f"present_{number}"
            for number, name in enumerate(properties, start=1)
            if can_misfit(spec.catalog.user_properties()[name])
        },
        unread={
            **{
                name: f"unread_{name}"
                for name in wanted
                if (source := spec.catalog.users.identifier(name)) and can_misfit(source)
            },
            **({OPT_OUT: "unread_opt_out"} if spec.catalog.users.opt_out else {}),
        },
        never_held_out="never_held_out" if spec.campaign.who.never_hold_out else None,
    )
